// What a flow sees: the operations, each durable, each answered from the log when it was answered before.
import type { Duration } from "./duration.ts";
import type { ErrorInfo } from "./errors.ts";
import type { Call, Reasoning } from "./events.ts";
import type { Json } from "./json.ts";
import type { OutputOf, Schema } from "./schema.ts";
import type { Tool, TypedTool } from "./tool.ts";

/**
 * An agent's control flow: ordinary `async` code that awaits operations of `t` and nothing else, and decides by what
 * they return. It runs again from the top on every resume, so it must do the same with the same answers.
 */
export type Flow<Input = unknown, Output = unknown, Tools extends readonly Tool[] = readonly Tool[]> = (
  t: FlowContext<Tools>,
  input: Input,
) => Promise<Output>;

/** A call of one of these tools: a union to `switch` on by `tool`, with the arguments as the model wrote them. */
export type CallOf<Tools extends readonly Tool[]> = {
  readonly [Index in keyof Tools]: Tools[Index] extends TypedTool<unknown, infer Name, infer Input>
    ? {
        readonly callId: string;
        readonly tool: Name;
        readonly args: unknown extends Input ? Json : Input;
        readonly providerData?: Json;
      }
    : Call;
}[number];

/** What a model decided, after validation: calls in its order, or an answer. */
export type DecisionOf<Tools extends readonly Tool[]> =
  | {
      readonly kind: "calls";
      readonly calls: readonly CallOf<Tools>[];
      readonly text?: string;
      readonly reasoning?: readonly Reasoning[];
    }
  | { readonly kind: "answer"; readonly value: Json };

export interface StepContext {
  readonly attempt: number;
  /** Aborts on cancellation, timeout and shutdown. */
  readonly signal: AbortSignal;
}

export interface StepOptions {
  /** Tries before the failure goes to the flow as an error. Default 3. */
  readonly attempts?: number;
  /** Wait before the second try; it doubles from there, to a minute at most. Default 1 s. */
  readonly backoff?: Duration;
  /** Default 60 s per try. */
  readonly timeout?: Duration;
}

export interface DecideOptions<Names extends string = string> {
  /** Tells apart decisions that are made in parallel. */
  readonly name?: string;
  /** What code already knows and the model should see now: shown as JSON, for this decision only. */
  readonly see?: { readonly [name: string]: unknown };
  /** Most tokens that `see` takes: its largest members are then shown by a preview. Default: it is shown whole. */
  readonly seeTokens?: number;
  /** Names of the tools offered. Default: all of the agent's. */
  readonly tools?: readonly Names[];
  /** With it the model gives a value of this schema, and no calls: `decide` returns the value itself. */
  readonly output?: Schema;
}

/** What became of one call. It is data: a failed tool throws nothing into the flow. */
export type ActionResult<Value = Json> = { readonly call: Call } & (
  | { readonly status: "completed"; readonly value: Value }
  | { readonly status: "failed"; readonly error: ErrorInfo }
  /** Nothing ran: the gate, validation, a person or the deadline refused. */
  | {
      readonly status: "denied";
      readonly deniedBy: "gate" | "validation" | "person" | "deadline";
      readonly why: string;
    }
);

export interface AskOptions<Answer extends Schema = Schema> {
  /** Tells apart questions that are asked in parallel. */
  readonly name?: string;
  /** Validates the answer before it is accepted. */
  readonly answer?: Answer;
  /** Who may answer: principals, and roles as `role:x`. Default: the gate's. */
  readonly approvers?: readonly string[];
  /** Whether who started the thread may answer. Default: the gate's; without one, where nobody is named. */
  readonly requesterMayDecide?: boolean;
  /** Default: the gate's. */
  readonly expiresIn?: Duration;
}

export type AskResult<Value = Json> =
  | { readonly kind: "answered"; readonly value: Value; readonly by: string }
  | { readonly kind: "rejected"; readonly why: string; readonly by: string }
  | { readonly kind: "expired" };

export type WaitResult =
  | { readonly kind: "received"; readonly value: Json; readonly by: string }
  | { readonly kind: "expired" };

