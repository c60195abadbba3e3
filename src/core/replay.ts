// R1. A flow runs from the top and is answered from the log. Answers are given one at a time, lowest `seq` first, and
//     the flow comes to rest in between: races resolve on every replay as they did the first time.
// R2. An operation is found by kind, name and occurrence, so code may move and grow around it.
// R3. What the log holds and the flow does not ask for is never skipped silently (`unclaimed`, `mismatch`).
import { nextTick } from "node:process";
import type { Duration } from "./duration.ts";
import { type ErrorInfo, HoldpointError, recordError, withoutRaw } from "./errors.ts";
import type { Call, Decision, ThreadEvent } from "./events.ts";
import { evolve } from "./evolve.ts";
import type {
  AskOptions,
  CallOptions,
  DecideOptions,
  Flow,
  FlowContext,
  OperationKind,
  PendingOperation,
  StepContext,
  StepOptions,
} from "./flow.ts";
import { deepFreeze, type Json, toJson } from "./json.ts";
import {
  initialState,
  type Operation,
  type Outcome,
  operationKey,
  operationPath,
  type ThreadState,
} from "./state.ts";
import { type Artifacts, storedValue, valueByRef } from "./thread-values.ts";
import type { Tool } from "./tool.ts";

/** Where a flow stands when it rests. */
export type Rest =
  | { readonly kind: "finished"; readonly value: unknown }
  | { readonly kind: "threw"; readonly error: ErrorInfo }
  | {
      readonly kind: "pending";
      /** What it waits for, in the order it asked. Empty: it awaits something that is no operation. */
      readonly operations: readonly PendingOperation[];
    };

/** A recorded call and a different one that the flow makes in its place. */
interface Mismatch {
  readonly key: string;
  readonly recorded: Json;
  readonly asked: Json;
}

/** A flow that has been started over a state; it stays in step with it through `advance`. */
export interface Replay {
  /** Gives the flow all answers that the state holds by now, and returns where it rests. */
  advance(): Promise<Rest>;
  /** Recorded operations that the flow has not asked for, oldest first. */
  unclaimed(): readonly Operation[];
  mismatch(): Mismatch | null;
}

/**
 * Runs `flow` over a thread's events and says where it rests: finished, or waiting for operations. It performs nothing
 * and awaits nothing but the flow itself; the same events give the same answer in every process.
 */
export async function replay(
  flow: Flow,
  events: readonly ThreadEvent[],
  artifacts: Artifacts = new Map(),
): Promise<Rest> {
  return startReplay(flow, events.reduce(evolve, initialState()), artifacts).advance();
}

interface Waiting {
  readonly operation: PendingOperation;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: HoldpointError) => void;
}

