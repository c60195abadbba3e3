// I2. The projections of one thread, computed from its events alone: what `project.ts` keeps up to date with SQL.
import { dayOf } from "../../core/cumulative.ts";
import type { ThreadEvent } from "../../core/events.ts";
import { recount } from "../../core/numbers/thread-numbers.ts";
import type { Delta } from "../../core/projection.ts";
import type { RequestStatus, ThreadStatus } from "../../ports/store.ts";
import { columnDelta, columnText, threadColumns } from "./columns.ts";
import { toMs } from "./dispatch-time.ts";
import type { StoredNumbers } from "./numbers-rows.ts";

export interface FoldedWait {
  readonly seq: number;
  readonly signal: string | null;
  readonly dueAt: number | null;
}

export interface FoldedRequest {
  readonly requestId: string;
  readonly openedAt: string;
  /** When it next needs a turn. */
  expiresAt: number | null;
  status: RequestStatus;
  /** The newest event about it after its opening: while it is open, a vote, a reminder or an escalation. */
  closingId: number | null;
}

/** Rows of the projections, by the columns' names in camel case. */
export interface Folded {
  readonly thread: {
    agent: string;
    agentVersion: string;
    title: string;
    parentId: string | null;
    createdAt: string;
    updatedAt: string;
    status: ThreadStatus;
    ended: number;
    decisions: number;
    inputTokens: number;
    outputTokens: number;
  };
  readonly waits: Map<string, FoldedWait>;
  readonly untakenSignals: Map<string, number>;
  /** Sums by day and name, as `tallyKey` writes them. */
  readonly tallies: Map<string, number>;
  /** By the id of the event that opened it. */
  readonly requests: Map<number, FoldedRequest>;
  numbers: StoredNumbers;
}

/** `events` are all of one thread, each with its id in the table, starting with `thread_started`. */
export function foldProjections(events: readonly (readonly [eventId: number, event: ThreadEvent])[]): Folded {
  const folded = emptyFold();
  for (const [eventId, event] of events) foldEvent(folded, eventId, event);
  folded.numbers = recount(events.map(([, event]) => event));
  if (folded.thread.ended === 0) folded.thread.status = isWaiting(folded) ? "waiting" : "running";
  return folded;
}

function emptyFold(): Folded {
  const texts = { agent: "", agentVersion: "", title: "", parentId: null, createdAt: "", updatedAt: "" };
  return {
    thread: { ...texts, status: "running", ended: 0, decisions: 0, inputTokens: 0, outputTokens: 0 },
    waits: new Map(),
    untakenSignals: new Map(),
    tallies: new Map(),
    requests: new Map(),
    numbers: { ended: null, facts: [] },
  };
}

function foldEvent(folded: Folded, eventId: number, event: ThreadEvent): void {
  const { thread } = folded;
  thread.updatedAt = event.at;
  if (event.seq === 1 && event.type === "thread_started") Object.assign(thread, threadColumns(event));
  const delta = columnDelta(event);
  if (!delta) return;
  thread.decisions += delta.decisions ?? 0;
  thread.inputTokens += delta.inputTokens ?? 0;
  thread.outputTokens += delta.outputTokens ?? 0;
  for (const { name, amount } of delta.counted ?? []) {
    const key = tallyKey(columnText(dayOf(event.at)), name);
    folded.tallies.set(key, (folded.tallies.get(key) ?? 0) + amount);
  }
  foldRequests(folded, eventId, event.at, delta);
  if (thread.ended === 1) return; // P1
  foldWaits(folded, event.seq, delta);
  if (delta.outcome) endThread(folded, delta.outcome);
}

/** A day has no space in it. */
export function tallyKey(day: string, name: string): string {
  return `${day} ${name}`;
}

function foldRequests(folded: Folded, eventId: number, at: string, delta: Delta): void {
  const { requestOpened: opened, requestChanged: changed, requestClosed: closed } = delta;
  if (opened) {
    const { requestId } = opened;
    const status = folded.thread.ended === 1 ? "withdrawn" : "open";
    const expiresAt = toMs(opened.expiresAt);
    folded.requests.set(eventId, { requestId, openedAt: at, expiresAt, status, closingId: null });
  }
  for (const request of openRequests(folded, (changed ?? closed)?.requestId)) {
    request.closingId = eventId;
    if (changed?.expiresAt !== undefined) request.expiresAt = toMs(changed.expiresAt);
    if (closed) request.status = closed.status;
  }
}

function openRequests({ requests }: Folded, requestId: string | undefined): readonly FoldedRequest[] {
  if (requestId === undefined) return [];
  return [...requests.values()].filter(
    (request) => request.requestId === requestId && request.status === "open",
  );
}

function foldWaits({ waits, untakenSignals }: Folded, seq: number, delta: Delta): void {
  if (delta.waitClosed !== undefined) waits.delete(delta.waitClosed);
  if (delta.signalled !== undefined) receiveSignal(waits, untakenSignals, delta.signalled);
  if (!delta.waitOpened) return;
  const { key, signal, dueAt } = delta.waitOpened;
  if (signal !== null && changeCount(untakenSignals, signal, -1)) return; // P2
  waits.delete(key); // to the end: waits are in the order of their opening
  waits.set(key, { seq, signal, dueAt: toMs(dueAt) });
}

function receiveSignal(waits: Map<string, FoldedWait>, untaken: Map<string, number>, signal: string): void {
  const waiting = [...waits].filter(([, wait]) => wait.signal === signal);
  for (const [key] of waiting) waits.delete(key);
  if (waiting.length > 0) return;
  if (!changeCount(untaken, signal, 1)) untaken.set(signal, 1);
}

/** @returns false when there is no count to change. */
function changeCount(counts: Map<string, number>, name: string, by: number): boolean {
  const count = counts.get(name);
  if (count === undefined) return false;
  if (count + by === 0) counts.delete(name);
  else counts.set(name, count + by);
  return true;
}

function endThread(folded: Folded, outcome: ThreadStatus): void {
  folded.thread.ended = 1;
  folded.thread.status = outcome;
  folded.waits.clear();
  folded.untakenSignals.clear();
  for (const request of folded.requests.values()) if (request.status === "open") request.status = "withdrawn";
}

function isWaiting({ waits, requests }: Folded): boolean {
  return waits.size > 0 || [...requests.values()].some((request) => request.status === "open");
}
