// I7, I9. What goes to the model comes from the window and fits; what comes back is used only after it validates.
import { sha256 } from "../../core/digest.ts";
import type { Offer } from "../../core/encodings/encoding.ts";
import { encodings } from "../../core/encodings/encodings.ts";
import { type ErrorInfo, HoldpointError, isHoldpointError, toErrorInfo } from "../../core/errors.ts";
import { type EventBody, event, type Usage } from "../../core/events.ts";
import type { PendingOperation } from "../../core/flow.ts";
import { toJson } from "../../core/json.ts";
import { limitAgainstDecision } from "../../core/limits.ts";
import type { Operation } from "../../core/state.ts";
import type { ModelTool } from "../../core/window/model-input.ts";
import { buildWindow, type Window } from "../../core/window/window.ts";
import type { Model, ModelOutput } from "../../ports/model.ts";
import { type Facts, facts, noFacts } from "../stored.ts";
import { withTimeout } from "../with-timeout.ts";
import { limitReached } from "./limit.ts";
import {
  afterEscalation,
  append,
  elapsed,
  escalate,
  isDue,
  type Plan,
  type PlanContext,
  retryTime,
  wait,
} from "./plan.ts";
import { validateDecision } from "./validate-decision.ts";

type Decide = Extract<PendingOperation, { kind: "decide" }>;

/** A model call that takes longer is given up and tried again. */
const modelTimeoutMs = 120_000;

export function planDecide(context: PlanContext, decide: Decide, known: Operation | undefined): Plan {
  const { agent, runtime, state } = context;
  const escalation = known?.request ? afterEscalation(context, known.request) : null;
  if (escalation) return escalation;
  if (known?.retryAt && !isDue(runtime, known.retryAt)) return wait;
  const failures = known ? known.invalidOutputs + known.modelFailures : 0;
  if (known?.lastError && known.retryAt === null && failures > 0)
    return append(givenUp(context, decide.key, known.lastError, failures));
  const hit = limitAgainstDecision(state, agent.limits);
  if (hit) return limitReached(context, decide.key, hit);
  return planCall(context, decide, known);
}

function givenUp(context: PlanContext, key: string, error: ErrorInfo, tries: number): EventBody {
  const reason = error.code === "invalid_decision" ? "invalid_output" : "model_failed";
  return escalate(
    context,
    key,
    reason,
    `${error.message} (${tries} tries)`,
    `The model gave nothing usable for ${key}. Try again?`,
  );
}

function planCall(context: PlanContext, decide: Decide, known: Operation | undefined): Plan {
  let built: Window;
  try {
    built = windowFor(context, decide, known);
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    return append(event("thread_failed", { error: toErrorInfo(error, "window_over_budget") }));
  }
  return {
    kind: "perform",
    intent: [],
    intentFirst: false,
    exclusive: false,
    effect: (signal) => callModel(context, decide, built, triesOf(known), signal),
  };
}

function windowFor(context: PlanContext, decide: Decide, known: Operation | undefined): Window {
  const { agent, runtime, state, input } = context;
  const { redact } = runtime;
  const system = typeof agent.prompt === "string" ? agent.prompt : agent.prompt({ input });
  const see =
    decide.options.see === undefined ? null : JSON.stringify(redact.value(toJson(decide.options.see)));
  const wasInvalid = known?.lastError?.code === "invalid_decision";
  return buildWindow({
    state,
    system: redact.value(system),
    input: typeof input === "string" ? input : (JSON.stringify(input) ?? ""),
    offer: offerFor(context, decide),
    encoding: encodings[agent.encoding],
    see,
    correction: wasInvalid ? `Your last output could not be used: ${known.lastError?.message}` : null,
    budget: agent.window.budget,
    maxOutputTokens: agent.maxOutputTokens,
    count: runtime.counter.count,
  });
}

const offers = new WeakMap<object, Map<string, Offer>>();

/** What this decision offers. The same object for the same names, so that it is put into words and counted once. */
function offerFor(context: PlanContext, decide: Decide): Offer {
  const { agent } = context;
  const known = offers.get(agent) ?? new Map<string, Offer>();
  offers.set(agent, known);
  const names = decide.options.tools ?? [...agent.tools.keys()];
  const id = names.join(" ");
  const offer = known.get(id) ?? {
    tools: names.map((name) => modelTool(context, name)),
    answer: agent.outputSchema ?? null,
  };
  known.set(id, offer);
  return offer;
}

