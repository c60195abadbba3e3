import { durationMs } from "../../core/duration.ts";
import { event } from "../../core/events.ts";
import type { PendingOperation } from "../../core/flow.ts";
import type { Operation } from "../../core/state.ts";
import { append, isDue, type Plan, type PlanContext, wait } from "./plan.ts";

type Sleep = Extract<PendingOperation, { kind: "sleep" }>;
type Wait = Extract<PendingOperation, { kind: "wait" }>;

/** The time it ends is recorded once, so changing the duration in code does not move a timer that is set. */
export function planSleep(context: PlanContext, sleep: Sleep, known: Operation | undefined): Plan {
  const { runtime } = context;
  if (known?.dueAt)
    return isDue(runtime, known.dueAt) ? append(event("timer_fired", { key: sleep.key })) : wait;
  return append(
    event("timer_set", {
      key: sleep.key,
      dueAt: new Date(runtime.clock.now() + durationMs(sleep.duration)).toISOString(),
    }),
  );
}

export function planWait(context: PlanContext, operation: Wait, known: Operation | undefined): Plan {
  const { runtime } = context;
  if (!known) {
    const expiresAt =
      operation.expiresIn === undefined
        ? null
        : new Date(runtime.clock.now() + durationMs(operation.expiresIn)).toISOString();
    return append(event("wait_started", { key: operation.key, signal: operation.signal, expiresAt }));
  }
  return known.dueAt && isDue(runtime, known.dueAt)
    ? append(event("timer_fired", { key: operation.key }))
    : wait;
}
