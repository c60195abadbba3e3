// I3. What must not happen twice has `action_started` durable before it runs.
import { type Count, type EventBody, type EventOf, event } from "../../core/events.ts";
import type { Tool } from "../../core/tool.ts";
import type { TallyLimit } from "../../ports/store.ts";
import type { Proposal } from "./approval.ts";
import type { Plan, PlanContext } from "./plan.ts";
import { runAction } from "./run-action.ts";

interface Start {
  /** Appended with it, and before it. */
  readonly before?: readonly EventBody[];
  /** The start before this one, of an action that may run again or was changed since. */
  readonly earlier?: EventOf<"action_started"> | null | undefined;
  readonly counts?: readonly Count[];
  /** Checked where it is appended: the start of an action that goes beyond is refused, and planned again. */
  readonly limits?: readonly TallyLimit[];
}

/**
 * The only place where an action starts. What counts towards a limit starts alone, after its count is durable; what starts
 * again counts by its first start.
 */
export function startAction(
  context: PlanContext,
  tool: Tool,
  proposal: Proposal,
  { before = [], earlier, ...sums }: Start,
): Plan {
  const { key, digest, args } = proposal;
  const { counts = [], limits = [] } = earlier?.digest === digest ? {} : sums;
  const exclusive = tool.effect !== "read" || counts.length > 0;
  if (exclusive && context.exclusiveRunning) return { kind: "later" };
  const attempt = (earlier?.attempt ?? 0) + 1;
  const idempotencyKey = idempotencyKeyOf(context, proposal, earlier ?? null);
  context.verifiedAbsent.delete(key);
  const counted = counts.length === 0 ? {} : { counts };
  return {
    kind: "perform",
    intent: [...before, event("action_started", { key, attempt, digest, idempotencyKey, ...counted })],
    intentFirst: exclusive || before.some(({ type }) => type === "request_decided"), // I5: durable before it starts
    exclusive,
    about: { kind: "tool", key, attempt, tool, callId: proposal.callId, args },
    ...(limits.length === 0 ? {} : { limits }),
    effect: (signal) => runAction(context, tool, { key, args, attempt, idempotencyKey }, signal),
  };
}

/** The same for the same action; under the key of another one a service would answer with what became of that. */
function idempotencyKeyOf(
  { threadId }: PlanContext,
  { key, digest }: Proposal,
  earlier: EventOf<"action_started"> | null,
): string {
  if (earlier === null) return `${threadId}/${key}`;
  return earlier.digest === digest ? earlier.idempotencyKey : `${threadId}/${key}/${earlier.attempt + 1}`;
}
