// What a round of a session is made of: events to append, and effects to start once they are durable.
import { isHoldpointError, toErrorInfo } from "../core/errors.ts";
import { type EventBody, event } from "../core/events.ts";
import type { PendingOperation } from "../core/flow.ts";
import { toJson } from "../core/json.ts";
import { type Perform, type Plan, type PlanContext, wait } from "./operations/plan.ts";
import { planOperation } from "./operations/plan-operation.ts";
import { type ArtifactText, toStored } from "./stored.ts";
import { withTimeout } from "./with-timeout.ts";

export type Planned =
  | {
      readonly kind: "append";
      readonly events: readonly EventBody[];
      readonly artifacts: readonly ArtifactText[];
    }
  | { readonly kind: "start"; readonly operation: PendingOperation; readonly perform: Perform };

/**
 * The end of a flow that gave `value`: a value that cannot be kept is a failure.
 *
 * @returns `null` when the turn was told to stop while the agent's check was going: the next one asks it again.
 */
export async function completed(context: PlanContext, value: unknown): Promise<Planned | null> {
  try {
    const { stored, artifacts: texts } = toStored(context.runtime, value);
    const acceptance = await acceptanceOf(context, value);
    if (acceptance === null) return null;
    const body = event("thread_completed", { output: stored, ...acceptance });
    return { kind: "append", events: [body], artifacts: texts };
  } catch (error) {
    return appendPlan(event("thread_failed", { error: toErrorInfo(error, "result_not_json") }));
  }
}

/** As long as a schema may take. */
const acceptTimeoutMs = 10_000;

/** What the agent's own check says of the output, for the log. */
async function acceptanceOf(
  { agent, runtime, input, signal }: PlanContext,
  value: unknown,
): Promise<{ readonly accepted?: boolean; readonly why?: string } | null> {
  const { accept } = agent;
  if (!accept) return {};
  const output = value === undefined ? undefined : structuredClone(runtime.redact.value(toJson(value)));
  const ended = await withTimeout(runtime.clock, acceptTimeoutMs, signal, () =>
    accept(output, structuredClone(input)),
  );
  switch (ended.kind) {
    case "returned":
      if (typeof ended.value === "boolean") return { accepted: ended.value };
      return { accepted: false, why: "its check returned neither true nor false" };
    case "threw":
      return {
        accepted: false,
        why: cut(runtime.redact.value(`its check failed: ${toErrorInfo(ended.error, "internal").message}`)),
      };
    case "timeout":
      return { accepted: false, why: `its check gave no verdict within ${acceptTimeoutMs} ms` };
    case "aborted":
      return null;
    default:
      return ended satisfies never;
  }
}

/** Redacted before it is cut, since half a secret is one too. */
function cut(text: string): string {
  return text.length <= 1_000 ? text : `${text.slice(0, 999).toWellFormed()}…`;
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
