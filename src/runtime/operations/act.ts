// I3, I4, I5. An action's way: proposed, held or not, started, ended. Each part has a file of its own.
import type { EventOf } from "../../core/events.ts";
import type { Operation, RequestState } from "../../core/state.ts";
import type { Tool } from "../../core/tool.ts";
import { toolNamed } from "../built-in-tools.ts";
import { planProposed } from "./approved.ts";
import { planStarted, settleFirst } from "./in-doubt.ts";
import { afterEscalation, append, type Plan, type PlanContext } from "./plan.ts";
import { type Act, denied, propose } from "./propose.ts";
import { expired } from "./request.ts";

export async function planAct(context: PlanContext, act: Act, known: Operation | undefined): Promise<Plan> {
  const tool = toolNamed(context.agent, act.call.tool);
  return settleFirst(context, known, tool, await planNext(context, act, known, tool));
}

async function planNext(
  context: PlanContext,
  act: Act,
  known: Operation | undefined,
  tool: Tool | undefined,
): Promise<Plan> {
  const started = startOf(known);
  const proposeWith = (current: Tool, why?: string) => propose(context, act, current, known, why);
  if (known && started) return planStarted(context, known, { started, tool, proposeAgain: proposeWith });
  if (!tool) return denyMissing(context, act, known);
  const escalation = known?.request
    ? (refused(act.key, known.request) ?? afterEscalation(context, known.request))
    : null;
  if (escalation) return escalation;
  const proposeAgain = (why?: string) => proposeWith(tool, why);
  if (known?.proposal)
    return planProposed(context, known, { act, tool, proposal: known.proposal, proposeAgain });
  return proposeAgain();
}

/** At a limit a person may also refuse the one call that met it: the agent learns why, and goes on. */
function refused(key: string, { opened, verdict, decided }: RequestState): Plan | null {
  if (opened.kind !== "escalation" || verdict?.kind !== "reject") return null;
  return append(denied(key, "person", verdict.why, decided?.by));
}

/**
 * The start that belongs to the newest proposal: an action that is proposed again has not started as such, but what became
 * of its earlier start may be what people are asked.
 */
function startOf(known: Operation | undefined): EventOf<"action_started"> | null {
  if (!known?.start) return null;
  if (known.request?.reason === "in_doubt") return known.start;
  return known.proposal && known.proposal.seq > known.start.seq ? null : known.start;
}

function denyMissing(context: PlanContext, act: Act, known: Operation | undefined): Plan {
  const names = [...context.agent.tools.keys()].join(", ");
  const denial = denied(act.key, "validation", `there is no tool "${act.call.tool}"; tools: ${names}`);
  const request = known?.request;
  if (request?.status !== "open") return append(denial);
  return append(expired(request), denial);
}
