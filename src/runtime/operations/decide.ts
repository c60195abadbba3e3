// I7, I9. What goes to the model comes from the window and fits; what comes back is used only after it validates.
import { encodings } from "../../core/encodings/encodings.ts";
import { type ErrorInfo, isHoldpointError, toErrorInfo } from "../../core/errors.ts";
import { type EscalationReason, type EventBody, event } from "../../core/events.ts";
import type { PendingOperation } from "../../core/flow.ts";
import { type Json, toJson } from "../../core/json.ts";
import { limitAgainstDecision } from "../../core/limits.ts";
import { modelIndex } from "../../core/model-retry.ts";
import { promptVersion, type RenderedPrompt, renderPrompt } from "../../core/prompt/prompt.ts";
import type { Operation } from "../../core/state.ts";
import { uncalibrated } from "../../core/window/calibration.ts";
import { type SeenText, seenText } from "../../core/window/see.ts";
import { buildWindow, type Window } from "../../core/window/window.ts";
import type { WindowRequest } from "../../core/window/window-request.ts";
import type { Model } from "../../ports/model.ts";
import { limitReached } from "./limit.ts";
import { callModel, type ModelTry, rejected } from "./model-call.ts";
import { offerFor } from "./offer.ts";
import { afterEscalation, append, isDue, type Plan, type PlanContext, wait } from "./plan.ts";
import { openRequest } from "./request.ts";
import { planSummary } from "./summarise.ts";

export type Decide = Extract<PendingOperation, { kind: "decide" }>;

export async function planDecide(
  context: PlanContext,
  decide: Decide,
  known: Operation | undefined,
): Promise<Plan> {
  const { agent, runtime, state } = context;
  const escalation = known?.request ? afterEscalation(context, known.request) : null;
  if (escalation) return escalation;
  if (known?.retryAt && !isDue(runtime, known.retryAt)) return wait;
  if (known?.lastError && known.retryAt === null && triesOf(known) > 0)
    return append(givenUp(context, decide.key, known, known.lastError));
  const hit = limitAgainstDecision(state, agent.limits);
  if (hit) return limitReached(context, decide.key, hit);
  return planCall(context, decide, known);
}

/** Tries that failed since a person last said to go on. */
function triesOf(known: Operation): number {
  return known.invalidOutputs + known.modelFailures + known.overflows;
}

/** A person gets what happened, and with unusable outputs the outputs themselves. */
function givenUp(context: PlanContext, key: string, known: Operation, error: ErrorInfo): EventBody {
  const tries = triesOf(known);
  const { reason, question } = helpNeeded(error, key);
  const evidence = known.evidence.map((output, index) => `Output ${index + 1}: ${output}`).join("\n\n");
  return openRequest(context, key, {
    kind: "escalation",
    reason,
    why: `${error.message} (${tries} ${tries === 1 ? "try" : "tries"})`,
    question,
    choices: ["continue", "stop"],
    ...(evidence === "" ? {} : { evidence }),
  });
}

function helpNeeded(
  error: ErrorInfo,
  key: string,
): { readonly reason: EscalationReason; readonly question: string } {
  switch (error.code) {
    case "invalid_decision":
      return {
        reason: "invalid_output",
        question: `The model gave nothing usable for ${key}. Ask it again?`,
      };
    case "model_overflow":
    case "window_over_budget":
      return { reason: "overflow", question: `The input of ${key} does not fit the model. Try once more?` };
    default: {
      const fix = error.fix === undefined ? "" : ` ${error.fix}`;
      return {
        reason: "model_failed",
        question: `There is no answer from the model for ${key}.${fix} Try again?`,
      };
    }
  }
}

