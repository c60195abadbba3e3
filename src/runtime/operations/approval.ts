// The request for one action: who is asked, what it would do, where its arguments come from, and what of that still
// holds when it was approved.
import { isSamePrincipal, soundApprovers } from "../../core/approvers.ts";
import { argumentSources } from "../../core/argument-sources.ts";
import { actionDigest } from "../../core/digest.ts";
import { toErrorInfo } from "../../core/errors.ts";
import { type EventBody, type EventOf, event, type GateOutcome } from "../../core/events.ts";
import type { Gate, GatedAction } from "../../core/gate.ts";
import { type Json, toJson } from "../../core/json.ts";
import { copyByRef } from "../../core/thread-values.ts";
import type { Tool } from "../../core/tool.ts";
import { unawaited } from "../../core/unawaited.ts";
import { validateWithin } from "../validate-within.ts";
import { withTimeout } from "../with-timeout.ts";
import type { PlanContext } from "./plan.ts";
import { openRequest } from "./request.ts";

export type Proposal = Omit<EventOf<"action_proposed">, "seq" | "at">;

/** Asks for the approval of a held action; `again` says why, when it was decided before. */
export async function approvalEvent(
  context: PlanContext,
  tool: Tool,
  proposal: Proposal,
  again?: string,
): Promise<Extract<EventBody, { type: "request_opened" | "action_denied" }>> {
  const { key, toolVersion, args, digest, risk } = proposal;
  const named = approversOf(context, proposal);
  if (!named.ok) return event("action_denied", { key, deniedBy: "gate", why: named.why });
  const sources = argumentSources(context.state, context.artifacts, proposal);
  const preview = await previewOf(context, tool, args);
  return openRequest(context, key, {
    kind: "approval",
    question: `May agent ${context.agent.name} run ${proposal.tool}?`,
    choices: context.agent.gate.quorum > 1 ? ["approve", "reject"] : ["approve", "edit", "reject"],
    why: proposal.gate.kind === "allow" ? "it was held before" : proposal.gate.reason,
    ...(again === undefined ? {} : { again }),
    action: { tool: proposal.tool, toolVersion, args, digest, ...(risk === undefined ? {} : { risk }) },
    ...(preview === null ? {} : { preview }),
    ...(sources.length === 0 ? {} : { sources }),
    ...(isDecided(context, proposal) ? {} : { byCode: true }),
    ...(named.approvers === null ? {} : { approvers: named.approvers }),
  });
}

/** True for a call that a model made; others are the flow's own. */
function isDecided({ state }: PlanContext, { callId }: Proposal): boolean {
  return state.turns.some(
    ({ decision }) => decision.kind === "calls" && decision.calls.some((call) => call.callId === callId),
  );
}

type Named =
  /** `null`: those of the gate. */
  | { readonly ok: true; readonly approvers: readonly string[] | null }
  | { readonly ok: false; readonly why: string };

/**
 * Closed by default: where the rule names nobody that can be asked, nobody can approve, and nothing runs.
 *
 * @param at when its request was opened; by default that is now.
 */
export function approversOf({ agent, runtime }: PlanContext, proposal: Proposal, at?: string): Named {
  return namedBy(agent.gate, {
    agent: agent.name,
    tool: proposal.tool,
    args: proposal.args,
    risk: proposal.risk,
    effect: proposal.effect,
    at: at ?? new Date(runtime.clock.now()).toISOString(),
  });
}

/** The approvers of an action by the gate's rule. */
export function namedBy({ approverRule }: Gate, action: GatedAction): Named {
  if (approverRule === null) return { ok: true, approvers: null };
  try {
    const given = unawaited(approverRule({ ...action, args: structuredClone(action.args) }));
    const approvers = soundApprovers(given, "the rule for approvers");
    if (approvers.length > 0) return { ok: true, approvers };
    return { ok: false, why: "it is held, and the rule for approvers names nobody who could be asked" };
  } catch (error) {
    const { message } = toErrorInfo(error, "internal");
    return { ok: false, why: `it is held, and the rule for approvers failed: ${message}` };
  }
}

/**
 * Who may approve what a person made of an action, by whom the rule names before and after. Where these are the same,
 * whoever may decide the request may do so: also those who were asked later (`null`).
 */
export function approversOfEdit(before: Named, after: Named): Named {
  if (!before.ok || !after.ok || before.approvers === null || after.approvers === null) return after;
  const [old, now] = [new Set(before.approvers), new Set(after.approvers)];
  return old.size === now.size && [...old].every((entry) => now.has(entry))
    ? { ok: true, approvers: null }
    : after;
}

/** How long a tool may take to say what it would do. */
const previewTimeoutMs = 5_000;
const previewCharacters = 1_000;

type Preview = NonNullable<EventOf<"request_opened">["preview"]>;

/** `null` when the tool offers none. A preview that fails keeps nobody from deciding. @throws when the turn is to stop. */
async function previewOf(context: PlanContext, tool: Tool, args: Json): Promise<Preview | null> {
  const { preview } = tool;
  if (!preview) return null;
  const { runtime, signal, threadId, state, artifacts } = context;
  const ended = await withTimeout(runtime.clock, previewTimeoutMs, signal, (inner) =>
    preview(structuredClone(args), {
      threadId,
      signal: inner,
      // The cast is the caller's word for what it asks for.
      artifact: async <T>(ref: string) => copyByRef(state, artifacts, ref) as T,
    }),
  );
  switch (ended.kind) {
    case "returned":
      return shownPreview(context, ended.value);
    case "threw":
      return failedPreview(context, toErrorInfo(ended.error, "tool_failed").message);
    case "timeout":
      return failedPreview(context, `no answer within ${previewTimeoutMs} ms`);
    case "aborted":
      throw signal.reason;
    default:
      return ended satisfies never;
  }
}