function modelTool(context: PlanContext, name: string): ModelTool {
  const tool = context.agent.tools.get(name);
  if (tool) return { name, description: tool.description, inputSchema: tool.inputSchema };
  throw new HoldpointError(
    "tool_unknown",
    `t.decide() offers "${name}", which agent ${context.agent.name} does not have`,
  );
}

interface Tries {
  /** Counted over the operation's life. */
  readonly attempt: number;
  /** Counted since a person last said to go on, apart by cause. */
  readonly invalidOutputs: number;
  readonly modelFailures: number;
}

function triesOf(known: Operation | undefined): Tries {
  const { attempt = 0, invalidOutputs = 0, modelFailures = 0 } = known ?? {};
  return { attempt: attempt + 1, invalidOutputs, modelFailures };
}

async function callModel(
  context: PlanContext,
  decide: Decide,
  built: Window,
  tries: Tries,
  signal: AbortSignal,
): Promise<Facts> {
  const { runtime, agent } = context;
  const startedAt = runtime.clock.now();
  let model: Model;
  try {
    model = await runtime.resolveModel(agent.model);
  } catch (error) {
    return facts(
      rejected(context, decide.key, tries, startedAt, {
        model: typeof agent.model === "string" ? agent.model : "unknown",
        usage: noUsage,
        error,
      }),
    );
  }
  const ended = await withTimeout(runtime.clock, modelTimeoutMs, signal, (inner) =>
    model.generate(built.input, { signal: inner }),
  );
  if (ended.kind === "aborted") return noFacts;
  if (ended.kind === "timeout" || ended.kind === "threw") {
    const error =
      ended.kind === "threw"
        ? ended.error
        : new HoldpointError("model_timeout", `no answer within ${modelTimeoutMs} ms`, { retryable: true });
    return facts(rejected(context, decide.key, tries, startedAt, { model: model.id, usage: noUsage, error }));
  }
  return facts(await judged(context, decide, built, tries, startedAt, model.id, ended.value));
}

async function judged(
  context: PlanContext,
  decide: Decide,
  built: Window,
  tries: Tries,
  startedAt: number,
  model: string,
  output: ModelOutput,
): Promise<EventBody> {
  const usage = output.usage ?? estimateUsage(context, built, output);
  const validated = await validateDecision(output, {
    tools: context.agent.tools,
    offer: offerFor(context, decide),
    encoding: encodings[context.agent.encoding],
    answer: context.agent.output,
    gate: context.agent.gate,
    callIdPrefix: callIdPrefix(decide.key),
  });
  if (!validated.ok) {
    return rejected(context, decide.key, tries, startedAt, {
      model,
      usage,
      error: new HoldpointError("invalid_decision", validated.why, { retryable: true }),
    });
  }
  return event("decision_made", {
    key: decide.key,
    attempt: tries.attempt,
    durationMs: elapsed(context.runtime, startedAt),
    decision: validated.decision,
    model,
    usage,
    window: built.record,
    ...(validated.repairs.length === 0 ? {} : { repairs: validated.repairs }),
  });
}

const noUsage: Usage = { inputTokens: 0, outputTokens: 0 };

function rejected(
  context: PlanContext,
  key: string,
  tries: Tries,
  startedAt: number,
  result: { readonly model: string; readonly usage: Usage; readonly error: unknown },
): EventBody {
  const { runtime, agent } = context;
  const error = toErrorInfo(result.error, "model_failed");
  const invalid = error.code === "invalid_decision";
  const most = invalid ? agent.limits.invalidOutputs : agent.limits.modelFailures;
  const before = invalid ? tries.invalidOutputs : tries.modelFailures;
  const retryable = !isHoldpointError(result.error) || result.error.retryable;
  const retryAt =
    !retryable || before >= most
      ? null
      : invalid
        ? new Date(runtime.clock.now()).toISOString()
        : retryTime(runtime, before + 1, 1_000);
  return event("decision_rejected", {
    key,
    attempt: tries.attempt,
    durationMs: elapsed(runtime, startedAt),
    error,
    model: result.model,
    usage: result.usage,
    retryAt,
  });
}

function estimateUsage(context: PlanContext, built: Window, output: ModelOutput): Usage {
  const { count } = context.runtime.counter;
  const calls = output.calls.length === 0 ? 0 : count(JSON.stringify(output.calls) ?? "");
  return { inputTokens: built.record.tokens, outputTokens: count(output.text) + calls };
}

/** Ids of calls are ours: unique in the thread, and of a form that every provider takes (letters, digits, `_`, at most 40). */
function callIdPrefix(key: string): string {
  return /^decide#\d+$/.test(key) ? key.replace("#", "_") : `decide_${sha256(key).slice(0, 20)}`;
}
