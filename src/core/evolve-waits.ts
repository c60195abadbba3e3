// What a thread waits for, in the fold: timers, signals, children.
import type { EventOf, ThreadEvent } from "./events.ts";
import { existing, keepValue, settle } from "./evolve-kit.ts";
import type { WaitResult } from "./flow.ts";
import { kindOfKey, type Outcome, type ThreadState } from "./state.ts";

export function applyTimer(state: ThreadState, event: EventOf<"timer_fired">): void {
  const owner = existing(state, event);
  if (kindOfKey(event.key) === "sleep") settle(owner, event, { kind: "value", stored: {} });
  if (kindOfKey(event.key) !== "wait" || owner.settled) return;
  settle(owner, event, { kind: "wait", result: { kind: "expired" } });
  for (const keys of state.openWaits.values())
    if (keys.includes(event.key)) keys.splice(keys.indexOf(event.key), 1);
}

/**
 * The oldest signal that nobody took goes to the waits that are open, whichever came first. Where a race left one wait
 * behind and the flow made another, both get it: the one left behind must not swallow it.
 */
export function takeSignal(state: ThreadState, name: string, event: ThreadEvent): void {
  const keys = state.openWaits.get(name) ?? [];
  const taken = state.signalsTaken.get(name) ?? 0;
  const signal = state.signals.get(name)?.[taken];
  if (keys.length === 0 || !signal) return;
  state.openWaits.delete(name);
  state.signalsTaken.set(name, taken + 1);
  const result: WaitResult = { kind: "received", value: signal.value, by: signal.by };
  for (const key of keys) {
    const waiting = state.operations.get(key);
    if (waiting) settle(waiting, event, { kind: "wait", result });
  }
}

export function applyChild(state: ThreadState, event: EventOf<"child_completed">): void {
  const { outcome } = event;
  const result: Outcome =
    outcome.status === "completed"
      ? { kind: "value", stored: outcome }
      : { kind: "error", error: outcome.error };
  settle(existing(state, event), event, result);
  if (outcome.status === "completed") keepValue(state, event, event.key, outcome);
}
