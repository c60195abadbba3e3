// One call of a model and what the log keeps of it. I9: an output that does not validate is kept as evidence for
// people, and never comes into a window.
import { costOf } from "../../core/cost.ts";
import { sha256 } from "../../core/digest.ts";
import { encodings } from "../../core/encodings/encodings.ts";
import { HoldpointError, isHoldpointError, recordError } from "../../core/errors.ts";
import { type EventBody, event, type PromptRecord, type Usage } from "../../core/events.ts";
import { afterModelFailure } from "../../core/model-retry.ts";
import { type SilentOverflow, silentOverflow } from "../../core/silent-overflow.ts";
import type { Operation } from "../../core/state.ts";
import type { Window } from "../../core/window/window.ts";
import type { Model, ModelOutput } from "../../ports/model.ts";
import { toolsOf } from "../built-in-tools.ts";
import { streamRedactor } from "../redact-stream.ts";
import { type Facts, noFacts } from "../stored.ts";
import { validateWithin } from "../validate-within.ts";
import { withTimeout } from "../with-timeout.ts";
import type { Decide } from "./decide.ts";
import { elapsed, type PlanContext, retryTime } from "./plan.ts";
import { type SoundOutput, soundOutput } from "./sound-output.ts";
import { type DecisionRules, validateDecision } from "./validate-decision.ts";

/** One try of a decision. */
export interface ModelTry {
  readonly key: string;
  /** Counted over the operation's life, from 1. */
  readonly attempt: number;
  readonly known: Operation | undefined;
  readonly model: Pick<Model, "id">;
  /** How many models the agent names. */
  readonly models: number;
  readonly startedAt: number;
  /** Absent when the agent has none. */
  readonly prompt?: PromptRecord;
}

export async function callModel(
  context: PlanContext,
  decide: Decide,
  built: Window,
  model: Model,
  attempt: ModelTry,
  signal: AbortSignal,
): Promise<Facts> {
  const { runtime, agent } = context;
  let { startedAt } = attempt;
  const ended = await withTimeout(runtime.clock, agent.modelTimeoutMs, signal, (inner, deadline) =>
    model.generate(built.input, {
      signal: inner,
      onWaiting(isWaiting) {
        if (isWaiting) return deadline.stop();
        startedAt = runtime.clock.now(); // the time in a queue is nobody's work
        deadline.start();
      },
      ...progressOf(context, attempt),
    }),
  );
  const timed = { ...attempt, startedAt };
  switch (ended.kind) {
    case "aborted":
      return noFacts;
    case "timeout":
      return recorded(built, rejected(context, timed, { error: tooSlow(agent.modelTimeoutMs), built }));
    case "threw":
      return recorded(built, rejected(context, timed, { error: ended.error, built }));
    case "returned": {
      const sound = soundOutput(ended.value);
      const events = await judgedOrRejected(context, decide, built, timed, sound, signal);
      return { ...recorded(built, events), ...(sound.ok && { output: sound.output }) };
    }
    default:
      return ended satisfies never;
  }
}

/** What the model was given is kept with what became of it. */
function recorded(built: Window, events: readonly EventBody[]): Facts {
  return { events, artifacts: built.texts };
}

/** Whatever a model returned, and whatever judging it throws, there is an event for it: a call is counted. */
async function judgedOrRejected(
  context: PlanContext,
  decide: Decide,
  built: Window,
  attempt: ModelTry,
  sound: SoundOutput,
  signal: AbortSignal,
): Promise<readonly EventBody[]> {
  if (!sound.ok) return rejected(context, attempt, { error: invalid(sound.why), built });
  try {
    return await judged(context, decide, built, attempt, sound.output, signal);
  } catch (error) {
    if (signal.aborted) return []; // stopped while a schema was asked: the next worker calls again
    return rejected(context, attempt, { error, built });
  }
}

function invalid(why: string): HoldpointError {
  return new HoldpointError("invalid_decision", why, { retryable: true });
}

function tooSlow(timeoutMs: number): HoldpointError {
  return new HoldpointError("model_timeout", `no answer within ${timeoutMs} ms`, { retryable: true });
}

