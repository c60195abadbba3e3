// I6. Verdicts of people on requests. Who may decide is checked on what the append is conditional on, so that nobody
// decides by a policy, or with votes, that were there before.
import type { Agent } from "../core/agent.ts";
import { assertApprover, entryOf, isSamePrincipal, type Principal } from "../core/approvers.ts";
import { assertReason } from "../core/assert-reason.ts";
import { actionDigest } from "../core/digest.ts";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { type EventBody, type EventOf, event, type Verdict, type Vote } from "../core/events.ts";
import type { GatedAction } from "../core/gate.ts";
import { canonicalJson, deepFreeze, type Json, toJson } from "../core/json.ts";
import type { RequestRow } from "../ports/store.ts";
import { lookAtAnswers } from "./answer-schema.ts";
import { toolNamed } from "./built-in-tools.ts";
import { assertPerson, commit } from "./change-thread.ts";
import { approversOfEdit, namedBy } from "./operations/approval.ts";
import { outcomeOf } from "./operations/judge.ts";
import { holdsSecret } from "./redact.ts";
import { agentNamed, type Runtime } from "./runtime.ts";
import { requestRow } from "./thread-report.ts";
import { validateWithin } from "./validate-within.ts";

const never = new AbortController().signal;

export interface DecideRequest {
  readonly verdict: Verdict;
  /** The principal. An agent is none. */
  readonly by: string;
  /** What whoever authenticated the principal knows of it, without `role:`. They are not recorded, only the one that counted. */
  readonly roles?: readonly string[];
  readonly via: string;
  /** Ends the wait for the schema of edited arguments. */
  readonly signal?: AbortSignal;
}

/** The verdict that stands, and whether this call gave it. A request that needs more approvals has none yet. */
export interface Decided {
  readonly request: RequestRow;
  readonly first: boolean;
}

/**
 * I6. Gives a request its one final verdict. The same verdict again returns the stored one. Of a request that needs
 * several approvals each principal gives one, and the last one decides it; any rejection decides at once.
 *
 * @throws `request_not_found`; `not_an_approver`, naming who may decide; `request_already_decided`, naming who and when; `verdict_invalid` for a verdict that the
 *   request does not take, a blank reason, an edit or an answer that does not validate, or a request past its deadline.
 */
export async function decideRequest(
  runtime: Runtime,
  requestId: string,
  { signal = never, roles = [], ...given }: DecideRequest,
): Promise<Decided> {
  const { by, verdict } = given;
  const principal = { id: by, roles };
  assertPerson(by);
  assertReason(verdict);
  for (;;) {
    const row = await requestRow(runtime.store, requestId); // with the `seq` of its thread at which it is as given
    if (sameVerdict(runtime, row, verdict)) return { request: row, first: false };
    if (row.verdict === null) assertApprover(row.opened, row.approvers, principal);
    const { digest, approvers = row.approvers } = await checked(runtime, row, verdict, principal, signal);
    assertOpen(runtime, row);
    if (verdict.kind === "approve" && row.votes.some((vote) => isSamePrincipal(vote.by, by)))
      return { request: row, first: false };
    const body = verdictEvent(row, given, entryOf(approvers, principal), digest);
    try {
      const [stored] = await commit(runtime, row.threadId, row.headSeq, [body], []);
      if (stored?.type === "request_decided") return { request: decidedRow(row, stored), first: true };
      return { request: await requestRow(runtime.store, requestId), first: true };
    } catch (error) {
      if (!isHoldpointError(error, "append_conflict")) throw error; // someone else went on: look again
    }
  }
}

/** The row as the store has it from here on: what closed it is known, and need not be read back. */
function decidedRow(row: RequestRow, decision: EventOf<"request_decided">): RequestRow {
  const { deciders, verdict, by, via, seq, at } = decision;
  const { approvers, votes } = deciders ?? { approvers: row.opened.approvers, votes: [] };
  const closed = { status: "decided", dueAt: null, verdict, by, via, decidedAt: at } as const;
  return { ...row, headSeq: seq, approvers, votes, ...closed };
}

/** A vote, or the verdict: the approval that is one too few does not decide. */
function verdictEvent(
  { requestId, opened, approvers, votes }: RequestRow,
  { verdict, by, via }: Pick<DecideRequest, "verdict" | "by" | "via">,
  entry: string | null,
  digest: string | undefined,
): EventBody {
  const vote: Vote = { by, via, ...(entry === null ? {} : { as: entry }) };
  const body = { requestId, key: opened.key, ...vote, ...(digest === undefined ? {} : { digest }) };
  const { quorum = 1 } = opened;
  const isApproval = verdict.kind === "approve";
  const deciders = { approvers, votes: isApproval && quorum > 1 ? [...votes, vote] : votes };
  if (isApproval && deciders.votes.length < quorum && quorum > 1)
    return event("request_voted", { ...body, verdict, deciders });
  const isAsOpened = deciders.votes.length === 0 && approvers.length === opened.approvers.length;
  return event("request_decided", {
    ...body,
    verdict,
    ...(isApproval && quorum > 1 ? { voters: deciders.votes.map((one) => one.by) } : {}),
    ...(isAsOpened ? {} : { deciders }),
  });
}

function sameVerdict(runtime: Runtime, row: RequestRow, verdict: Verdict): boolean {
  return (
    row.verdict !== null &&
    canonicalJson(toJson(decision(row.verdict))) ===
      canonicalJson(toJson(decision(runtime.redact.value(verdict))))
  );
}

/** Without the words beside it, where these are nothing that the agent is told. */
function decision(verdict: Verdict): Verdict {
  const { kind } = verdict;
  if (kind !== "approve" && kind !== "edit" && kind !== "continue" && kind !== "stop") return verdict;
  const { why, ...decided } = verdict;
  return decided;
}

