// I6. Verdicts of people on requests.
import { z } from "zod";
import { actionDigest } from "../core/digest.ts";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { event, type Verdict } from "../core/events.ts";
import { canonicalJson, type Json, toJson } from "../core/json.ts";
import type { RequestRow } from "../ports/store.ts";
import { toolNamed } from "./built-in-tools.ts";
import { assertPerson, commit } from "./change-thread.ts";
import { agentNamed, type Runtime } from "./runtime.ts";
import { validateWithin } from "./validate-within.ts";

const never = new AbortController().signal;

export interface DecideRequest {
  readonly verdict: Verdict;
  /** The principal. An agent is none. */
  readonly by: string;
  /** The principal's roles, without the prefix `role:`, as whoever authenticated it knows them. */
  readonly roles?: readonly string[];
  readonly via: string;
  /** Ends the wait for the schema of edited arguments. */
  readonly signal?: AbortSignal;
}

/** The verdict that stands, and whether this call gave it. */
export interface Decided {
  readonly request: RequestRow;
  readonly first: boolean;
}

/**
 * I6. Gives a request its one final verdict. The same verdict again returns the stored one.
 *
 * @throws `request_not_found`; `request_already_decided`, naming who and when; `verdict_invalid` for a verdict that the
 *   request does not take, an edit or an answer that does not validate, or a request past its deadline.
 */
export async function decideRequest(
  runtime: Runtime,
  requestId: string,
  { signal = never, roles: _, ...options }: DecideRequest,
): Promise<Decided> {
  assertPerson(options.by);
  for (;;) {
    const { row, headSeq } = await requestAt(runtime, requestId);
    if (sameVerdict(runtime, row, options.verdict)) return { request: row, first: false };
    const digest = await digestOf(runtime, row, options.verdict, signal);
    assertOpen(runtime, row);
    const body = event("request_decided", {
      requestId,
      key: row.opened.key,
      ...options,
      ...(digest === undefined ? {} : { digest }),
    });
    try {
      await commit(runtime, row.threadId, headSeq, [body], []);
      return { request: (await requestAt(runtime, requestId)).row, first: true };
    } catch (error) {
      if (!isHoldpointError(error, "append_conflict")) throw error; // someone else went on: look again
    }
  }
}

/**
 * A request and a `seq` of its thread at which it was as given: the thread is read first, so whatever happens to the
 * request after that makes an append at this `seq` fail.
 */
async function requestAt(
  runtime: Runtime,
  requestId: string,
): Promise<{ readonly row: RequestRow; readonly headSeq: number }> {
  const threadId = (await runtime.store.requests({ requestId })).rows[0]?.threadId;
  const thread = threadId === undefined ? undefined : (await runtime.store.threads({ threadId })).rows[0];
  const row = (await runtime.store.requests({ requestId })).rows[0];
  if (thread && row) return { row, headSeq: thread.headSeq };
  throw new HoldpointError("request_not_found", `there is no request ${requestId}`, {
    fix: "`holdpoint inbox` lists the open ones.",
  });
}

function sameVerdict(runtime: Runtime, row: RequestRow, verdict: Verdict): boolean {
  return (
    row.verdict !== null &&
    canonicalJson(toJson(row.verdict)) === canonicalJson(toJson(runtime.redact.value(verdict)))
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

/** Checks that a verdict fits its request, and gives the digest of what an approval approves (I5). */
async function digestOf(
  runtime: Runtime,
  row: RequestRow,
  verdict: Verdict,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { opened } = row;
  if (!opened.choices.includes(verdict.kind)) {
    throw new HoldpointError(
      "verdict_invalid",
      `request ${row.requestId} takes ${opened.choices.join(", ")}; not ${verdict.kind}`,
    );
  }
  if (verdict.kind === "approve") return opened.action?.digest;
  if (verdict.kind === "answer") assertAnswer(row, verdict.value);
  return verdict.kind === "edit" ? digestOfEdit(runtime, row, verdict.args, signal) : undefined;
}

async function digestOfEdit(
  runtime: Runtime,
  row: RequestRow,
  args: Json,
  signal: AbortSignal,
): Promise<string> {
  const tool = toolNamed(agentNamed(runtime, row.agent), row.opened.action?.tool ?? "");
  if (!tool)
    throw new HoldpointError(
      "verdict_invalid",
      `agent ${row.agent} has no tool ${row.opened.action?.tool} to check the edit with`,
    );
  if (
    runtime.redact.value(args) !== args &&
    JSON.stringify(runtime.redact.value(args)) !== JSON.stringify(args)
  )
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
  return actionDigest({ tool: tool.name, toolVersion: tool.version, args: result.value });
}

function assertAnswer(row: RequestRow, value: Json): void {
  const { answerSchema } = row.opened;
  if (answerSchema === undefined) return;
  // A JSON Schema that a Standard Schema library wrote; zod reads what libraries write.
  const result = z.fromJSONSchema(answerSchema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value);
  if (result.success) return;
  const why = result.error.issues
    .map((issue) => `${issue.path.join(".")} ${issue.message}`.trim())
    .join("; ");
  throw new HoldpointError("verdict_invalid", `the answer to ${row.requestId} is not valid: ${why}`);
}
