// What a round of a session is made of: events to append, and effects to start once they are durable.
import { isHoldpointError, toErrorInfo } from "../core/errors.ts";
import { type EventBody, event } from "../core/events.ts";
import type { PendingOperation } from "../core/flow.ts";
import { type Perform, type Plan, type PlanContext, wait } from "./operations/plan.ts";
import { planOperation } from "./operations/plan-operation.ts";
import type { Runtime } from "./runtime.ts";
import { type ArtifactText, toStored } from "./stored.ts";

export type Planned =
  | {
      readonly kind: "append";
      readonly events: readonly EventBody[];
      readonly artifacts: readonly ArtifactText[];
    }
  | { readonly kind: "start"; readonly operation: PendingOperation; readonly perform: Perform };

/** The end of a flow that gave `value`: a value that cannot be kept is a failure. */
export function completed(runtime: Runtime, value: unknown): Planned {
  try {
    const { stored, artifacts: texts } = toStored(runtime, value);
    return { kind: "append", events: [event("thread_completed", { output: stored })], artifacts: texts };
  } catch (error) {
    return appendPlan(event("thread_failed", { error: toErrorInfo(error, "result_not_json") }));
  }
}

/** A plan runs code of the user's (prompts, schemas, options): what it throws would be thrown at every try. */
export async function planOrFail(context: PlanContext, operation: PendingOperation): Promise<Plan> {
  try {
    return await planOperation(context, operation);
  } catch (error) {
    if (isOfTheStore(error)) throw error;
    if (context.signal.aborted) return wait; // the turn stops, and the thread's next one plans again
    const { code, message } = toErrorInfo(error, "flow_failed");
    return {
      kind: "append",
      events: [event("thread_failed", { error: { code, message: `${operation.key}: ${message}` } })],
    };
  }
}

/** What of a plan is to be appended; nothing of one that waits. */
export function plannedFrom(plan: Plan): readonly Planned[] {
  return plan.kind === "append"
    ? [{ kind: "append", events: plan.events, artifacts: plan.artifacts ?? [] }]
    : [];
}

export function appendPlan(...events: readonly EventBody[]): Planned {
  return { kind: "append", events, artifacts: [] };
}

/** Errors that another time, or another worker, may not have: the turn fails, and the thread stays as it is. */
function isOfTheStore(error: unknown): boolean {
  if (!isHoldpointError(error)) return error instanceof Error && error.name === "ProcessStopped";
  return (
    error.retryable ||
    [
      "agent_not_found",
      "store_corrupt",
      "store_newer",
      "store_read_only",
      "event_unknown",
      "artifact_missing",
      "lease_lost",
    ].includes(error.code)
  );
}
