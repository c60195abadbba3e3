// Limits end in a question to a person, never in an exception. Each `continue` grants the same allotment again.
import { type Duration, durationMs } from "./duration.ts";
import { HoldpointError } from "./errors.ts";
import type { LimitName } from "./events.ts";
import type { RequestState, ThreadState } from "./state.ts";

export interface LimitOptions {
  /** Decisions in one thread. Default 50. */
  readonly steps?: number;
  /** Input and output tokens of all model calls together. Default 500,000. */
  readonly tokens?: number;
  /**
   * Time spent in steps, models and tools; waiting for people does not count. Looked at before a step, a decision and a
   * new action: what has begun, or was approved, still ends. Default 30 min.
   */
  readonly activeTime?: Duration;
  /** Failures of one tool in a row. Default 3. */
  readonly attemptsPerTool?: number;
  /** Equal calls (tool and arguments) in a row. Default 3. */
  readonly identicalCalls?: number;
  /** How often the model is asked again, for one decision, after an output that does not validate (default 2), or a call that failed (default 4). */
  readonly invalidOutputs?: number;
  readonly modelFailures?: number;
}

export type Limits = { readonly [Name in LimitName | "invalidOutputs" | "modelFailures"]: number };

/** @throws `agent_invalid` for a limit that is no number, or under 1: it would limit nothing, or everything for ever. */
export function limitsOf(options: LimitOptions = {}): Limits {
  const limits: Limits = {
    steps: options.steps ?? 50,
    tokens: options.tokens ?? 500_000,
    activeTime: durationMs(options.activeTime ?? "30m"),
    attemptsPerTool: options.attemptsPerTool ?? 3,
    identicalCalls: options.identicalCalls ?? 3,
    invalidOutputs: options.invalidOutputs ?? 2,
    modelFailures: options.modelFailures ?? 4,
  };
  for (const [name, value] of Object.entries(limits)) {
    const least = name === "invalidOutputs" || name === "modelFailures" ? 0 : 1;
    if (!(value >= least)) throw new HoldpointError("agent_invalid", `the limit ${name} cannot be ${value}`);
  }
  return limits;
}

export interface LimitHit {
  readonly limit: LimitName;
  readonly scope: string;
  readonly value: number;
  readonly max: number;
}

/** The first limit that stands against another decision. */
export function limitAgainstDecision(state: ThreadState, limits: Limits): LimitHit | null {
  return (
    hit(state, limits, "steps", "steps", state.decisions) ??
    hit(state, limits, "tokens", "tokens", state.tokens) ??
    limitAgainstStep(state, limits)
  );
}

/** The first limit that stands against any more work: a flow that makes no decision meets it, too. */
export function limitAgainstStep(state: ThreadState, limits: Limits): LimitHit | null {
  return hit(state, limits, "activeTime", "activeTime", state.activeMs);
}

/** The first limit that stands against this new action: the time is up, its tool keeps failing, or the model goes in a circle. */
export function limitAgainstAction(
  state: ThreadState,
  limits: Limits,
  action: { readonly tool: string; readonly digest: string },
): LimitHit | null {
  const repeats = state.lastDigest === action.digest ? state.digestRun : 0;
  return (
    limitAgainstStep(state, limits) ??
    hit(
      state,
      limits,
      "attemptsPerTool",
      `attemptsPerTool:${action.tool}`,
      state.toolFailures.get(action.tool) ?? 0,
    ) ??
    hit(state, limits, "identicalCalls", `identicalCalls:${action.tool}`, repeats)
  );
}

/** The request that was opened at this limit of the whole thread, and that nobody has answered yet. */
export function openAtLimit(state: ThreadState, { scope }: LimitHit): RequestState | null {
  for (const [key, reached] of state.lastLimit) {
    const request = state.operations.get(key)?.request;
    if (reached === scope && request?.reason === "limit" && request.status === "open") return request;
  }
  return null;
}

function hit(
  state: ThreadState,
  limits: Limits,
  limit: LimitName,
  scope: string,
  value: number,
): LimitHit | null {
  const max = limits[limit] * (1 + (state.allowances.get(scope) ?? 0));
  return value >= max ? { limit, scope, value, max } : null;
}
