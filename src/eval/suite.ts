// What an evaluation is made of. Everything here is data that YAML can hold, but for the functions of a TypeScript suite.
import type { Agent } from "../core/agent.ts";
import type { Duration } from "../core/duration.ts";
import type { ErrorInfo } from "../core/errors.ts";
import type { RequestKind, ThreadEvent, VerdictKind } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import type { Schema } from "../core/schema.ts";
import type { TrialNumbers } from "./trial-numbers.ts";

/** Cases for agents, each run several times. */
export interface EvalSuite {
  /** Up to 200 characters, on one line. */
  readonly name: string;
  /** Of cases that name none: an agent's name, or its file (`./agent.ts`, `./agents.ts#triage`) as seen from the suite. */
  readonly agent?: string;
  /** Makes the agents of each trial, with a world of their own; in YAML, the file whose default export does. */
  readonly setup?: string | EvalSetup;
  /** Instead of the agents' own: `provider/model`, a model object, or the file of a model or of a recording (`.jsonl`). */
  readonly model?: unknown;
  /** How often each case is run. Default 1; `-k` counts before it. */
  readonly trials?: number;
  readonly limits?: EvalLimits;
  /** Asked after the case's own people. */
  readonly people?: readonly PersonRule[];
  /** What must not happen in any case. */
  readonly never?: readonly Never[];
  readonly cases: readonly EvalCase[];
}

export interface EvalCase {
  /** One of a kind in its suite. */
  readonly name: string;
  readonly agent?: string;
  readonly input?: Json;
  /** The first rule that fits a request answers it; without one nobody does, and it expires. Default: nobody is there. */
  readonly people?: readonly PersonRule[];
  /** The rules are used up one after the other, whatever is asked; a request that does not fit its rule is a finding. */
  readonly inOrder?: boolean;
  /** For what is left to chance: delays of retries, injected faults, the setup. Default: the run's. */
  readonly seed?: number | string;
  /** The time at which each trial begins (ISO 8601). Default: now. Waits for people and timers are passed over. */
  readonly clock?: string;
  readonly limits?: EvalLimits;
  readonly expect?: Expectations;
  /** What must not happen, besides what the suite forbids. */
  readonly never?: readonly Never[];
  /** What else is wrong with how it went; nothing, or an empty list, when all is well. What it throws is a finding. */
  check?(thread: EvaluatedThread): CheckResult | Promise<CheckResult>;
}

type CheckResult = readonly string[] | undefined;

/** A trial that reaches one is cancelled, and has failed. */
export interface EvalLimits {
  /** Of real time, waits that are passed over left out. Default 10 min. */
  readonly time?: Duration;
  /** Input and output of all model calls. Default: only the agent's own limit. */
  readonly tokens?: number;
}

/** What a person does. All members that say which requests it is about must fit. */
export interface PersonRule {
  readonly kind?: RequestKind;
  /** The action's tool; `*` stands for any run of characters. */
  readonly tool?: string;
  /** A pattern of the action's arguments, see `Pattern`. */
  readonly args?: Pattern;
  /** A regular expression that the question matches. */
  readonly question?: string;
  /** How many requests it answers. Default: any number. */
  readonly times?: number;
  /** Who decides. Default: somebody whom the request names, or has a role that it names. */
  readonly by?: string;
  /** `ignore`: nobody answers, and the request expires. */
  readonly say: VerdictKind | "ignore";
  /** With `edit`: arguments that replace those of the same name. */
  readonly with?: { readonly [name: string]: Json };
  /** With `answer` and `done`. */
  readonly value?: Json;
  /** With `reject` and `not_done`, where it has a default, and with `continue` and `stop`. */
  readonly why?: string;
}

/**
 * A value, of which objects hold at least what is given, lists are as long and match one by one, and all else is equal.
 * An object of operators stands for a value that fits all: `$matches` (a regular expression), `$contains` (a text, or
 * a pattern of an element), `$gt`, `$gte`, `$lt`, `$lte`, `$oneOf` (patterns), `$not` (a pattern), `$exists`.
 */
export type Pattern = Json;

/** How it must end, and what must happen on the way. */
export interface Expectations {
  /** Default `completed`. */
  readonly outcome?: "completed" | "failed" | "cancelled";
  /** What the agent's own `accept` says. Default: it may say anything. */
  readonly accepted?: boolean;
  readonly result?: Pattern;
  /** Patterns by path, such as `$.orders[0].id`; every value that a path leads to must fit, and there must be one. */
  readonly paths?: { readonly [path: string]: Pattern };
  /** Of the result: JSON Schema, or in TypeScript any Standard Schema. */
  readonly schema?: Json | Schema;
  /** A regular expression for the result, as text or as JSON text. */
  readonly matches?: string;
  /** The code that a failed thread ends with. */
  readonly error?: string;
  readonly actions?: readonly ActionExpectation[];
  /** The first starts of `actions` are in the order of the list. Default false. */
  readonly inOrder?: boolean;
}

/** Actions that start, but for `status`. */
export interface ActionExpectation {
  /** `*` stands for any run of characters. */
  readonly tool: string;
  readonly args?: Pattern;
  /** How many there are: exactly, or from `min` to `max`. Default: at least one. */
  readonly times?: number | { readonly min?: number; readonly max?: number };
  /** How they end; `denied` ones never start. Default: any end of those that start. */
  readonly status?: "completed" | "failed" | "denied";
  /** The first one starts before any of this tool. */
  readonly before?: string;
  /** The first one starts after one of this tool. */
  readonly after?: string;
}

/** What must not happen. All members of one that describe an action are of the same action. */
export type Never =
  /** Such an action starts; only without a matching approval by a person; also when it is asked for and does not run. */
  | {
      readonly tool?: string;
      readonly args?: Pattern;
      /** Anywhere in the arguments. */
      readonly text?: string;
      readonly withoutApproval?: true;
      readonly proposed?: true;
    }
  /** There are more model calls. */
  | { readonly modelCalls: number }
  /** A model input has more tokens, as the window counts. */
  | { readonly windowTokens: number }
  /** Somebody is asked; `any` for all kinds. */
  | { readonly request: RequestKind | "any"; readonly tool?: string };

/** What a setup knows of its trial. */
export interface TrialSetup {
  readonly case: string;
  /** From 1. */
  readonly trial: number;
  readonly seed: string;
  /** The trial's own, made empty before the first time; it stays when an interrupted trial goes on. */
  readonly folder: string;
}

export type TrialWorld =
  | Agent
  | readonly Agent[]
  | { readonly agents: readonly Agent[]; readonly model?: unknown; close?(): void | Promise<void> };

/** Called at the beginning of each trial, again when it goes on after an interruption, and once to check the suite. */
export type EvalSetup = (trial: TrialSetup) => TrialWorld | Promise<TrialWorld>;

/** A trial that has ended, for checks in code. */
export interface EvaluatedThread {
  readonly case: string;
  readonly trial: number;
  readonly threadId: string;
  readonly events: readonly ThreadEvent[];
  readonly outcome: "completed" | "failed" | "cancelled";
  readonly output: Json | undefined;
  readonly error: ErrorInfo | null;
  /** Of the thread and of those it called. */
  readonly numbers: TrialNumbers;
  /** The folder of the trial's world. */
  readonly folder: string;
}
