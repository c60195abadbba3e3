import type { Attributes } from "@opentelemetry/api";
import { isHoldpointError } from "../core/errors.ts";
import type { EventBody, Usage } from "../core/events.ts";
import type { EffectEnd } from "../ports/telemetry.ts";
import { finishReasonOf } from "./messages.ts";
import { genAi, holdpoint } from "./names.ts";

/** How an effect ended, as its span tells it. */
export interface ToldEnd {
  readonly attributes: Attributes;
  /** For `error.type`; `null` when nothing went wrong. */
  readonly error: string | null;
}

export function toldEnd(how: EffectEnd): ToldEnd {
  if ("thrown" in how) return { attributes: {}, error: codeOf(how.thrown) };
  const told = how.events.map(toldEvent).find((end) => end !== null);
  if (!told) return { attributes: { [holdpoint.outcome]: "stopped" }, error: null };
  const { output } = how;
  const seen: Attributes = output
    ? {
        [genAi.finishReasons]: [finishReasonOf(output)],
        ...(output.firstTokenMs !== undefined && { [genAi.timeToFirstChunk]: output.firstTokenMs / 1_000 }),
        ...(output.responseModel !== undefined && { [genAi.responseModel]: output.responseModel }),
      }
    : {};
  return { attributes: { ...told.attributes, ...seen }, error: told.error };
}

export function codeOf(thrown: unknown): string {
  return isHoldpointError(thrown) ? thrown.code : "internal";
}

function toldEvent(event: EventBody): ToldEnd | null {
  switch (event.type) {
    case "decision_made":
      return {
        attributes: { [holdpoint.outcome]: event.decision.kind, ...callAttributes(event) },
        error: null,
      };
    case "decision_rejected":
      return {
        attributes: { [holdpoint.outcome]: "rejected", ...callAttributes(event) },
        error: event.error.code,
      };
    case "window_compacted":
      return {
        attributes: {
          [holdpoint.outcome]: event.summary === null ? "failed" : "completed",
          ...callAttributes(event),
        },
        error: event.error?.code ?? null,
      };
    case "action_completed":
    case "step_completed":
      return { attributes: { [holdpoint.outcome]: "completed" }, error: null };
    case "action_failed":
    case "step_failed":
      return { attributes: { [holdpoint.outcome]: "failed" }, error: event.error.code };
    case "action_in_doubt":
    case "request_opened":
      return { attributes: { [holdpoint.outcome]: "in_doubt" }, error: "in_doubt" };
    default:
      return null; // an intent, or told of elsewhere
  }
}

type ModelCallEvent = Extract<
  EventBody,
  { type: "decision_made" | "decision_rejected" | "window_compacted" }
>;

function callAttributes(event: ModelCallEvent): Attributes {
  const { usage, cost } = event;
  const prompt = "prompt" in event ? event.prompt : undefined;
  const window = "window" in event ? event.window : undefined;
  return {
    ...usageAttributes(usage),
    ...(cost && { [holdpoint.costUsd]: cost.usd }),
    ...(prompt && { [holdpoint.promptVersion]: prompt.version }),
    ...(prompt?.name !== undefined && { [holdpoint.promptName]: prompt.name }),
    ...(window && { [holdpoint.windowTokens]: window.tokens }),
  };
}

function usageAttributes(usage: Usage): Attributes {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens } = usage;
  if (inputTokens === 0 && outputTokens === 0) return {}; // the call failed before there was any
  return {
    [genAi.inputTokens]: inputTokens,
    [genAi.outputTokens]: outputTokens,
    ...(cachedTokens !== undefined && { [genAi.cacheReadTokens]: cachedTokens }),
    ...(cacheWriteTokens !== undefined && { [genAi.cacheCreationTokens]: cacheWriteTokens }),
    ...(reasoningTokens !== undefined && { [genAi.reasoningTokens]: reasoningTokens }),
  };
}