/** Pieces of the output go to displays as they come, without secrets (I11); nothing else depends on them. */
function progressOf(
  context: PlanContext,
  { key, attempt }: ModelTry,
): Parameters<Model["generate"]>[1] | object {
  const { runtime, threadId } = context;
  if (!runtime.stream) return {};
  const onProgress = streamRedactor(runtime.redact, (progress) =>
    runtime.observe({ kind: "progress", threadId, key, attempt, progress }),
  );
  return { onProgress };
}

async function judged(
  context: PlanContext,
  decide: Decide,
  built: Window,
  attempt: ModelTry,
  output: ModelOutput,
  signal: AbortSignal,
): Promise<readonly EventBody[]> {
  const { runtime, agent } = context;
  const usage = output.usage ?? estimateUsage(context, built, output);
  const overflow = silentOverflow({
    ...output,
    facts: runtime.modelFacts(attempt.model.id),
    sentTokens: built.record.tokens,
    maxOutputTokens: built.input.maxOutputTokens,
  });
  if (overflow) return rejected(context, attempt, { error: overflowed(overflow), built, output });
  const rules: DecisionRules = {
    tools: toolsOf(agent),
    offer: built.offer,
    encoding: encodings[agent.encoding],
    answer: decide.options.output ?? agent.output,
    gate: agent.gate,
    callIdPrefix: callIdPrefix(decide.key),
    validate: validateWithin(runtime.clock, signal),
  };
  const validated = await validateDecision(output, rules);
  if (!validated.ok) {
    const why = await cleanReason(context, output, rules, validated.why);
    return rejected(context, attempt, { error: invalid(why), built, output });
  }
  return [
    event("decision_made", {
      key: decide.key,
      attempt: attempt.attempt,
      durationMs: elapsed(runtime, attempt.startedAt),
      decision: validated.decision,
      model: attempt.model.id,
      usage,
      window: built.record,
      ...callRecord(context, attempt, output, usage),
      ...(output.firstTokenMs === undefined ? {} : { firstTokenMs: Math.round(output.firstTokenMs) }),
      ...(validated.repairs.length === 0 ? {} : { repairs: validated.repairs }),
    }),
  ];
}

/** I11. What is wrong, told of the output without its secrets: a reason may quote a part of it, and half a secret is one too. */
async function cleanReason(
  { runtime }: PlanContext,
  output: ModelOutput,
  rules: DecisionRules,
  why: string,
): Promise<string> {
  const { text, calls } = output;
  const clean = runtime.redact.value({ text, calls });
  if (JSON.stringify(clean) === JSON.stringify({ text, calls })) return why;
  const again = await validateDecision({ ...output, ...clean }, rules);
  return again.ok ? "it holds a declared secret" : again.why;
}

function overflowed({ reason, limitTokens }: SilentOverflow): HoldpointError {
  return new HoldpointError("model_overflow", reason, {
    details: limitTokens === undefined ? {} : { limitTokens },
  });
}

/** What the log keeps of a call besides its output. */
function callRecord(
  context: PlanContext,
  { model, prompt }: ModelTry,
  output: ModelOutput | undefined,
  usage: Usage,
) {
  const price = context.runtime.modelFacts(model.id)?.price;
  return {
    ...(output?.warnings?.length ? { warnings: output.warnings } : {}),
    ...(output?.wire ? { wire: output.wire } : {}),
    ...(prompt ? { prompt } : {}),
    ...(price && usage !== noUsage ? { cost: { usd: costOf(usage, price), pricedAt: price.asOf } } : {}),
  };
}

const noUsage: Usage = { inputTokens: 0, outputTokens: 0 };

interface Failure {
  readonly error: unknown;
  readonly built?: Window;
  /** Absent when the call itself failed. */
  readonly output?: ModelOutput;
}

