// `check --probe`: one small call of the agent's model with its real prompt and tools, and a knock at each channel.
import type { Agent } from "../core/agent.ts";
import { mayDecide } from "../core/check/check-prompt.ts";
import { finding } from "../core/check/codes.ts";
import type { Finding } from "../core/check/finding.ts";
import { promptText } from "../core/check/prompt-text.ts";
import { costOf } from "../core/cost.ts";
import { encodings } from "../core/encodings/encodings.ts";
import { isHoldpointError, toErrorInfo } from "../core/errors.ts";
import type { Usage } from "../core/events.ts";
import { modelFacts } from "../models/model-facts.ts";
import { modelResolver } from "../models/resolve-model.ts";
import { tokenEstimator } from "../models/token-estimator.ts";
import { untilAborted } from "../models/until-aborted.ts";
import type { DeliveryChannel } from "../ports/channel.ts";
import type { ModelInput } from "../ports/model.ts";
import type { Context } from "./context.ts";
import { formatCount } from "./format.ts";

export interface Probed {
  readonly findings: readonly Finding[];
  /** For people, a line each. */
  readonly said: readonly string[];
}

/** The least that all providers take as a limit (OpenAI's responses: 16). */
const mostOutput = 16;
const longestMs = 60_000;

/** @param timeoutMs for the model, and for each channel. Default 60 s; a channel's own limit may be shorter. */
export async function probe(
  context: Pick<Context, "settings" | "signal">,
  agent: Agent,
  {
    channels,
    timeoutMs = longestMs,
  }: { readonly channels: readonly DeliveryChannel[]; readonly timeoutMs?: number },
): Promise<Probed> {
  const { signal } = context;
  const model = mayDecide(agent) ? [await probeModel(context, agent, timeoutMs)] : [];
  const others = await Promise.all(channels.map((channel) => probeChannel(channel, { signal, timeoutMs })));
  const all = [...model, ...others];
  return { findings: all.flatMap(({ findings }) => findings), said: all.flatMap(({ said }) => said) };
}

async function probeModel(
  { settings, signal }: Pick<Context, "settings" | "signal">,
  agent: Agent,
  timeoutMs: number,
): Promise<Probed> {
  const { defaultModel, providers, counter = tokenEstimator } = settings;
  const input = probeInput(agent);
  const counted = counter.count(JSON.stringify([input.messages, input.tools]));
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const [named] = Array.isArray(agent.model) ? agent.model : [agent.model];
    const model = await modelResolver({ defaultModel, providers })(named);
    const { usage } = await untilAborted(model.generate(input, { signal: limit }), limit);
    const said = `${model.id} takes prompt and tools${usage ? `: ${describeUsage(model.id, usage)}` : ""}`;
    return { findings: usage ? countFinding(usage, counted) : [], said: [said] };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted)
      return late("probe_model_failed", "model", `the model gave no answer within ${timeoutMs} ms`);
    const { code, message, fix } = toErrorInfo(error, "model_failed");
    if (code === "model_interrupted")
      return {
        findings: [],
        said: ["the model takes prompt and tools (its answer was cut off, as it should be)"],
      };
    return { findings: [finding("probe_model_failed", { kind: "model" }, message, fix)], said: [] };
  }
}

/** As the agent's first decision, with a word in the place of the thread's input. */
function probeInput(agent: Agent): ModelInput {
  const encoding = encodings[agent.encoding];
  const tools = [...agent.tools.values()].map(({ name, description, inputSchema }) => ({
    name,
    description,
    inputSchema,
  }));
  const offer = { tools, answer: agent.outputSchema ?? null };
  const system = [promptText(agent.prompt) ?? "", encoding.instructions(offer)].filter((text) => text !== "");
  return {
    messages: [
      ...(system.length === 0 ? [] : [{ role: "system" as const, content: system.join("\n\n") }]),
      { role: "user", content: "ok" },
    ],
    ...encoding.request(offer),
    maxOutputTokens: mostOutput,
  };
}

function describeUsage(modelId: string, usage: Usage): string {
  const { inputTokens, outputTokens } = usage;
  const price = modelFacts()(modelId)?.price;
  const cost = price ? `, about $${costOf(usage, price).toFixed(6)} (prices of ${price.asOf})` : "";
  return `${formatCount(inputTokens)} tokens in, ${formatCount(outputTokens)} out${cost}`;
}

function countFinding({ inputTokens }: Usage, counted: number): readonly Finding[] {
  if (inputTokens < counted * 1.2) return [];
  return [
    finding(
      "probe_count_low",
      { kind: "window" },
      `${inputTokens} tokens by the provider, ${counted} by Holdpoint`,
    ),
  ];
}

function late(
  code: "probe_model_failed" | "probe_channel_failed",
  kind: "model" | "people",
  message: string,
): Probed {
  const fix = "Check address, network and proxy; or try later, when the other side is overloaded.";
  return { findings: [finding(code, { kind }, message, fix)], said: [] };
}

async function probeChannel(
  channel: DeliveryChannel,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<Probed> {
  const { name } = channel;
  if (!channel.probe) return { findings: [], said: [`channel ${name} cannot be probed`] };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return {
      findings: [],
      said: [`channel ${name}: ${await untilAborted(channel.probe({ signal: limit }), limit)}`],
    };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted)
      return late("probe_channel_failed", "people", `channel ${name}: no answer within ${timeoutMs} ms`);
    const fix = isHoldpointError(error) ? error.fix : undefined;
    const { message } = toErrorInfo(error, "channel_unavailable");
    return {
      findings: [finding("probe_channel_failed", { kind: "people" }, `channel ${name}: ${message}`, fix)],
      said: [],
    };
  }
}
