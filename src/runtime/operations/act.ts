// I3. What must not happen twice has `action_started` durable before it runs.
// I4. Started and not ended is in doubt: it runs again only when its tool says that this is harmless.
// I5. A held action starts only after an approving verdict for the digest of exactly what will run, and once.
import { actionDigest } from "../../core/digest.ts";
import { type Count, type EventBody, type EventOf, event } from "../../core/events.ts";
import type { PendingOperation } from "../../core/flow.ts";
import type { Json } from "../../core/json.ts";
import { limitAgainstAction } from "../../core/limits.ts";
import type { Operation, RequestState } from "../../core/state.ts";
import type { Tool } from "../../core/tool.ts";
import type { TallyLimit } from "../../ports/store.ts";
import { toolNamed } from "../built-in-tools.ts";
import { claimStanding, findStanding, type HeldRequest } from "../standing.ts";
import { validateWithin } from "../validate-within.ts";
import {
  approvalEvent,
  approversOf,
  changeSince,
  type Proposal,
  policyChange,
  versionChanged,
} from "./approval.ts";
import { countsOfApproved, type Judgement, judge } from "./judge.ts";
import { limitReached } from "./limit.ts";
import { afterEscalation, append, expireOrWait, type Plan, type PlanContext } from "./plan.ts";
import { expired, openRequest } from "./request.ts";
import { runAction, verifyAction } from "./run-action.ts";

export type Act = Extract<PendingOperation, { kind: "act" }>;

export async function planAct(context: PlanContext, act: Act, known: Operation | undefined): Promise<Plan> {
  const tool = toolNamed(context.agent, act.call.tool);
  const started = startOf(known);
  if (known && started) return planStarted(context, act, known, started, tool);
  if (!tool) return denyMissing(context, act, known);
  const escalation = known?.request
    ? (refused(act.key, known.request) ?? afterEscalation(context, known.request))
    : null;
  if (escalation) return escalation;
  if (known?.proposal) return planProposed(context, act, known, known.proposal, tool);
  return propose(context, act, tool, known);
}

/** At a limit a person may also refuse the one call that met it: the agent learns why, and goes on. */
function refused(key: string, { opened, verdict, decided }: RequestState): Plan | null {
  if (opened.kind !== "escalation" || verdict?.kind !== "reject") return null;
  return append(denied(key, "person", verdict.why, decided?.by));
}

/** The start that belongs to the newest proposal: an action that is proposed again has not started as such. */
function startOf(known: Operation | undefined): EventOf<"action_started"> | null {
  if (!known?.start) return null;
  return known.proposal && known.proposal.seq > known.start.seq ? null : known.start;
}

function denyMissing(context: PlanContext, act: Act, known: Operation | undefined): Plan {
  const names = [...context.agent.tools.keys()].join(", ");
  const denial = denied(act.key, "validation", `there is no tool "${act.call.tool}"; tools: ${names}`);
  const request = known?.request;
  if (request?.status !== "open") return append(denial);
  return append(expired(request), denial);
}

