// What people and programs do to threads from outside a turn. Each is one append that names the `seq` it has seen;
// whoever loses a race reads again and decides again (I1), so two deliveries of one command leave one event.
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Agent } from "../core/agent.ts";
import { actionDigest, sha256 } from "../core/digest.ts";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { type EventBody, event, type ThreadEvent, type Verdict } from "../core/events.ts";
import { canonicalJson, type Json, toJson } from "../core/json.ts";
import { validate } from "../core/schema.ts";
import { evolve, initialState, type RequestState, type ThreadState } from "../core/state.ts";
import type { RequestRow } from "../ports/store.ts";
import { agentNamed, type Runtime } from "./runtime.ts";
import { type ArtifactText, toStored } from "./stored.ts";

export interface StartOptions {
  /** The principal who starts it. */
  readonly by: string;
  /** Starting twice with one key starts once. */
  readonly key?: string;
  readonly threadId?: string;
  readonly parent?: { readonly threadId: string; readonly key: string };
}

export interface Started {
  readonly threadId: string;
  /** False when a thread with this key was there before. */
  readonly created: boolean;
}

/** Starts a thread of an agent that this process knows. @throws `agent_not_found`; `invalid_input`; `not_json`. */
export async function startThread(
  runtime: Runtime,
  agentName: string,
  input: unknown,
  options: StartOptions,
): Promise<Started> {
  const agent = agentNamed(runtime, agentName);
  const { stored, artifacts } = toStored(runtime, await validInput(agent, input));
  const threadId = options.threadId ?? threadIdFor(agentName, options.key);
  const body = event("thread_started", {
    threadId,
    agent: agent.name,
    agentVersion: agent.version,
    input: stored,
    by: options.by,
    ...(options.parent ? { parent: options.parent } : {}),
  });
  try {
    await commit(runtime, threadId, 0, [body], artifacts);
  } catch (error) {
    if (isHoldpointError(error, "append_conflict")) return { threadId, created: false };
    throw error;
  }
  return { threadId, created: true };
}

async function validInput(agent: Agent, input: unknown): Promise<unknown> {
  if (!agent.input) return input;
  const result = await validate(agent.input, input);
  if (result.ok) return result.value;
  throw new HoldpointError("invalid_input", `the input is not valid for agent ${agent.name}: ${result.why}`, {
    fix: "Give input that fits the agent's input schema.",
  });
}

function threadIdFor(agentName: string, key: string | undefined): string {
  return `th_${key === undefined ? randomBytes(8).toString("hex") : sha256(JSON.stringify([agentName, key])).slice(0, 16)}`;
}

