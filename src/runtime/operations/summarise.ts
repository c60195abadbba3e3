// I8. A model may tell old steps in short. What it says is used only when it is sound, it is an event, and whatever goes
// wrong leaves the extract that rules make: a failed summary loses nothing.
import { costOf } from "../../core/cost.ts";
import { stripReasoning } from "../../core/encodings/read-json.ts";
import { type ErrorInfo, HoldpointError, toErrorInfo } from "../../core/errors.ts";
import { event, type Usage } from "../../core/events.ts";
import type { ModelInput } from "../../core/window/model-input.ts";
import type { Count } from "../../core/window/parts.ts";
import type { WindowSettings } from "../../core/window/settings.ts";
import { summaryInput } from "../../core/window/summary-input.ts";
import type { Window } from "../../core/window/window.ts";
import type { WindowRequest } from "../../core/window/window-request.ts";
import type { ModelOutput } from "../../ports/model.ts";
import { type Facts, facts, noFacts } from "../stored.ts";
import { withTimeout } from "../with-timeout.ts";
import { elapsed, type Plan, type PlanContext } from "./plan.ts";
import { soundOutput } from "./sound-output.ts";

/**
 * What a model has to do before a decision, when its window was compacted further than any summary goes; else `null`.
 * Decisions side by side share one summary.
 */
export function planSummary(
  context: PlanContext,
  key: string,
  request: WindowRequest,
  built: Window,
): Plan | null {
  const { summary } = context.agent.window;
  const toSeq = built.record.view?.summarised ?? 0;
  const { compaction, lastWindow } = context.state;
  const summed = Math.max(compaction?.toSeq ?? 0, lastWindow?.record.view?.summarised ?? 0);
  if (!summary || toSeq <= summed) return null;
  if (context.exclusiveRunning) return { kind: "later" };
  const task: Task = { key, toSeq, model: summary.model, input: inputOf(summary, request, toSeq) };
  return {
    kind: "perform",
    intent: [],
    intentFirst: false,
    exclusive: true,
    about: { kind: "model", key, attempt: 1, model: null, input: task.input.input },
    effect: (signal) => summarise(context, task, signal),
  };
}

interface Task {
  readonly key: string;
  readonly toSeq: number;
  readonly model: unknown;
  readonly input: SummaryInput;
}

interface Told {
  readonly model: string;
  readonly output?: ModelOutput;
  readonly summary: string | null;
  readonly error?: ErrorInfo;
}

async function summarise(context: PlanContext, task: Task, signal: AbortSignal): Promise<Facts> {
  const { runtime } = context;
  const startedAt = runtime.clock.now();
  const told = await ask(context, task, signal);
  if (told === null) return noFacts;
  const usage = told.output ? (told.output.usage ?? estimate(context, task.input, told.output)) : noUsage;
  const price = told.output && runtime.modelFacts(told.model)?.price;
  const compacted = facts(
    event("window_compacted", {
      key: task.key,
      durationMs: elapsed(runtime, startedAt),
      model: told.model,
      usage,
      ...(price ? { cost: { usd: costOf(usage, price), pricedAt: price.asOf } } : {}),
      toSeq: task.toSeq,
      summary: told.summary,
      ...(told.error ? { error: told.error } : {}),
    }),
  );
  return told.output ? { ...compacted, output: told.output } : compacted;
}

/** `null` when it was stopped: the next worker asks again. */
async function ask(context: PlanContext, task: Task, signal: AbortSignal): Promise<Told | null> {
  const { runtime, agent } = context;
  let model = "unknown";
  try {
    const resolved = await runtime.resolveModel(task.model);
    model = resolved.id;
    const ended = await withTimeout(runtime.clock, agent.modelTimeoutMs, signal, (inner) =>
      resolved.generate(task.input.input, { signal: inner }),
    );
    if (ended.kind === "aborted") return null;
    if (ended.kind === "threw") throw ended.error;
    if (ended.kind === "timeout")
      throw new HoldpointError("model_timeout", `no summary within ${agent.modelTimeoutMs} ms`);
    const sound = soundOutput(ended.value);
    if (!sound.ok) throw new HoldpointError("invalid_decision", sound.why);
    const { output } = sound;
    const why = flawOf(task.input.tokens, output, runtime.counter.count);
    if (why !== null)
      return { model, output, summary: null, error: { code: "invalid_decision", message: why } };
    return { model, output, summary: textOf(output) };
  } catch (error) {
    return { model, summary: null, error: toErrorInfo(error, "model_failed") };
  }
}

/** What the summarising model is given, and how many tokens the steps in it take. */
interface SummaryInput {
  readonly input: ModelInput;
  readonly tokens: number;
}

function inputOf(
  summary: NonNullable<WindowSettings["summary"]>,
  request: WindowRequest,
  toSeq: number,
): SummaryInput {
  const { maxInputTokens, maxOutputTokens } = summary;
  const instructions = request.redact(summary.instructions);
  const steps = summaryInput(request, toSeq, maxInputTokens - request.count(instructions));
  const messages = [
    { role: "system", content: instructions },
    { role: "user", content: steps },
  ] as const;
  return { input: { messages, tools: [], maxOutputTokens }, tokens: request.count(steps) };
}

function textOf({ text }: ModelOutput): string {
  return stripReasoning(text)?.text.trim() ?? "";
}

/** Why a summary cannot be used. */
function flawOf(given: number, output: ModelOutput, count: Count): string | null {
  if (output.finish === "length") return "the summary was cut off";
  if (output.finish === "refused") return "the provider withheld it";
  if (output.calls.length > 0) return "it calls tools";
  const text = textOf(output);
  if (text === "") return "the summary is empty";
  const size = count(text);
  return size < given ? null : `it takes ${size} tokens, no less than the ${given} that it is of`;
}

const noUsage: Usage = { inputTokens: 0, outputTokens: 0 };

function estimate({ runtime }: PlanContext, { input }: SummaryInput, output: ModelOutput): Usage {
  const { count } = runtime.counter;
  const inputTokens = input.messages.reduce((total, { content }) => total + count(content), 0);
  return { inputTokens, outputTokens: count(output.text) };
}
