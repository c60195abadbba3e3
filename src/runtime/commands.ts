// What people and programs do to threads from outside a turn.
import { randomBytes } from "node:crypto";
import type { Agent } from "../core/agent.ts";
import { assertApprover } from "../core/approvers.ts";
import { assertReason } from "../core/assert-reason.ts";
import { sha256 } from "../core/digest.ts";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { type EventBody, event, type Verdict } from "../core/events.ts";
import { canonicalJson, type Json, toJson } from "../core/json.ts";
import { initialState, type RequestState, type ThreadState } from "../core/state.ts";
import { assertOpenThread, assertPerson, changeThread, commit } from "./change-thread.ts";
import { expired } from "./operations/request.ts";
import { agentNamed, type Runtime } from "./runtime.ts";
import { giveLess, toStored } from "./stored.ts";
import { validateWithin } from "./validate-within.ts";

const never = new AbortController().signal;

export interface StartOptions {
  /** The principal who starts it. */
  readonly by: string;
  /** Starting twice with one key starts once. */
  readonly key?: string;
  readonly threadId?: string;
  readonly parent?: { readonly threadId: string; readonly key: string };
  /** Of a child: who started the work that it is part of. They may not approve what it does (see `GatePolicy`). */
  readonly requesters?: readonly string[];
  /** Ends the wait for the schema of the input. */
  readonly signal?: AbortSignal;
}

export interface Started {
  readonly threadId: string;
  /** False when a thread with this key was there before. */
  readonly created: boolean;
}

/**
 * Starts a thread of an agent that this process knows.
 *
 * @throws `agent_not_found`; `check_failed` for an agent that is `unready` here; `invalid_input`; `not_json`; `result_too_large`.
 */
export async function startThread(
  runtime: Runtime,
  agentName: string,
  input: unknown,
  options: StartOptions,
): Promise<Started> {
  const agent = agentNamed(runtime, agentName);
  const valid = await validInput(runtime, agent, input, options.signal);
  const { stored, artifacts } = toStored(runtime, valid, giveLess);
  const threadId = options.threadId ?? threadIdFor(agentName, options.key);
  if (runtime.unready.has(agent.name)) return startedBefore(runtime, agent.name, threadId);
  const unchecked = runtime.unchecked.get(agent.name);
  const body = event("thread_started", {
    threadId,
    agent: agent.name,
    agentVersion: agent.version,
    input: stored,
    by: options.by,
    ...(options.parent ? { parent: options.parent } : {}),
    ...(options.requesters?.length ? { requesters: options.requesters } : {}),
    ...(unchecked && { unchecked }),
  });
  try {
    await commit(runtime, threadId, 0, [body], artifacts);
  } catch (error) {
    if (isHoldpointError(error, "append_conflict")) return { threadId, created: false };
    throw error;
  }
  return { threadId, created: true };
}

/** A start that is repeated under its key starts nothing new, so it gets its answer. @throws `check_failed` otherwise. */
async function startedBefore(
  { store, unready }: Runtime,
  agentName: string,
  threadId: string,
): Promise<Started> {
  const { rows } = await store.threads({ threadId });
  if (rows.length > 0) return { threadId, created: false };
  throw notReady(agentName, unready.get(agentName) ?? []);
}

/** @throws `check_failed` for an agent whose check failed in this process. */
export function assertReady({ unready }: Pick<Runtime, "unready">, agentName: string): void {
  const codes = unready.get(agentName);
  if (codes) throw notReady(agentName, codes);
}

function notReady(agentName: string, codes: readonly string[]): HoldpointError {
  return new HoldpointError(
    "check_failed",
    `agent ${agentName} starts no thread: its check failed (${codes.join(", ")})`,
    {
      fix: `\`holdpoint check ${agentName}\` says what to do. Threads of it that are there go on.`,
    },
  );
}

/**
 * Whether a thread was started of this agent with this input, as it came or as the agent's schema makes it. What the log
 * holds is compared, so the answer is the same in every process and after every restart.
 */