export interface DecideRequest {
  readonly verdict: Verdict;
  /** The principal. An agent is none. */
  readonly by: string;
  readonly via: string;
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
  options: DecideRequest,
): Promise<Decided> {
  assertPerson(options.by);
  for (;;) {
    const { row, headSeq } = await requestAt(runtime, requestId);
    if (sameVerdict(runtime, row, options.verdict)) return { request: row, first: false };
    const digest = await digestOf(runtime, row, options.verdict);
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

function assertPerson(by: string): void {
  if (!by.startsWith("thread:") && !by.startsWith("agent:")) return;
  throw new HoldpointError("verdict_invalid", `${by} is no person; an agent cannot decide a request`);
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
async function digestOf(runtime: Runtime, row: RequestRow, verdict: Verdict): Promise<string | undefined> {
  const { opened } = row;
  if (!opened.choices.includes(verdict.kind)) {
    throw new HoldpointError(
      "verdict_invalid",
      `request ${row.requestId} takes ${opened.choices.join(", ")}; not ${verdict.kind}`,
    );
  }
  if (verdict.kind === "approve") return opened.action?.digest;
  if (verdict.kind === "answer") assertAnswer(row, verdict.value);
  return verdict.kind === "edit" ? digestOfEdit(runtime, row, verdict.args) : undefined;
}

async function digestOfEdit(runtime: Runtime, row: RequestRow, args: Json): Promise<string> {
  const tool = agentNamed(runtime, row.agent).tools.get(row.opened.action?.tool ?? "");
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
  const result = await validate(tool.input, args);
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

export interface Signal {
  readonly signal: string;
  readonly value: Json;
  readonly by: string;
  /** The same id twice is one signal. Default: a new one. */
  readonly signalId?: string;
}

/** Sends a signal to a thread. @throws `thread_not_found`; `thread_ended`. */
export async function sendSignal(runtime: Runtime, threadId: string, signal: Signal): Promise<void> {
  const value = toJson(signal.value);
  toStored(runtime, value); // refuses what is too large
  const signalId = signal.signalId ?? `sg_${randomBytes(8).toString("hex")}`;
  await change(runtime, threadId, (state) => {
    const known = state.signals.get(signal.signal)?.some((received) => received.signalId === signalId);
    if (known) return [];
    assertOpenThread(state, threadId);
    return [event("signal_received", { signalId, signal: signal.signal, value, by: signal.by })];
  });
}

/** Cancels a thread and the children it waits for. Effects under way are told to stop; their outcome is still recorded. */
export async function cancelThread(
  runtime: Runtime,
  threadId: string,
  options: { readonly by: string; readonly why: string },
): Promise<void> {
  let state = initialState();
  await change(runtime, threadId, (current) => {
    state = current;
    if (current.end?.type === "thread_cancelled") return [];
    assertOpenThread(current, threadId);
    return [...doubts(current), event("thread_cancelled", options)];
  });
  await cancelChildren(runtime, state, options);
}

/** I4. What had started when a thread is cancelled is in doubt, until its worker, or a person, says how it ended. */
function doubts(state: ThreadState): readonly EventBody[] {
  const why = "the thread was cancelled while it may have been running";
  return [...state.operations.values()].flatMap(({ key, start, settled, inDoubt }) =>
    start && !settled && !inDoubt ? [event("action_in_doubt", { key, attempt: start.attempt, why })] : [],
  );
}

/**
 * Records what became of an action that was in doubt when its thread ended. While a thread is open its request is
 * answered instead.
 *
 * @throws `operation_not_found`; `verdict_invalid` for a thread that is open; `request_already_decided`.
 */
export async function settleAction(
  runtime: Runtime,
  threadId: string,
  key: string,
  settlement: { readonly verdict: Extract<Verdict, { kind: "done" | "not_done" }>; readonly by: string },
): Promise<void> {
  const { verdict, by } = settlement;
  assertPerson(by);
  await change(runtime, threadId, (state) => {
    const action = state.operations.get(key);
    if (!action?.start)
      throw new HoldpointError("operation_not_found", `thread ${threadId} has started no action ${key}`);
    if (!state.end)
      throw new HoldpointError("verdict_invalid", `thread ${threadId} is open`, {
        fix: "Answer its request: `holdpoint inbox`.",
      });
    if (action.settled)
      throw new HoldpointError(
        "request_already_decided",
        `${key} of thread ${threadId} is settled by event ${action.settled.seq}`,
      );
    const ended = { key, attempt: action.start.attempt, durationMs: 0, settledBy: by };
    if (verdict.kind === "done")
      return [event("action_completed", { ...ended, result: { value: verdict.value } })];
    const error = { code: "did_not_happen", message: `it did not happen: ${verdict.why}` };
    return [event("action_failed", { ...ended, error })];
  });
}

/** Cancels the children that a thread has started and that have not ended: nobody waits for them any more. */
export async function cancelChildren(
  runtime: Runtime,
  state: ThreadState,
  options = { by: `thread:${state.started?.threadId}`, why: "its parent has ended" },
): Promise<void> {
  for (const { child, settled } of state.operations.values()) {
    if (child && !settled) await cancelChild(runtime, child.childId, options);
  }
}

async function cancelChild(
  runtime: Runtime,
  childId: string,
  options: { readonly by: string; readonly why: string },
): Promise<void> {
  try {
    await cancelThread(runtime, childId, options);
  } catch (error) {
    if (!isHoldpointError(error, "thread_not_found", "thread_ended")) throw error;
  }
}

/**
 * Says that a recorded operation which the flow no longer makes needs no counterpart (`flow_changed`), and lets the
 * thread go on. @throws `operation_not_found`; `thread_ended`.
 */
export async function handleOperation(
  runtime: Runtime,
  threadId: string,
  key: string,
  options: { readonly by: string; readonly why: string },
): Promise<void> {
  assertPerson(options.by);
  await change(runtime, threadId, (state) => {
    assertOpenThread(state, threadId);
    const operation = state.operations.get(key);
    if (!operation)
      throw new HoldpointError("operation_not_found", `thread ${threadId} has no operation ${key}`);
    return [
      ...(state.handled.has(key) ? [] : [event("operation_handled", { key, ...options })]),
      ...closed(operation.request),
      ...continued(runtime, state.flowRequest, options),
    ];
  });
}

/** Nobody needs to answer for an operation that is handled. */
function closed(request: RequestState | null): readonly EventBody[] {
  if (request?.status !== "open") return [];
  return [event("request_expired", { requestId: request.opened.requestId, key: request.opened.key })];
}

/** The open question about the changed flow is answered by handling what it is about; not after its deadline (I6). */
function continued(
  runtime: Runtime,
  asked: RequestState | null,
  options: { readonly by: string; readonly why: string },
): readonly EventBody[] {
  if (asked?.status !== "open" || asked.reason !== "flow_changed") return [];
  const { requestId, key, expiresAt } = asked.opened;
  if (expiresAt !== null && Date.parse(expiresAt) <= runtime.clock.now()) {
    throw new HoldpointError(
      "request_already_decided",
      `request ${requestId} expired at ${expiresAt}; no answer in time is a rejection`,
    );
  }
  const verdict = { kind: "continue", why: options.why } as const;
  return [event("request_decided", { requestId, key, verdict, by: options.by, via: "resolve" })];
}

/**
 * Starts a thread with the first `at` events of another. Approvals that were not used up by then are asked for again,
 * since one approval starts one action (I5).
 *
 * @throws `thread_not_found`; `usage` when the thread has no such event.
 */
export async function forkThread(
  runtime: Runtime,
  threadId: string,
  options: { readonly at: number; readonly by: string },
): Promise<string> {
  const events = await runtime.store.read(threadId);
  if (events.length === 0) throw threadNotFound(threadId);
  if (!Number.isInteger(options.at) || options.at < 1 || options.at > events.length) {
    throw new HoldpointError(
      "usage",
      `thread ${threadId} has events 1 to ${events.length}; ${options.at} is none of them`,
    );
  }
  assertNothingStarted(events.slice(0, options.at), threadId);
  const forkId = threadIdFor("", undefined);
  const bodies = forkedEvents(runtime, events.slice(0, options.at), { threadId, forkId, ...options });
  await runtime.store.append({
    threadId: forkId,
    expectedSeq: 0,
    events: bodies.map((body) => ({ body, at: now(runtime) })),
  });
  await runtime.dispatcher.send(forkId, { id: "started" });
  return forkId;
}

/** I5. A fork in the middle of an action would run it a second time under the same approval. */
function assertNothingStarted(events: readonly ThreadEvent[], threadId: string): void {
  const state = events.reduce(evolve, initialState());
  for (const { key, start, settled } of state.operations.values()) {
    if (!start || settled) continue;
    throw new HoldpointError(
      "usage",
      `at event ${events.length} of thread ${threadId}, ${key} has started and not ended`,
      {
        fix: `Fork before event ${start.seq}, or after its end.`,
      },
    );
  }
}

function forkedEvents(
  runtime: Runtime,
  events: readonly ThreadEvent[],
  fork: { readonly threadId: string; readonly forkId: string; readonly at: number; readonly by: string },
): readonly EventBody[] {
  const state = events.reduce(evolve, initialState());
  const requestId = (old: string): string => `r_${sha256(`${fork.forkId} ${old}`).slice(0, 12)}`;
  const isUnused = (id: string): boolean => {
    const request = state.requests.get(id);
    const hasEnded = Boolean(state.operations.get(request?.opened.key ?? "")?.settled);
    return request?.opened.kind === "approval" && request.status === "decided" && !request.used && !hasEnded;
  };
  return events.flatMap((copied): EventBody[] => {
    const { seq: _seq, at: _at, ...body } = copied;
    switch (body.type) {
      case "thread_started": {
        const { parent: _parent, ...rest } = body;
        return [
          {
            ...rest,
            threadId: fork.forkId,
            by: fork.by,
            forkedFrom: { threadId: fork.threadId, seq: fork.at },
          },
        ];
      }
      case "request_opened": {
        const isOpen = isUnused(body.requestId) || state.requests.get(body.requestId)?.status === "open";
        const expiresAt = isOpen ? renewed(runtime, body.expiresAt, copied.at) : body.expiresAt;
        return [{ ...body, requestId: requestId(body.requestId), expiresAt }];
      }
      case "request_expired":
        return [{ ...body, requestId: requestId(body.requestId) }];
      case "request_decided": {
        return isUnused(body.requestId) ? [] : [{ ...body, requestId: requestId(body.requestId) }];
      }
      case "child_started":
        return state.operations.get(body.key)?.settled ? [body] : []; // the fork starts a child of its own
      case "thread_completed":
      case "thread_failed":
      case "thread_cancelled":
        return []; // the fork goes on from before the end
      default:
        return [body as EventBody]; // the destructuring loses which member of the union it is
    }
  });
}

/** A deadline as far from now as it was from when it was set. */
function renewed(runtime: Runtime, expiresAt: string | null, openedAt: string): string | null {
  if (expiresAt === null) return null;
  return new Date(runtime.clock.now() + Date.parse(expiresAt) - Date.parse(openedAt)).toISOString();
}

/** Loads, decides and appends until nobody came between. `decide` returning no events leaves everything as it is. */
async function change(
  runtime: Runtime,
  threadId: string,
  decide: (state: ThreadState) => readonly EventBody[],
): Promise<void> {
  for (;;) {
    const events = await runtime.store.read(threadId);
    if (events.length === 0) throw threadNotFound(threadId);
    const bodies = decide(events.reduce(evolve, initialState()));
    try {
      if (bodies.length > 0) await commit(runtime, threadId, events.length, bodies, []);
      return;
    } catch (error) {
      if (!isHoldpointError(error, "append_conflict")) throw error; // someone else went on: bounded by their progress
    }
  }
}

async function commit(
  runtime: Runtime,
  threadId: string,
  expectedSeq: number,
  bodies: readonly EventBody[],
  artifacts: readonly ArtifactText[],
): Promise<void> {
  const at = now(runtime);
  const events = bodies.map((body) => ({ body: runtime.redact.event(body), at }));
  await runtime.store.append({ threadId, expectedSeq, events, artifacts });
  const stored = events.map(
    ({ body }, index) => ({ ...body, seq: expectedSeq + index + 1, at }) as ThreadEvent,
  ); // the spread loses the union
  runtime.observe({ kind: "appended", threadId, events: stored });
  await runtime.dispatcher.send(threadId, { id: `after:${expectedSeq}` });
}

function now(runtime: Runtime): string {
  return new Date(runtime.clock.now()).toISOString();
}

function assertOpenThread(state: ThreadState, threadId: string): void {
  if (state.end === null) return;
  throw new HoldpointError(
    "thread_ended",
    `thread ${threadId} ended with ${state.end.type} at ${state.end.at}`,
    {
      fix: `Fork it before its end: holdpoint fork ${threadId} --at <seq>.`,
    },
  );
}

export function threadNotFound(threadId: string): HoldpointError {
  return new HoldpointError("thread_not_found", `there is no thread ${threadId}`, {
    fix: "`holdpoint threads` lists them.",
  });
}