/** I5. A request that shows other arguments than the ones it is about approves nothing. */
function assertAsShown({ opened: { action }, requestId, threadId }: RequestRow): void {
  if (!action || actionDigest(action) === action.digest) return;
  throw new HoldpointError(
    "store_corrupt",
    `request ${requestId} of thread ${threadId} shows arguments that its digest ${action.digest} is not of: the log was changed`,
    {
      fix: `Nothing was decided. \`holdpoint verify ${threadId}\` says what is damaged; reject it, or fork the thread before it.`,
    },
  );
}

function assertOpen(
  runtime: Runtime,
  { requestId, status, opened, verdict, by, via, decidedAt }: RequestRow,
): void {
  if (verdict) {
    throw new HoldpointError(
      "request_already_decided",
      `request ${requestId} was decided by ${by} at ${decidedAt} via ${via}: ${verdict.kind}`,
      {
        fix: "That verdict is final. Start or fork a thread to go another way.",
      },
    );
  }
  if (status === "withdrawn")
    throw new HoldpointError(
      "request_already_decided",
      `request ${requestId} was withdrawn: its thread has ended`,
    );
  const late = opened.expiresAt !== null && Date.parse(opened.expiresAt) <= runtime.clock.now();
  if (!late && status === "open") return;
  throw new HoldpointError(
    "request_already_decided",
    `request ${requestId} expired at ${opened.expiresAt}; no answer in time is a rejection`,
  );
}

interface Checked {
  /** I5. Of what an approval approves. */
  readonly digest?: string | undefined;
  /** Who may approve what an edit made of the action, where that depends on the arguments. */
  readonly approvers?: readonly string[];
}

/** Checks that a verdict fits its request. */
async function checked(
  runtime: Runtime,
  row: RequestRow,
  verdict: Verdict,
  principal: Principal,
  signal: AbortSignal,
): Promise<Checked> {
  const { opened } = row;
  if (!opened.choices.includes(verdict.kind)) {
    throw new HoldpointError(
      "verdict_invalid",
      `request ${row.requestId} takes ${opened.choices.join(", ")}; not ${verdict.kind}`,
    );
  }
  if (verdict.kind === "approve" || verdict.kind === "edit") assertAsShown(row);
  if (verdict.kind === "approve") return { digest: opened.action?.digest };
  if (verdict.kind === "answer") assertAnswer(row, verdict.value);
  return verdict.kind === "edit" ? checkedEdit(runtime, row, verdict.args, principal, signal) : {};
}

async function checkedEdit(
  runtime: Runtime,
  row: RequestRow,
  args: Json,
  principal: Principal,
  signal: AbortSignal,
): Promise<Checked> {
  const agent = agentNamed(runtime, row.agent);
  const tool = toolNamed(agent, row.opened.action?.tool ?? "");
  if (!tool)
    throw new HoldpointError(
      "verdict_invalid",
      `agent ${row.agent} has no tool ${row.opened.action?.tool} to check the edit with`,
    );
  if (holdsSecret(runtime.redact, args))
    throw new HoldpointError(
      "verdict_invalid",
      `the edited arguments of ${tool.name} hold a declared secret`,
    );
  const result = await validateWithin(runtime.clock, signal)(tool.input, args);
  if (!result.ok)
    throw new HoldpointError(
      "verdict_invalid",
      `the edited arguments of ${tool.name} are not valid: ${result.why}`,
    );
  const { name, risk, effect } = tool;
  const at = new Date(runtime.clock.now()).toISOString();
  const frozen = deepFreeze(structuredClone(result.value)); // the digest is of what runs, whatever a rule does
  const action = { agent: agent.name, tool: name, args: frozen, risk, effect, at };
  const outcome = outcomeOf(agent.gate, action); // told while they can choose otherwise; the start judges again
  if (outcome.kind === "deny")
    throw new HoldpointError("verdict_invalid", `the gate denies the edited ${name}: ${outcome.reason}`, {
      fix: "Edit it otherwise, approve it as it was asked for, or reject it. The request is open still.",
    });
  const approvers = approversNow(row, agent, action, principal);
  const digest = actionDigest({ tool: name, toolVersion: tool.version, args: result.value });
  return { digest, ...(approvers === null ? {} : { approvers }) };
}

/** Who may approve what they make of the action, where it is not whoever may decide the request. The rule is asked as when that was opened. */
function approversNow(
  { opened, requestId }: RequestRow,
  { gate }: Agent,
  edited: GatedAction,
  principal: Principal,
): readonly string[] | null {
  const { args = null, risk } = opened.action ?? {};
  const then = { ...edited, at: opened.at };
  const named = approversOfEdit(namedBy(gate, { ...then, args, risk }), namedBy(gate, then));
  if (!named.ok) throw new HoldpointError("verdict_invalid", `the edited ${edited.tool}: ${named.why}`);
  const { approvers } = named;
  if (approvers === null || entryOf(approvers, principal) !== null) return approvers;
  throw new HoldpointError(
    "not_an_approver",
    `${principal.id} may decide request ${requestId}, but not approve what the edit makes of it: that is for ${approvers.join(", ")}`,
    { fix: "Ask one of them to make the edit, or approve or reject the action as it was asked for." },
  );
}

function assertAnswer({ requestId, opened }: RequestRow, value: Json): void {
  const why = lookAtAnswers(opened.answerSchema)?.(value) ?? null;
  if (why !== null)
    throw new HoldpointError("verdict_invalid", `the answer to ${requestId} is not valid: ${why}`);
}