async function planCall(context: PlanContext, decide: Decide, known: Operation | undefined): Promise<Plan> {
  const { runtime } = context;
  let prompt: RenderedPrompt;
  try {
    prompt = promptFor(context);
  } catch (error) {
    return append(event("thread_failed", { error: toErrorInfo(error, "prompt_invalid") }));
  }
  const { text: system, ...record } = prompt;
  const named = modelsOf(context.agent.model);
  const choice = named[modelIndex(known?.modelFailures ?? 0, named.length)];
  const attempt: Omit<ModelTry, "model"> = {
    key: decide.key,
    attempt: (known?.attempt ?? 0) + 1,
    known,
    models: named.length,
    startedAt: runtime.clock.now(),
    ...(system === "" ? {} : { prompt: record }),
  };
  let model: Model;
  try {
    model = await runtime.resolveModel(choice);
  } catch (error) {
    const id = typeof choice === "string" ? choice : "unknown";
    return append(...rejected(context, { ...attempt, model: { id } }, { error }));
  }
  const request = windowRequest(context, decide, known, { modelId: model.id, system });
  let built: Window;
  try {
    built = windowWithReader(context, decide, request);
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    const isTooLarge = isHoldpointError(error, "window_over_budget");
    if (isTooLarge && budgetFor(context, known, model.id) < context.agent.window.budget)
      return append(...rejected(context, { ...attempt, model }, { error })); // too little for this model, not for all
    return append(event("thread_failed", { error: toErrorInfo(error, "window_over_budget") }));
  }
  const summary = planSummary(context, decide.key, request, built);
  if (summary) return summary;
  return {
    kind: "perform",
    intent: [],
    intentFirst: false,
    exclusive: false,
    about: { kind: "model", key: decide.key, attempt: attempt.attempt, model: model.id, input: built.input },
    effect: (signal) => callModel(context, decide, built, model, { ...attempt, model }, signal),
  };
}

/** An agent names one model, or several: the next is asked when one cannot be. */
function modelsOf(named: unknown): readonly unknown[] {
  return Array.isArray(named) && named.length > 0 ? named : [named];
}

/** I11. The prompt as it may leave the process; a version that follows from the text is that of this one. */
function promptFor({ agent, runtime, input }: PlanContext): RenderedPrompt {
  const rendered = renderPrompt(agent.prompt, { input });
  const text = runtime.redact.value(rendered.text);
  return { ...rendered, text, version: rendered.name === undefined ? promptVersion(text) : rendered.version };
}

/** From the first value that is shown by reference on, the model can read it, where there is room to offer that. */
function windowWithReader(
  { agent, runtime: { redact }, state }: PlanContext,
  decide: Decide,
  request: WindowRequest,
): Window {
  const withReader = (): Window =>
    buildWindow({ ...request, offer: offerFor(agent, decide.options, { readsReferences: true, redact }) });
  const built = state.showsReferences ? null : buildWindow(request);
  if (built && !built.record.references) return built;
  try {
    return withReader();
  } catch (error) {
    if (!isHoldpointError(error, "window_over_budget")) throw error;
    return built ?? buildWindow(request);
  }
}

function windowRequest(
  context: PlanContext,
  decide: Decide,
  known: Operation | undefined,
  { modelId, system }: { readonly modelId: string; readonly system: string },
): WindowRequest {
  const { agent, runtime, state, input } = context;
  const { redact } = runtime;
  return {
    state,
    settings: agent.window,
    system,
    input: { value: input, text: typeof input === "string" ? input : (JSON.stringify(input) ?? "") },
    offer: offerFor(agent, decide.options, { readsReferences: false, redact }),
    encoding: encodings[agent.encoding],
    tools: agent.tools,
    artifact: (digest) => context.artifacts.get(digest),
    see: seenBy(context, decide),
    correction: known?.correction ? `Your last output could not be used: ${known.correction}` : null,
    budget: budgetFor(context, known, modelId),
    maxOutputTokens: roomFor(context, modelId).output,
    count: runtime.counter.count,
    calibration: state.calibrations.get(modelId) ?? uncalibrated,
    redact: redact.value,
  };
}

/** What code wants seen, without secrets. */
function seenBy({ runtime }: PlanContext, { options }: Decide): SeenText | null {
  if (options.see === undefined) return null;
  const see = runtime.redact.value(toJson(options.see)) as { readonly [name: string]: Json }; // JSON of an object
  return seenText(see, options.seeTokens, runtime.counter.count);
}

/** What the model's own limits leave for input and output. The output takes half of its context at most. */
function roomFor(
  { agent, runtime, state }: PlanContext,
  modelId: string,
): { readonly input: number; readonly output: number } {
  const facts = runtime.modelFacts(modelId);
  const context = state.contextLimits.get(modelId) ?? facts?.contextTokens ?? Number.POSITIVE_INFINITY;
  const most = facts?.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const output = Math.max(1, Math.min(agent.maxOutputTokens, most, Math.floor(context / 2)));
  return { input: context - output, output };
}

/** After an overflow the window of its model shrinks to this share of what was sent. */
const shareAfterOverflow = 0.7;

/** The agent's budget, as far as the model has room for it. */
function budgetFor(context: PlanContext, known: Operation | undefined, modelId: string): number {
  const { overflow = null } = known ?? {};
  const shrunk =
    overflow?.model === modelId && overflow.sentTokens > 0
      ? Math.floor(overflow.sentTokens * shareAfterOverflow)
      : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(context.agent.window.budget, roomFor(context, modelId).input, shrunk));
}
