// What time a thread took. Between two events it waited when something was open to wait for (a request, a timer, a signal,
// a child, a next try), less what the operation that ended with the second one took: so a wait that a race left behind
// does not make work look like waiting.
import type { ThreadEvent } from "../events.ts";
import { projectionDelta } from "../projection.ts";

/** In milliseconds; points in time since the epoch. */
export interface Times {
  startedAt: number;
  lastAt: number;
  /** `null` while it is open. */
  endedAt: number | null;
  activeMs: number;
  waitingMs: number;
  /** By key: the signal that it waits for, where it is one. */
  readonly waits: Map<string, string | null>;
  readonly untakenSignals: Map<string, number>;
  readonly openRequests: Set<string>;
}

export function openTimes(): Times {
  return {
    startedAt: 0,
    lastAt: 0,
    endedAt: null,
    activeMs: 0,
    waitingMs: 0,
    waits: new Map(),
    untakenSignals: new Map(),
    openRequests: new Set(),
  };
}

/** An ISO time in milliseconds since the epoch; `otherwise` for text that is none. */
export function timeOf(at: string, otherwise: number): number {
  const time = Date.parse(at);
  return Number.isNaN(time) ? otherwise : time;
}

export function countTime(times: Times, event: ThreadEvent, isCopy: boolean): void {
  const at = timeOf(event.at, times.lastAt);
  if (event.seq === 1) times.startedAt = at;
  const sinceMs = event.seq === 1 ? 0 : Math.max(0, at - times.lastAt); // a clock may be set back
  times.lastAt = at;
  if (times.endedAt !== null) return;
  if (!isCopy) {
    const tookMs = "durationMs" in event && event.durationMs > 0 ? Math.round(event.durationMs) : 0;
    times.activeMs += tookMs;
    if (times.waits.size > 0 || times.openRequests.size > 0) times.waitingMs += Math.max(0, sinceMs - tookMs);
  }
  changeWaits(times, event);
}

function changeWaits(times: Times, event: ThreadEvent): void {
  if (!canWait.has(event.type)) return;
  const { waitOpened, waitClosed, signalled, requestOpened, requestClosed } = projectionDelta(event);
  if (waitClosed !== undefined) times.waits.delete(waitClosed);
  if (signalled !== undefined) receiveSignal(times, signalled);
  if (waitOpened && !takesSignal(times, waitOpened.signal))
    times.waits.set(waitOpened.key, waitOpened.signal);
  if (requestOpened) times.openRequests.add(requestOpened.requestId);
  if (requestClosed) times.openRequests.delete(requestClosed.requestId);
}

/** Of the many events of a thread, those that open or close something to wait for. */
const canWait: ReadonlySet<ThreadEvent["type"]> = new Set([
  "step_completed",
  "step_failed",
  "decision_made",
  "decision_rejected",
  "timer_set",
  "timer_fired",
  "wait_started",
  "signal_received",
  "child_started",
  "child_completed",
  "request_opened",
  "request_decided",
  "request_expired",
] as const);

function receiveSignal({ waits, untakenSignals }: Times, signal: string): void {
  const keys = [...waits].flatMap(([key, waiting]) => (waiting === signal ? [key] : []));
  for (const key of keys) waits.delete(key);
  if (keys.length === 0) untakenSignals.set(signal, (untakenSignals.get(signal) ?? 0) + 1);
}

function takesSignal({ untakenSignals }: Times, signal: string | null): boolean {
  const untaken = signal === null ? 0 : (untakenSignals.get(signal) ?? 0);
  if (signal === null || untaken === 0) return false;
  untakenSignals.set(signal, untaken - 1);
  return true;
}