/** Validation, then limits, then the gate: in this order nothing unvalidated is ever judged or shown. */
async function propose(
  context: PlanContext,
  act: Act,
  tool: Tool,
  known: Operation | undefined,
  whyAgain?: string,
): Promise<Plan> {
  const requested = act.call.args;
  const validation = await validateWithin(context.runtime.clock, context.signal)(tool.input, requested);
  if (!validation.ok) return deny(act.key, "validation", validation.why);
  if (hasSecret(context, validation.value)) return deny(act.key, "validation", secretInArgs);
  const digest = actionDigest({ tool: tool.name, toolVersion: tool.version, args: validation.value });
  const hit = limitAgainstAction(context.state, context.agent.limits, { tool: tool.name, digest });
  if (hit && !known?.proposal) return limitReached(context, act.key, hit, ["continue", "reject", "stop"]);
  const judged = judge(context, act.key, tool, validation.value);
  const proposal = proposalOf(act, tool, requested, validation.value, digest, judged);
  switch (proposal.gate.kind) {
    case "allow":
      return start(context, tool, proposal, {
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
  return start(context, tool, proposal, {
    before,
    counts,
    limits,
    earlier: known?.start,
  });
}

const secretInArgs = "the arguments hold a declared secret; let the tool take it from the environment";

/** I11. The log would hold other arguments than those that ran, and no digest would fit them. */
function hasSecret(context: PlanContext, args: Json): boolean {
  const cleaned = context.runtime.redact.value(args);
  return cleaned !== args && JSON.stringify(cleaned) !== JSON.stringify(args);
}

function proposalOf(
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

async function planProposed(
  context: PlanContext,
  act: Act,
  known: Operation,
  proposal: Proposal,
  tool: Tool,
): Promise<Plan> {
  const { request } = known;
  if (request?.opened.kind !== "approval") return propose(context, act, tool, known); // a fork may leave it so: judged again
  if (request.status === "open") return expireOrWait(context, request);
  if (request.status === "expired") return deny(act.key, "deadline", "nobody answered in time");
  const { verdict, decided } = request;
  if (!decided || request.used) return deny(act.key, "validation", "its approval was used before");
  switch (verdict?.kind) {
    case "approve":
      return startApproved(context, act, known, tool, proposal, { opened: request.opened, decided });
    case "edit":
      return startEdited(context, act, tool, proposal, {
        edited: verdict.args,
        earlier: known.start,
        opened: request.opened,
        decided,
      });
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
  readonly earlier: Operation["start"];
}

/** What changed since it was approved is validated, judged and asked for anew. */
async function startApproved(
  context: PlanContext,
  act: Act,
  known: Operation,
  tool: Tool,
  proposal: Proposal,
  request: DecidedRequest,
): Promise<Plan> {
  const requested = act.call.args;
  const { gate } = judge(context, act.key, tool, proposal.args);
  const changed = await changeSince(context, tool, { proposal, requested, gate, ...request });
  if (changed !== null) return propose(context, act, tool, known, changed);
  const counts = countsOfApproved(context, tool, proposal.args);
  return start(context, tool, proposal, { earlier: known.start, counts });
}

function currentDigest(tool: Tool, { args }: Proposal): string {
  return actionDigest({ tool: tool.name, toolVersion: tool.version, args });
}

/** The person who edits has seen exactly what will run, so an edit approves it, unless it is invalid or denied. */
async function startEdited(
  context: PlanContext,
  act: Act,
  tool: Tool,
  proposal: Proposal,
  { edited, earlier, opened, decided }: EditedRequest,
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
    policyChange(context.agent.gate, opened, decided) ?? othersApprove(context, changed, decided);
  if (stricter !== null) return again(stricter);
  return start(context, tool, changed, { before: [changed], earlier, counts: judged.counts });
}

/** Where a rule names approvers by the arguments, other arguments may be for others to approve. */
function othersApprove(
  context: PlanContext,
  changed: Proposal,
  { by, as }: EventOf<"request_decided">,
): string | null {
  const named = approversOf(context, changed);
  if (named.ok && (named.approvers === null || named.approvers.includes(as ?? ""))) return null;
  return `what ${by} made of it is for others to approve`;
}

interface Start {
  /** Appended with it, and before it. */
  readonly before?: readonly EventBody[];
  /** The start before this one, of an action that may run again or was changed since. */
  readonly earlier?: EventOf<"action_started"> | null | undefined;
  readonly counts?: readonly Count[];
  /** Checked where it is appended: the start of an action that goes beyond is refused, and planned again. */
  readonly limits?: readonly TallyLimit[];
}

/** The only place where an action starts. What counts towards a limit starts alone, after its count is durable. */
function start(
  context: PlanContext,
  tool: Tool,
  proposal: Proposal,
  { before = [], earlier, counts = [], limits = [] }: Start,
): Plan {
  const { key, digest, args } = proposal;
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

/** What a crash, or a tool that gave no answer, left behind. */
async function planStarted(
  context: PlanContext,
  act: Act,
  known: Operation,
  started: EventOf<"action_started">,
  tool: Tool | undefined,
): Promise<Plan> {
  const { key, proposal, request } = known;
  const doubt = (why: string): Plan => append(...doubtEvents(context, known, started, why));
  if (request?.reason === "in_doubt") return planSettled(context, key, started, request);
  if (!tool || !proposal) return doubt("the agent no longer has this tool");
  const mayRepeat = proposal.effect !== "once" && tool.effect !== "once";
  if (mayRepeat || context.verifiedAbsent.has(key)) {
    if (currentDigest(tool, proposal) !== started.digest)
      return propose(context, act, tool, known, versionChanged(tool, proposal));
    if (started.attempt >= maxStarts)
      return doubt(`it was started ${started.attempt} times, and no result was recorded`);
    return start(context, tool, proposal, { earlier: started }); // counted by its first start
  }
  if (!tool.verify) return doubt("it started, and no result was recorded");
  if (context.exclusiveRunning) return { kind: "later" };
  const run = { key, args: proposal.args, attempt: started.attempt, idempotencyKey: started.idempotencyKey };
  return {
    kind: "perform",
    intent: [],
    intentFirst: false,
    exclusive: true,
    effect: (signal) =>
      verifyAction(context, tool, run, signal, (why) => doubtEvents(context, known, started, why)),
  };
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

function deny(key: string, deniedBy: "validation" | "deadline", why: string): Plan {
  return append(denied(key, deniedBy, why));
}

function denied(
  key: string,
  deniedBy: EventOf<"action_denied">["deniedBy"],
  why: string,
  by?: string,
): EventBody {
  return event("action_denied", { key, deniedBy, why, ...(by === undefined ? {} : { by }) });
}
