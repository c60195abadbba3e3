// I5. What became of an action's request: the approval starts exactly what was approved, once, while what it was based on
// still holds.
import { actionDigest } from "../../core/digest.ts";
import type { EventOf } from "../../core/events.ts";
import type { Json } from "../../core/json.ts";
import type { Operation } from "../../core/state.ts";
import type { Tool } from "../../core/tool.ts";
import { validateWithin } from "../validate-within.ts";
import {
  approvalEvent,
  approversOf,
  approversOfEdit,
  changeSince,
  type Proposal,
  policyChange,
} from "./approval.ts";
import { countsOfApproved, judge } from "./judge.ts";
import { append, expireOrWait, type Plan, type PlanContext } from "./plan.ts";
import { type Act, denied, deny, proposalOf } from "./propose.ts";
import { startAction } from "./start-action.ts";

interface ProposedAction {
  readonly act: Act;
  readonly tool: Tool;
  readonly proposal: Proposal;
  /** Judges the action anew; `why` when it was decided before, and something changed. */
  readonly proposeAgain: (why?: string) => Promise<Plan>;
}

export async function planProposed(
  context: PlanContext,
  known: Operation,
  action: ProposedAction,
): Promise<Plan> {
  const { act, proposeAgain } = action;
  const { request } = known;
  if (request?.opened.kind !== "approval") return proposeAgain(); // a fork may leave it so: judged again
  if (request.status === "open") return expireOrWait(context, request);
  if (request.status === "expired") return deny(act.key, "deadline", "nobody answered in time");
  const { verdict, decided } = request;
  if (!decided || request.used) return deny(act.key, "validation", "its approval was used before");
  switch (verdict?.kind) {
    case "approve":
      return startApproved(context, known, action, { opened: request.opened, decided });
    case "edit":
      return startEdited(context, known, action, { edited: verdict.args, opened: request.opened, decided });
    case "reject":
      return append(denied(act.key, "person", verdict.why, decided.by));
    default:
      return deny(act.key, "validation", `the verdict "${verdict?.kind}" is none for an approval`);
  }
}

interface DecidedRequest {
  readonly opened: EventOf<"request_opened">;
  readonly decided: EventOf<"request_decided">;
}

interface EditedRequest extends DecidedRequest {
  /** The new arguments. */
  readonly edited: Json;
}

/** What changed since it was approved is validated, judged and asked for anew. */
async function startApproved(
  context: PlanContext,
  known: Operation,
  { act, tool, proposal, proposeAgain }: ProposedAction,
  request: DecidedRequest,
): Promise<Plan> {
  const requested = act.call.args;
  const { gate } = judge(context, act.key, tool, proposal.args);
  const changed = await changeSince(context, tool, { proposal, requested, gate, ...request });
  if (changed !== null) return proposeAgain(changed);
  return startAction(context, tool, proposal, {
    earlier: known.start,
    counts: countsOfApproved(context, tool, proposal.args),
  });
}

/** The person who edits has seen exactly what will run, so an edit approves it, unless it is invalid or denied. */
async function startEdited(
  context: PlanContext,
  known: Operation,
  { act, tool, proposal }: ProposedAction,
  { edited, opened, decided }: EditedRequest,
): Promise<Plan> {
  const again = async (why: string): Promise<Plan> =>
    append(await approvalEvent(context, tool, proposal, why));
  const validation = await validateWithin(context.runtime.clock, context.signal)(tool.input, edited);
  if (!validation.ok) return again(`the edit by ${decided.by} is not valid: ${validation.why}`);
  const digest = actionDigest({ tool: tool.name, toolVersion: tool.version, args: validation.value });
  if (digest !== decided.digest) return again(`${tool.name} changed after the edit by ${decided.by}`);
  const judged = judge(context, act.key, tool, validation.value);
  const changed: Proposal = {
    ...proposalOf(act, tool, act.call.args, validation.value, digest, judged),
    requested: act.call.args,
  };
  if (judged.gate.kind === "deny") return append(changed, denied(act.key, "gate", judged.gate.reason));
  const stricter =
    othersApprove(context, { proposal, changed, opened, decided }) ??
    policyChange(context, { proposal: changed, opened, decided });
  if (stricter !== null) return again(stricter);
  return startAction(context, tool, changed, {
    before: [changed],
    earlier: known.start,
    counts: judged.counts,
  });
}

interface EditedAction extends DecidedRequest {
  readonly proposal: Proposal;
  readonly changed: Proposal;
}

/** Where a rule names approvers by the arguments, other arguments may be for others to approve. */
function othersApprove(
  context: PlanContext,
  { proposal, changed, opened, decided }: EditedAction,
): string | null {
  const named = approversOfEdit(
    approversOf(context, proposal, opened.at),
    approversOf(context, changed, opened.at),
  );
  if (!named.ok) return named.why;
  if (named.approvers === null || named.approvers.includes(decided.as ?? "")) return null;
  return `what ${decided.by} made of it is for others to approve`;
}