export interface CallOptions {
  /** Tells apart calls of one agent that are made in parallel. */
  readonly name?: string;
}

/**
 * The operations. A name tells operations of one kind apart: those that run in parallel must have different names
 * (`operation_ambiguous`), so that reordering branches cannot swap their results.
 * Values handed out are frozen, since the log shares them.
 */
export interface FlowContext<Tools extends readonly Tool[] = readonly Tool[]> {
  readonly threadId: string;
  /** Runs code once and keeps what it returns. It may run again after a crash, so let it read, or be repeatable. @throws `step_failed` */
  step<T>(name: string, run: (context: StepContext) => T | Promise<T>, options?: StepOptions): Promise<T>;
  /**
   * Lets the model reason: the only place where it does. The result is validated. With `output` it is a value of that
   * schema; without, calls of the agent's tools or an answer.
   */
  decide<Output extends Schema>(
    options: DecideOptions & { readonly output: Output },
  ): Promise<OutputOf<Output>>;
  decide(options?: DecideOptions<Tools[number]["name"]>): Promise<DecisionOf<Tools>>;
  /** Puts calls through the gate and runs them. Each is settled by itself; results come in the order of the calls. */
  act(
    calls: readonly { readonly callId: string; readonly tool: string; readonly args: unknown }[],
  ): Promise<readonly ActionResult[]>;
  act<Args, Input>(
    tool: TypedTool<Args, string, Input>,
    args: unknown extends Input ? Args : Input,
  ): Promise<ActionResult>;
  /** Asks a person and parks until the answer or the deadline. */
  ask<Answer extends Schema>(
    question: string,
    options: AskOptions<Answer> & { readonly answer: Answer },
  ): Promise<AskResult<OutputOf<Answer>>>;
  ask(question: string, options?: AskOptions): Promise<AskResult>;
  /** Parks for a while: no memory, no process. */
  sleep(duration: Duration, options?: { readonly name?: string }): Promise<void>;
  /** Takes the next signal of this name, waiting for it if need be. Signals that came before are kept, in order. */
  wait(signal: string, options?: { readonly expiresIn?: Duration }): Promise<WaitResult>;
  /** Starts another agent as a child thread and waits for its output. @throws `child_failed` */
  call<T = Json>(agent: string, input: unknown, options?: CallOptions): Promise<T>;
  /**
   * Writes something down for later decisions: a fact, a finding, a rule that came up. A pinned note stays word for
   * word in every later window, so keep it short; others are shrunk with what is around them.
   */
  note(text: string, options?: { readonly name?: string; readonly pin?: boolean }): Promise<void>;
  /**
   * The value that a reference (`art_…`) names, such as one that the model gave: of this thread, and of what the flow
   * has been told of so far. It is looked up in the log and is no operation: nothing is recorded. @throws `artifact_missing`
   */
  artifact<T = Json>(ref: string): Promise<T>;
  /** The time, recorded once. */
  now(): Promise<Date>;
  /** A number in [0, 1), recorded once. */
  random(): Promise<number>;
  /** A random UUID, recorded once. */
  uuid(): Promise<string>;
}

/** An operation that the flow has made, as the runtime gets it to perform. */
export type PendingOperation = { readonly key: string } & (
  | {
      readonly kind: "step";
      readonly name: string;
      readonly run: (context: StepContext) => unknown;
      readonly options: StepOptions;
    }
  | { readonly kind: "now" | "random" | "uuid" }
  | { readonly kind: "note"; readonly text: string; readonly pinned: boolean }
  | { readonly kind: "decide"; readonly options: DecideOptions }
  | { readonly kind: "act"; readonly call: Call }
  | { readonly kind: "ask"; readonly question: string; readonly options: AskOptions }
  | { readonly kind: "sleep"; readonly duration: Duration }
  | { readonly kind: "wait"; readonly signal: string; readonly expiresIn: Duration | undefined }
  | { readonly kind: "call"; readonly agent: string; readonly input: unknown }
);

export type OperationKind = PendingOperation["kind"];
