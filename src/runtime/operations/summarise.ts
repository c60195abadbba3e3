// I8. A model may tell old steps in short. What it says is used only when it is sound, it is an event, and whatever goes
// wrong leaves the extract that rules make: a failed summary loses nothing.

import { costOf } from "../../core/cost.ts";
import { stripReasoning } from "../../core/encodings/read-json.ts";
import { type ErrorInfo, HoldpointError, toErrorInfo } from "../../core/errors.ts";
import { event, type Usage } from "../../core/events.ts";
import type { ModelInput } from "../../core/window/model-input.ts";
import type { WindowSettings } from "../../core/window/settings.ts";
import { summaryInput } from "../../core/window/summary-input.ts";
import type { Window, WindowRequest } from "../../core/window/window.ts";
import type { ModelOutput } from "../../ports/model.ts";
import { type Facts, facts, noFacts } from "../stored.ts";
import { withTimeout } from "../with-timeout.ts";
import { elapsed, type Plan, type PlanContext, wait } from "./plan.ts";
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
  if (context.exclusiveRunning) return wait;
  return {
    kind: "perform",
    intent: [],
    intentFirst: false,
    exclusive: true,
    effect: (signal) => summarise(context, { key, toSeq, summary, request }, signal),
  };
}

interface Task {
  readonly key: string;
  readonly toSeq: number;
  readonly summary: NonNullable<WindowSettings["summary"]>;
  readonly request: WindowRequest;
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
  const usage = told.output ? (told.output.usage ?? estimate(context, task, told.output)) : noUsage;
  const price = told.output && runtime.modelFacts(told.model)?.price;
  return facts(
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
}

/** `null` when it was stopped: the next worker asks again. */
async function ask(context: PlanContext, task: Task, signal: AbortSignal): Promise<Told | null> {
  const { runtime, agent } = context;
  let model = "unknown";
  try {
    const resolved = await runtime.resolveModel(task.summary.model);
    model = resolved.id;
    const input = inputOf(task);
    const ended = await withTimeout(runtime.clock, agent.modelTimeoutMs, signal, (inner) =>
      resolved.generate(input, { signal: inner }),
    );
    if (ended.kind === "aborted") return null;
    if (ended.kind === "threw") throw ended.error;
    if (ended.kind === "timeout")
      throw new HoldpointError("model_timeout", `no summary within ${agent.modelTimeoutMs} ms`);
    const sound = soundOutput(ended.value);
    if (!sound.ok) throw new HoldpointError("invalid_decision", sound.why);
    const { output } = sound;
    const why = flawOf(task, output);
    if (why !== null)
      return { model, output, summary: null, error: { code: "invalid_decision", message: why } };
    return { model, output, summary: textOf(output) };
  } catch (error) {
    return { model, summary: null, error: toErrorInfo(error, "model_failed") };
  }
}

function inputOf({ summary, request, toSeq }: Task): ModelInput {
  const { maxInputTokens, maxOutputTokens } = summary;
  const instructions = request.redact(summary.instructions);
  return {
    messages: [
      { role: "system", content: instructions },
      { role: "user", content: summaryInput(request, toSeq, maxInputTokens - request.count(instructions)) },
    ],
    tools: [],
    maxOutputTokens,
  };
}

function textOf({ text }: ModelOutput): string {
  return stripReasoning(text)?.text.trim() ?? "";
}

/** Why a summary cannot be used. */
function flawOf({ request, toSeq, summary }: Task, output: ModelOutput): string | null {
  if (output.finish === "length") return "the summary was cut off";
  if (output.finish === "refused") return "the provider withheld it";
  if (output.calls.length > 0) return "it calls tools";
  const text = textOf(output);
  if (text === "") return "the summary is empty";
  const given = request.count(summaryInput(request, toSeq, summary.maxInputTokens));
  const size = request.count(text);
  return size < given ? null : `it takes ${size} tokens, no less than the ${given} that it is of`;
}

const noUsage: Usage = { inputTokens: 0, outputTokens: 0 };

function estimate({ runtime }: PlanContext, task: Task, output: ModelOutput): Usage {
  const { count } = runtime.counter;
  const [system, user] = inputOf(task).messages;
  return {
    inputTokens: count(system?.content ?? "") + count(user?.content ?? ""),
    outputTokens: count(output.text),
  };
}
