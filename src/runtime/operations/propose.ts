// I5. An action is validated, measured against the limits and judged, in this order, before anything else is done with it.
import { actionDigest } from "../../core/digest.ts";
import { type EventBody, type EventOf, event, type VerdictKind } from "../../core/events.ts";
import type { PendingOperation } from "../../core/flow.ts";
import type { Json } from "../../core/json.ts";
import { type LimitHit, limitAgainstAction } from "../../core/limits.ts";
import type { Operation } from "../../core/state.ts";
import type { Tool } from "../../core/tool.ts";
import { holdsSecret } from "../redact.ts";
import { claimStanding, findStanding, type HeldRequest } from "../standing.ts";
import { validateWithin } from "../validate-within.ts";
import { approvalEvent, type Proposal } from "./approval.ts";
import { type Judgement, judge } from "./judge.ts";
import { limitReached } from "./limit.ts";
import { append, type Plan, type PlanContext } from "./plan.ts";
import { startAction } from "./start-action.ts";

export type Act = Extract<PendingOperation, { kind: "act" }>;

/** Validation, then limits, then the gate: in this order nothing unvalidated is ever judged or shown. */
export async function propose(
  context: PlanContext,
  act: Act,
  tool: Tool,
  known: Operation | undefined,
  whyAgain?: string,
): Promise<Plan> {
  const requested = act.call.args;
  const validation = await validateWithin(context.runtime.clock, context.signal)(tool.input, requested);
  if (!validation.ok) return deny(act.key, "validation", validation.why);
  if (holdsSecret(context.runtime.redact, validation.value)) return deny(act.key, "validation", secretInArgs);
  const digest = actionDigest({ tool: tool.name, toolVersion: tool.version, args: validation.value });
  const hit = limitAgainstAction(context.state, context.agent.limits, { tool: tool.name, digest });
  if (hit && !known?.proposal) return limitReached(context, act.key, hit, choicesAt(hit));
  const judged = judge(context, act.key, tool, validation.value);
  const proposal = proposalOf(act, tool, requested, validation.value, digest, judged);
  switch (proposal.gate.kind) {
    case "allow":
      return startAction(context, tool, proposal, {
        before: [proposal],
        earlier: known?.start,
        counts: judged.counts,
        limits: judged.limits,
      });
    case "hold": {
      const asked = await approvalEvent(context, tool, proposal, whyAgain);
      const isForPerson = judged.isOverLimit || proposal.gate.isBroken === true;
      const standing =
        isForPerson || asked.type !== "request_opened"
          ? null
          : await planStanding(context, tool, proposal, asked, judged, known);
      return standing ?? append(proposal, asked);
    }
    case "deny":
      return append(proposal, denied(act.key, "gate", proposal.gate.reason));
    default:
      return proposal.gate satisfies never;
  }
}

/**
 * I5. A person approved such actions beforehand: the request is opened, decided and acted on in one append. A limit on a
 * sum is checked as for an action that nobody was asked about. `null`: a person is asked.
 */
async function planStanding(
  context: PlanContext,
  tool: Tool,
  proposal: Proposal,
  opened: HeldRequest["opened"],
  { counts, limits }: Judgement,
  known: Operation | undefined,
): Promise<Plan | null> {
  const { runtime, threadId, agent } = context;
  const held = { agent: agent.name, threadId, opened };
  const found = await findStanding(runtime, held);
  if (found.length === 0) return null;
  if (context.exclusiveRunning) return { kind: "later" }; // no use is spent before the action can start
  const decided = await claimStanding(runtime, found, held);
  if (!decided) return null;
  const before = [proposal, opened, decided];
  return startAction(context, tool, proposal, {
    before,
    counts,
    limits,
    earlier: known?.start,
  });
}

/** A tool that fails, or a circle, is a matter of this call, which can be refused; the time that is up is not. */
function choicesAt({ limit }: LimitHit): readonly VerdictKind[] {
  return limit === "activeTime" ? ["continue", "stop"] : ["continue", "reject", "stop"];
}

/** I11. The log would hold other arguments than those that ran, and no digest would fit them. */
const secretInArgs = "the arguments hold a declared secret; let the tool take it from the environment";

export function proposalOf(
  act: Act,
  tool: Tool,
  requested: Json,
  args: Json,
  digest: string,
  { gate, shadow }: Judgement,
): Proposal {
  return event("action_proposed", {
    key: act.key,
    callId: act.call.callId,
    tool: tool.name,
    toolVersion: tool.version,
    args,
    digest,
    effect: tool.effect,
    gate,
    ...(shadow.length === 0 ? {} : { shadow }),
    ...(tool.risk === undefined ? {} : { risk: tool.risk }),
    ...(JSON.stringify(requested) === JSON.stringify(args) ? {} : { requested }),
  });
}

export function deny(key: string, deniedBy: "validation" | "deadline", why: string): Plan {
  return append(denied(key, deniedBy, why));
}

export function denied(
  key: string,
  deniedBy: EventOf<"action_denied">["deniedBy"],
  why: string,
  by?: string,
): EventBody {
  return event("action_denied", { key, deniedBy, why, ...(by === undefined ? {} : { by }) });
}
