// I4. Started and not ended is in doubt: it runs again only when its tool says that this is harmless, or that it did not
// happen. Otherwise a person says.
import { actionDigest } from "../../core/digest.ts";
import { type EventBody, type EventOf, event, type GateOutcome } from "../../core/events.ts";
import type { Operation, RequestState } from "../../core/state.ts";
import type { Tool } from "../../core/tool.ts";
import { approversOf, type Proposal, stricterNow, versionChanged } from "./approval.ts";
import { judgeAgain } from "./judge.ts";
import { append, expireOrWait, type Plan, type PlanContext } from "./plan.ts";
import { denied } from "./propose.ts";
import { openRequest } from "./request.ts";
import { verifyAction } from "./run-action.ts";
import { startAction } from "./start-action.ts";

interface StartedAction {
  readonly started: EventOf<"action_started">;
  /** As the agent has it now, if it does. */
  readonly tool: Tool | undefined;
  /** Judges the action anew, since something changed. */
  readonly proposeAgain: (tool: Tool, why: string) => Promise<Plan>;
}

/** What a crash, or a tool that gave no answer, left behind. */
export async function planStarted(
  context: PlanContext,
  known: Operation,
  { started, tool, proposeAgain }: StartedAction,
): Promise<Plan> {
  const { key, proposal, request } = known;
  const doubt = (why: string): Plan => append(...doubtEvents(context, known, started, why));
  if (request?.reason === "in_doubt") return planSettled(context, key, started, request);
  if (!tool || !proposal) return doubt("the agent no longer has this tool");
  const mayRepeat = proposal.effect !== "once" && tool.effect !== "once";
  if (mayRepeat || context.verifiedAbsent.has(key)) {
    if (currentDigest(tool, proposal) !== started.digest)
      return proposeAgain(tool, versionChanged(tool, proposal));
    const refusal = await refuseNow(context, known, { tool, proposal, doubt, proposeAgain });
    if (refusal !== null) return refusal;
    if (started.attempt >= maxStarts)
      return doubt(`it was started ${started.attempt} times, and no result was recorded`);
    return startAction(context, tool, proposal, { earlier: started }); // counted by its first start
  }
  if (!tool.verify) return doubt("it started, and no result was recorded");
  return planVerify(context, known, { started, tool, proposal });
}

function planVerify(
  context: PlanContext,
  known: Operation,
  { started, tool, proposal }: Pick<StartedAction, "started"> & Pick<Repeated, "tool" | "proposal">,
): Plan {
  const { key } = known;
  if (context.exclusiveRunning) return { kind: "later" };
  const run = { key, args: proposal.args, attempt: started.attempt, idempotencyKey: started.idempotencyKey };
  return {
    kind: "perform",
    intent: [],
    intentFirst: false,
    exclusive: true,
    about: { kind: "verify", key, attempt: run.attempt, tool, callId: proposal.callId, args: proposal.args },
    effect: (signal) =>
      verifyAction(context, tool, run, signal, (why) => doubtEvents(context, known, started, why)),
  };
}

interface Repeated extends Pick<StartedAction, "proposeAgain"> {
  readonly tool: Tool;
  readonly proposal: Proposal;
  readonly doubt: (why: string) => Plan;
}

/**
 * I5. A second start is a start: what the gate by now denies does not run again, and what it by now holds waits for a
 * person, unless one had approved just this, under a policy that is no stricter by now. `null`: it may run. What is denied
 * may have happened by its first start, so a person says, except of what only reads, or is known not to have happened.
 */
async function refuseNow(
  context: PlanContext,
  { key, request }: Operation,
  { tool, proposal, doubt, proposeAgain }: Repeated,
): Promise<Plan | null> {
  const gate = judgeAgain(context, tool, proposal.args);
  if (gate.kind === "deny") {
    const why = `the gate denies it by now: ${gate.reason}`;
    if (isWithoutEffect(context, tool, proposal)) return append(denied(key, "gate", why));
    return doubt(`it started, no result was recorded, and ${why}`);
  }
  if (gate.kind === "allow") return null;
  const why = whyNotApproved(context, request, proposal, gate);
  return why === null ? null : proposeAgain(tool, `it started before, no result was recorded, and ${why}`);
}