/** A try that gave no decision, and when the next one is due. */
export function rejected(context: PlanContext, attempt: ModelTry, failure: Failure): readonly EventBody[] {
  const { runtime } = context;
  const { key, model } = attempt;
  const { built, output } = failure;
  const retryable = isRetryable(failure.error);
  const error = { ...recordError(failure.error, "model_failed"), ...(retryable ? { retryable } : {}) };
  const usage = output
    ? (output.usage ?? (built ? estimateUsage(context, built, output) : noUsage))
    : noUsage;
  const rejection = event("decision_rejected", {
    key,
    attempt: attempt.attempt,
    durationMs: elapsed(runtime, attempt.startedAt),
    error,
    model: model.id,
    usage,
    retryAt: retryAt(context, attempt, failure.error, error.code),
    ...comebackOf(context, failure.error),
    ...(output ? { evidence: evidenceOf(context, output) } : {}),
    ...(built ? { window: built.record } : {}),
    ...callRecord(context, attempt, output, usage),
  });
  if (error.code !== "model_overflow") return [rejection];
  const limitTokens = detail(failure.error, "limitTokens");
  return [
    event("overflow_reported", {
      key,
      attempt: attempt.attempt,
      model: model.id,
      message: error.message,
      sentTokens: built?.record.tokens ?? 0,
      limitTokens,
    }),
    rejection,
  ];
}

function detail(error: unknown, name: string): number | null {
  const value = isHoldpointError(error) ? error.details?.[name] : undefined;
  return typeof value === "number" && value > 0 ? value : null;
}

/** When the model is asked again; `null` when a person is. Waits are in the log, so they outlast the worker. */
function retryAt(context: PlanContext, attempt: ModelTry, error: unknown, code: string): string | null {
  const { runtime, agent } = context;
  const { invalidOutputs = 0, modelFailures = 0, overflows = 0, comebacks = [] } = attempt.known ?? {};
  const now = new Date(runtime.clock.now()).toISOString();
  if (code === "invalid_decision") return invalidOutputs < agent.limits.invalidOutputs ? now : null;
  if (code === "model_overflow" && overflows === 0) return now; // once more, in a smaller window
  const failures = modelFailures + 1;
  const { comesBackAt = null } = comebackOf(context, error);
  const own = isRetryable(error) ? [{ failure: failures, at: comesBackAt }] : [];
  const next = afterModelFailure({
    failures,
    models: attempt.models,
    mostRounds: agent.limits.modelFailures,
    comebacks: [...comebacks, ...own],
  });
  switch (next.kind) {
    case "now":
      return now;
    case "later":
      return retryTime(
        runtime,
        next.round,
        1_000,
        next.at === null ? 0 : Date.parse(next.at) - runtime.clock.now(),
      );
    case "never":
      return null;
    default:
      return next satisfies never;
  }
}

function comebackOf({ runtime }: PlanContext, error: unknown): { readonly comesBackAt?: string } {
  const afterMs = isHoldpointError(error) && error.retryable ? error.retryAfterMs : undefined;
  return afterMs === undefined ? {} : { comesBackAt: new Date(runtime.clock.now() + afterMs).toISOString() };
}

/** What a Model throws that is no error of ours is taken for a passing fault. */
function isRetryable(error: unknown): boolean {
  return !isHoldpointError(error) || error.retryable;
}

function estimateUsage(context: PlanContext, built: Window, output: ModelOutput): Usage {
  const { count } = context.runtime.counter;
  const calls = output.calls.length === 0 ? 0 : count(JSON.stringify(output.calls) ?? "");
  return { inputTokens: built.record.tokens, outputTokens: count(output.text) + calls };
}

/** Longest evidence of one output, in characters: what a person can read. */
const evidenceLength = 4_000;

/** Redacted before it is cut, since half a secret is one too. */
function evidenceOf({ runtime }: PlanContext, { finish, text, calls }: ModelOutput): string {
  const shown = runtime.redact.value({
    finish,
    ...(text === "" ? {} : { text }),
    ...(calls.length === 0 ? {} : { calls: calls.map(({ callId, tool, args }) => ({ callId, tool, args })) }),
  });
  const json = JSON.stringify(shown);
  return json.length <= evidenceLength
    ? json
    : `${json.slice(0, evidenceLength)}… (${json.length} characters)`;
}

/** Ids of calls are ours: unique in the thread, and of a form that every provider takes (letters, digits, `_`, at most 40). */
function callIdPrefix(key: string): string {
  return /^decide#\d+$/.test(key) ? key.replace("#", "_") : `decide_${sha256(key).slice(0, 20)}`;
}