/** Starts `flow` over `state`, which the caller goes on folding into. The flow's code first runs at `advance`. */
export function startReplay(flow: Flow, state: ThreadState, artifacts: Artifacts): Replay {
  const waiting = new Map<string, Waiting>();
  const claimed = new Set<string>();
  const occurrences = new Map<string, { count: number; epoch: number }>();
  let epoch = 0; // grows with each answer: operations made within one are parallel
  let told = 1; // the newest `seq` that the flow has been answered from: its input is at 1
  let ended: Rest | null = null;
  let mismatch: Mismatch | null = null;
  let running = false;
  let resting = false; // nothing was answered since the flow last came to rest

  function register(
    kind: OperationKind,
    name: string | undefined,
    build: (key: string) => PendingOperation,
  ): Promise<unknown> {
    const path = operationPath(kind, name);
    const seen = occurrences.get(path) ?? { count: 0, epoch: -1 };
    if (seen.epoch === epoch && !mayRepeatInParallel.has(kind)) return refused(ambiguous(kind, name));
    if (seen.count === 0) occurrences.set(path, seen);
    seen.count += 1;
    seen.epoch = epoch;
    const operation = build(operationKey(path, seen.count));
    claimed.add(operation.key);
    compareCalls(operation);
    compareDecision(operation);
    const promise = new Promise<unknown>((resolve, reject) =>
      waiting.set(operation.key, { operation, resolve, reject }),
    );
    return listenedTo(promise);
  }

  function compareCalls(operation: PendingOperation): void {
    const proposal = operation.kind === "act" ? state.operations.get(operation.key)?.proposal : undefined;
    if (!proposal || operation.kind !== "act" || mismatch || state.handled.has(operation.key)) return;
    const recorded = proposal.requested ?? proposal.args;
    if (!sameJson(recorded, operation.call.args))
      mismatch = { key: operation.key, recorded, asked: operation.call.args };
  }

  /** A value cannot be made of recorded calls. */
  function compareDecision(operation: PendingOperation): void {
    if (operation.kind !== "decide" || !operation.options.output || mismatch) return;
    const outcome = state.operations.get(operation.key)?.settled?.outcome;
    if (outcome?.kind !== "decision" || outcome.decision.kind === "answer") return;
    if (state.handled.has(operation.key)) return;
    const recorded = outcome.decision.calls.map((call) => call.tool);
    mismatch = { key: operation.key, recorded, asked: "a value of its own schema" };
  }

  /** What came later than the flow has been told of is not found: it was not there when the flow first ran. */
  async function artifact(ref: string): Promise<unknown> {
    return valueByRef(state, artifacts, ref, told);
  }

  function start(): void {
    running = true;
    const input = storedValue(state.started?.input ?? {}, artifacts);
    const context = flowContext(state.started?.threadId ?? "", register, artifact);
    Promise.resolve()
      .then(() => flow(context, input))
      .then(
        (value) => {
          ended = { kind: "finished", value };
        },
        (error: unknown) => {
          ended = { kind: "threw", error: recordError(error, "flow_failed") };
        },
      );
  }

  /** The answered operation with the lowest `seq` that the flow still waits for. */
  function nextAnswer(): { readonly entry: Waiting; readonly outcome: Outcome; readonly seq: number } | null {
    let best: { entry: Waiting; outcome: Outcome; seq: number } | null = null;
    for (const entry of waiting.values()) {
      const settled = state.operations.get(entry.operation.key)?.settled;
      if (settled && (best === null || settled.seq < best.seq))
        best = { entry, outcome: settled.outcome, seq: settled.seq };
    }
    return best;
  }

  /** Gives the flow, which has come to rest, one answer; returns where it rests when the state holds none. */
  function answerOne(): Rest | null {
    resting = true;
    if (ended) return ended;
    const next = nextAnswer();
    if (!next) return { kind: "pending", operations: [...waiting.values()].map((entry) => entry.operation) };
    waiting.delete(next.entry.operation.key);
    epoch += 1;
    told = Math.max(told, next.seq);
    resting = false;
    answer(next.entry, next.outcome, artifacts);
    return null;
  }

  function advance(): Promise<Rest> {
    return new Promise((resolve, reject) => {
      const goOn = (): void => {
        try {
          const rest = answerOne();
          if (rest) resolve(rest);
          else whenAtRest(goOn);
        } catch (error) {
          reject(error);
        }
      };
      if (!running) start();
      if (resting) goOn();
      else whenAtRest(goOn);
    });
  }

  return {
    advance,
    unclaimed: () =>
      [...state.operations.values()].filter(
        (known) => !claimed.has(known.key) && !state.handled.has(known.key),
      ),
    mismatch: () => mismatch,
  };
}

/** A flow may leave a promise behind, as the loser of a race; its failure must not end the process. */
function listenedTo<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}

function refused(error: unknown): Promise<never> {
  return listenedTo(Promise.reject(error));
}

/** Their results carry no meaning of their own (values), or are compared with the log (calls). */
const mayRepeatInParallel: ReadonlySet<OperationKind> = new Set(["act", "now", "random", "uuid"]);

const settled = Promise.resolve();

/**
 * A flow awaits operations only, so once all microtasks have run it is at rest. A tick that is asked for from within a
 * microtask comes after all of them; a turn of the event loop would do as well and costs three times as much. Callbacks,
 * since every resume waits once per answer: awaiting the tick takes three times the memory.
 */
function whenAtRest(next: () => void): void {
  void settled.then(() => nextTick(next));
}

function answer(entry: Waiting, outcome: Outcome, artifacts: Artifacts): void {
  switch (outcome.kind) {
    case "value":
      return entry.resolve(fromLog(entry.operation, storedValue(outcome.stored, artifacts)));
    case "error":
      return entry.reject(
        new HoldpointError(codeOf(entry.operation), outcome.error.message, {
          cause: withoutRaw(outcome.error),
        }),
      );
    case "decision":
      return entry.resolve(deepFreeze(decided(entry.operation, outcome.decision)));
    case "action":
      return entry.resolve(deepFreeze(actionResult(entry.operation, outcome, artifacts)));
    case "ask":
    case "wait":
      return entry.resolve(deepFreeze(outcome.result));
    default:
      return outcome satisfies never;
  }
}