/** Why an action that is held by now needs an approval, or a new one; `null` when the one that it has still counts. */
function whyNotApproved(
  context: PlanContext,
  request: RequestState | null,
  proposal: Proposal,
  gate: GateOutcome,
): string | null {
  const { opened, decided, verdict } = request ?? {};
  const isApproved = verdict?.kind === "approve" || verdict?.kind === "edit";
  const digest = decided?.digest ?? opened?.action?.digest;
  if (!isApproved || !opened || !decided || opened.kind !== "approval" || digest !== proposal.digest)
    return "the gate holds it by now"; // also what was approved before it was proposed again as something else
  return stricterNow(context, { proposal, opened, decided, gate });
}

/** True for what only reads, and for what is known not to have happened. */
function isWithoutEffect(
  { verifiedAbsent }: PlanContext,
  tool: Tool | undefined,
  { key, effect }: Proposal,
): boolean {
  return verifiedAbsent.has(key) || (effect === "read" && (tool?.effect ?? effect) === "read");
}

/**
 * I4. What started, was proposed again and is now refused may have happened by its first start: before it is told of as
 * refused, that is found out, or a person says.
 */
export function settleFirst(
  context: PlanContext,
  known: Operation | undefined,
  tool: Tool | undefined,
  plan: Plan,
): Plan {
  const { start: started, proposal } = known ?? {};
  if (!known || !started || !proposal || plan.kind !== "append") return plan;
  const denial = plan.events.find(({ type }) => type === "action_denied");
  if (denial?.type !== "action_denied" || isWithoutEffect(context, tool, proposal)) return plan;
  if (tool?.verify && started.digest === proposal.digest)
    return planVerify(context, known, { started, tool, proposal });
  const others = plan.events.filter((event) => event !== denial);
  const why = `it started, no result was recorded, and it is refused by now: ${denial.why}`;
  return append(...others, ...doubtEvents(context, known, started, why));
}

/** So often an action is started whose worker dies each time, before a person looks at it. */
const maxStarts = 5;

function doubtEvents(
  context: PlanContext,
  known: Operation,
  started: EventOf<"action_started">,
  why: string,
): readonly EventBody[] {
  const { key, proposal } = known;
  const named = proposal && approversOf(context, proposal);
  const approvers = named?.ok ? named.approvers : known.request?.approvers; // of a rule that fails, those who approved it
  const request = openRequest(context, key, {
    kind: "escalation",
    reason: "in_doubt",
    ...(approvers ? { approvers } : {}),
    question: `Did ${proposal?.tool ?? key} happen? Look it up (idempotency key ${started.idempotencyKey}), then say done or not done.`,
    why,
    choices: ["done", "not_done", "stop"],
    expiresInMs: null, // no answer is no answer: guessing either way could do harm
    ...(proposal
      ? {
          action: {
            tool: proposal.tool,
            toolVersion: proposal.toolVersion,
            args: proposal.args,
            digest: proposal.digest,
          },
        }
      : {}),
  });
  return known.inDoubt
    ? [request]
    : [event("action_in_doubt", { key, attempt: started.attempt, why }), request];
}

/** A person says what became of an action in doubt. Nothing runs again without a new action and a new approval. */
function planSettled(
  context: PlanContext,
  key: string,
  started: EventOf<"action_started">,
  request: RequestState,
): Plan {
  if (request.status === "open") return expireOrWait(context, request);
  const { attempt } = started;
  const settledBy = request.decided?.by ?? "nobody";
  switch (request.verdict?.kind) {
    case "done":
      return append(
        event("action_completed", {
          key,
          attempt,
          durationMs: 0,
          result: { value: request.verdict.value },
          settledBy,
        }),
      );
    case "not_done": {
      const error = { code: "did_not_happen", message: `it did not happen: ${request.verdict.why}` };
      return append(event("action_failed", { key, attempt, durationMs: 0, error, settledBy }));
    }
    default: {
      const error = {
        code: "stopped_by_person",
        message: `${settledBy} stopped the thread with ${key} in doubt`,
      };
      return append(event("thread_failed", { error }));
    }
  }
}

function currentDigest(tool: Tool, { args }: Proposal): string {
  return actionDigest({ tool: tool.name, toolVersion: tool.version, args });
}