function shownPreview(context: PlanContext, value: unknown): Preview {
  if (value === undefined || value === null) return failedPreview(context, "it gave nothing");
  try {
    const json = context.runtime.redact.value(toJson(value));
    return { text: cut(typeof json === "string" ? json : JSON.stringify(json, null, 2)) };
  } catch (error) {
    return failedPreview(context, toErrorInfo(error, "not_json").message);
  }
}

/** Redacted before it is cut, since half a secret is one too. */
function failedPreview({ runtime }: PlanContext, why: string): Preview {
  return { failed: cut(runtime.redact.value(why)) };
}

function cut(text: string): string {
  if (text.length <= previewCharacters) return text;
  return `${text.slice(0, previewCharacters - 1).toWellFormed()}…`;
}

interface Approved {
  readonly proposal: Proposal;
  readonly opened: EventOf<"request_opened">;
  readonly decided: EventOf<"request_decided">;
  /** The arguments as asked for, before validation. */
  readonly requested: Json;
  /** What the gate says of the action now. */
  readonly gate: GateOutcome;
}

/** What an approval was based on and is otherwise now, between the approval and the start; `null` when nothing is. */
export async function changeSince(
  context: PlanContext,
  tool: Tool,
  { proposal, opened, decided, requested, gate }: Approved,
): Promise<string | null> {
  if (digestOf(tool, proposal.args) !== opened.action?.digest) return versionChanged(tool, proposal);
  if (!(await stillValid(context, tool, proposal, requested)))
    return `the schema of ${tool.name} has changed, and makes something else of the arguments that were approved`;
  if (gate.kind === "deny") return `the gate denies it by now: ${gate.reason}`;
  return stricterNow(context, { proposal, opened, decided, gate });
}

/** What the gate asks for by now, and did not when it was approved; `null` for nothing more. */
export function stricterNow(
  context: PlanContext,
  { gate, ...approved }: Omit<Approved, "requested">,
): string | null {
  if (gate.kind === "hold" && !isSameReason(gate, approved.proposal.gate))
    return `it is held for another reason by now: ${gate.reason}`;
  return policyChange(context, approved);
}

export function versionChanged(tool: Tool, proposal: Proposal): string {
  return `${tool.name} is now version ${tool.version}; what was approved was version ${proposal.toolVersion}`;
}

function digestOf(tool: Tool, args: Json): string {
  return actionDigest({ tool: tool.name, toolVersion: tool.version, args });
}

/** Its own output, or what was asked for, must give what was approved: schemas may fill in, or transform. */
async function stillValid(
  context: PlanContext,
  tool: Tool,
  proposal: Proposal,
  requested: Json,
): Promise<boolean> {
  const validate = validateWithin(context.runtime.clock, context.signal);
  for (const args of [proposal.args, requested]) {
    const validation = await validate(tool.input, args);
    if (validation.ok && digestOf(tool, validation.value) === proposal.digest) return true;
  }
  return false;
}

/** Numbers in a reason (sums, times) move on; that is no other reason. */
function isSameReason(now: Extract<GateOutcome, { kind: "hold" }>, before: GateOutcome): boolean {
  const withoutNumbers = (text: string): string => text.replaceAll(/\d+/g, "#");
  return before.kind === "hold" && withoutNumbers(now.reason) === withoutNumbers(before.reason);
}

/** Who approved, and is none of the approvers any more; `null` for nobody. */
function noneByNow(
  approvers: readonly string[],
  { escalate }: Gate,
  decided: EventOf<"request_decided">,
): string | null {
  if (approvers.length === 0) return null;
  const named = new Set([...approvers, ...escalate.flatMap(({ to }) => to)]);
  const votes = [...(decided.deciders?.votes ?? []), decided];
  return votes.find(({ as }) => as !== undefined && !named.has(as))?.by ?? null;
}

/**
 * A policy that has become stricter than the one under which a request was decided. A rule is asked as it was then, also
 * of the time: that it names others at another hour is no change of policy.
 */
export function policyChange(
  context: PlanContext,
  { proposal, opened, decided }: Pick<Approved, "proposal" | "opened" | "decided">,
): string | null {
  const { gate } = context.agent;
  if (gate.quorum > (opened.quorum ?? 1)) return `it takes ${gate.quorum} approvals by now`;
  if (gate.approverRule !== null && opened.approvers.length === 0)
    return "a rule names its approvers by now, and anybody could approve it before";
  const isNarrower =
    gate.approvers.length > 0 &&
    (opened.approvers.length === 0 || opened.approvers.some((entry) => !gate.approvers.includes(entry)));
  if (isNarrower) return `its approvers are ${gate.approvers.join(", ")} by now`;
  const named = approversOf(context, proposal, opened.at);
  if (!named.ok) return named.why;
  const approvers = named.approvers ?? gate.approvers;
  const none = noneByNow(approvers, gate, decided);
  if (none !== null) return `${none} is no approver by now`;
  const mayNow = gate.requesterMayDecide ?? approvers.length === 0;
  const voters = decided.voters ?? [decided.by];
  if (!mayNow && opened.requesters?.some((requester) => voters.some((by) => isSamePrincipal(by, requester))))
    return "who started the thread may not decide it by now";
  return null;
}