function decided(operation: PendingOperation, decision: Decision): unknown {
  const wantsValue = operation.kind === "decide" && operation.options.output !== undefined;
  return wantsValue && decision.kind === "answer" ? decision.value : decision;
}

function fromLog(operation: PendingOperation, value: unknown): unknown {
  return operation.kind === "now" ? new Date(String(value)) : value;
}

function codeOf(operation: PendingOperation): "step_failed" | "child_failed" {
  return operation.kind === "call" ? "child_failed" : "step_failed";
}

function actionResult(
  operation: PendingOperation,
  outcome: Outcome & { kind: "action" },
  artifacts: Artifacts,
): unknown {
  const call = operation.kind === "act" ? operation.call : null;
  const { event } = outcome;
  switch (event.type) {
    case "action_completed":
      return { call, status: "completed", value: storedValue(event.result, artifacts) };
    case "action_failed":
      return { call, status: "failed", error: withoutRaw(event.error) };
    case "action_denied":
      return { call, status: "denied", deniedBy: event.deniedBy, why: event.why };
    default:
      return event satisfies never;
  }
}

type Register = (
  kind: OperationKind,
  name: string | undefined,
  build: (key: string) => PendingOperation,
) => Promise<unknown>;

/** The operations, each of which only says what is wanted. The casts are the interpreter's contract with `FlowContext`. */
function flowContext(
  threadId: string,
  register: Register,
  artifact: (ref: string) => Promise<unknown>,
): FlowContext {
  const context = {
    threadId,
    artifact: (ref: string) => listenedTo(artifact(ref)),
    step: (name: string, run: (context: StepContext) => unknown, options: StepOptions = {}) =>
      register("step", name, (key) => ({ key, kind: "step", name, run, options })),
    decide: (options: DecideOptions = {}) =>
      register("decide", options.name, (key) => ({ key, kind: "decide", options })),
    act: (first: readonly Call[] | Tool, args?: unknown) =>
      isCalls(first)
        ? Promise.all(first.map((call) => registerCall(register, call)))
        : registerCall(register, { tool: first.name, args }),
    ask: (question: string, options: AskOptions = {}) =>
      register("ask", options.name, (key) => ({ key, kind: "ask", question, options })),
    sleep: (duration: Duration, options: { readonly name?: string } = {}) =>
      register("sleep", options.name, (key) => ({ key, kind: "sleep", duration })),
    wait: (signal: string, options: { readonly expiresIn?: Duration } = {}) =>
      register("wait", signal, (key) => ({ key, kind: "wait", signal, expiresIn: options.expiresIn })),
    call: (agent: string, input: unknown, options: CallOptions = {}) =>
      register("call", options.name ?? agent, (key) => ({ key, kind: "call", agent, input })),
    note: (text: string, options: { readonly name?: string; readonly pin?: boolean } = {}) =>
      register("note", options.name, (key) => ({ key, kind: "note", text, pinned: options.pin ?? false })),
    now: () => register("now", undefined, (key) => ({ key, kind: "now" })),
    random: () => register("random", undefined, (key) => ({ key, kind: "random" })),
    uuid: () => register("uuid", undefined, (key) => ({ key, kind: "uuid" })),
  };
  return context as unknown as FlowContext;
}

/** A call of a model carries its id; one made by code gets its key as id. */
function registerCall(
  register: Register,
  call: { readonly callId?: string; readonly tool: string; readonly args: unknown },
): Promise<unknown> {
  let args: Json;
  try {
    args = toJson(call.args ?? {});
  } catch (error) {
    return refused(error);
  }
  return register("act", call.tool, (key) => ({
    key,
    kind: "act",
    call: { callId: call.callId ?? key, tool: call.tool, args },
  }));
}

function isCalls(value: readonly Call[] | Tool): value is readonly Call[] {
  return Array.isArray(value);
}

function sameJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (left === undefined || right === undefined || Array.isArray(left) !== Array.isArray(right)) return false;
  const leftMembers = left as { readonly [key: string]: Json }; // arrays have their indices as keys
  const rightMembers = right as { readonly [key: string]: Json };
  const keys = Object.keys(leftMembers);
  return (
    keys.length === Object.keys(rightMembers).length &&
    keys.every((key) => sameJson(leftMembers[key], rightMembers[key]))
  );
}

function ambiguous(kind: OperationKind, name: string | undefined): HoldpointError {
  const what = name === undefined ? kind : `${kind} "${name}"`;
  return new HoldpointError("operation_ambiguous", `two operations ${what} run in parallel under one name`, {
    fix: "Give each its own name, so that their results cannot be swapped when code moves.",
  });
}