export async function wasStartedWith(
  runtime: Runtime,
  threadId: string,
  start: { readonly agent: string; readonly input: unknown; readonly signal?: AbortSignal },
): Promise<boolean> {
  const [started] = await runtime.store.read(threadId);
  if (started?.type !== "thread_started" || started.agent !== start.agent) return false;
  const isSame = (value: unknown): boolean =>
    canonicalJson(toJson(toStored(runtime, value).stored)) === canonicalJson(toJson(started.input));
  if (isSame(start.input)) return true;
  return isSame(await validInput(runtime, agentNamed(runtime, start.agent), start.input, start.signal));
}

async function validInput(
  { clock }: Runtime,
  agent: Agent,
  input: unknown,
  signal: AbortSignal = never,
): Promise<unknown> {
  if (!agent.input) return input;
  const result = await validateWithin(clock, signal)(agent.input, input);
  if (result.ok) return result.value;
  throw new HoldpointError("invalid_input", `the input is not valid for agent ${agent.name}: ${result.why}`, {
    fix: "Give input that fits the agent's input schema.",
  });
}

function threadIdFor(agentName: string, key: string | undefined): string {
  return `th_${key === undefined ? randomBytes(8).toString("hex") : sha256(JSON.stringify([agentName, key])).slice(0, 16)}`;
}

export interface Signal {
  readonly signal: string;
  readonly value: Json;
  readonly by: string;
  /** The same id twice of one sender is one signal. Default: a new one. */
  readonly signalId?: string;
}

/** Sends a signal to a thread. @throws `thread_not_found`; `thread_ended`. */
export async function sendSignal(runtime: Runtime, threadId: string, signal: Signal): Promise<void> {
  const value = toJson(signal.value);
  toStored(runtime, value, giveLess); // refuses what is too large
  const signalId = signal.signalId ?? `sg_${randomBytes(8).toString("hex")}`;
  await changeThread(runtime, threadId, (state) => {
    const known = state.signals
      .get(signal.signal)
      ?.some((received) => received.signalId === signalId && received.by === signal.by);
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
  await changeThread(runtime, threadId, (current) => {
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
 * @throws `operation_not_found`; `verdict_invalid` for a thread that is open, and a blank reason; `request_already_decided`;
 *   `not_an_approver`, by the request that the action had.
 */
export async function settleAction(
  runtime: Runtime,
  threadId: string,
  key: string,
  settlement: {
    readonly verdict: Extract<Verdict, { kind: "done" | "not_done" }>;
    readonly by: string;
    readonly roles?: readonly string[];
  },
): Promise<void> {
  const { verdict, by, roles = [] } = settlement;
  assertPerson(by);
  assertReason(verdict);
  await changeThread(runtime, threadId, (state) => {
    const action = state.operations.get(key);
    if (!action?.start)
      throw new HoldpointError("operation_not_found", `thread ${threadId} has started no action ${key}`);
    if (action.request) assertMayDecide(action.request, { by, roles });
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
 * thread go on. @throws `operation_not_found`; `thread_ended`; `not_an_approver`, for whoever may not decide the
 *   requests that are closed with it.
 */
export async function handleOperation(
  runtime: Runtime,
  threadId: string,
  key: string,
  {
    roles = [],
    ...options
  }: { readonly by: string; readonly why: string; readonly roles?: readonly string[] },
): Promise<void> {
  assertPerson(options.by);
  await changeThread(runtime, threadId, (state) => {
    assertOpenThread(state, threadId);
    const operation = state.operations.get(key);
    if (!operation)
      throw new HoldpointError("operation_not_found", `thread ${threadId} has no operation ${key}`);
    for (const request of [operation.request, state.flowRequest])
      if (request?.status === "open") assertMayDecide(request, { by: options.by, roles });
    return [
      ...(state.handled.has(key) ? [] : [event("operation_handled", { key, ...options })]),
      ...closed(operation.request),
      ...continued(runtime, state.flowRequest, options),
    ];
  });
}

function assertMayDecide(
  { opened, approvers }: RequestState,
  { by, roles }: { readonly by: string; readonly roles: readonly string[] },
): void {
  assertApprover(opened, approvers, { id: by, roles });
}

/** Nobody needs to answer for an operation that is handled. */
function closed(request: RequestState | null): readonly EventBody[] {
  return request?.status === "open" ? [expired(request)] : [];
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
