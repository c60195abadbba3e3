import type { ModelOutput } from "./window/model-input.ts";

export interface SilentOverflowCase extends Pick<ModelOutput, "usage" | "finish" | "text" | "calls"> {
  /** What is known of the model. */
  readonly facts?: { readonly contextTokens?: number } | undefined;
  /** The window's own count of what was sent. */
  readonly sentTokens?: number;
  /** What the call was limited to. */
  readonly maxOutputTokens?: number;
}

export interface SilentOverflow {
  /** How it shows, in one sentence. */
  readonly reason: string;
  readonly limitTokens?: number;
}

/**
 * Finds an input that did not fit in an output that came as a success: servers cut it without a word (Ollama), count
 * past their limit (z.ai), or have no room left for an answer. `undefined` when nothing points to it.
 */
export function silentOverflow(output: SilentOverflowCase): SilentOverflow | undefined {
  return beyondContext(output) ?? cutOnArrival(output) ?? noRoomLeft(output);
}

function beyondContext({ usage, facts }: SilentOverflowCase): SilentOverflow | undefined {
  const limit = facts?.contextTokens;
  if (usage === undefined || limit === undefined || usage.inputTokens <= limit) return undefined;
  return {
    reason: `it took ${usage.inputTokens} tokens of input, more than the model's context of ${limit}`,
    limitTokens: limit,
  };
}

/** Estimates are up to 50 % over on most text (docs/decisions/0005): two thirds are left of what was sent, not half. */
const farUnder = 0.5;

/** Far less input than was sent, and no less than what just fits: the rest never reached the model. */
function cutOnArrival({ usage, facts, sentTokens }: SilentOverflowCase): SilentOverflow | undefined {
  if (usage === undefined || sentTokens === undefined) return undefined;
  if (usage.inputTokens === 0 || usage.inputTokens > sentTokens * farUnder) return undefined;
  const limit = facts?.contextTokens ?? contextNear(usage.inputTokens);
  if (limit === undefined || usage.inputTokens < limit * 0.9) return undefined;
  return {
    reason: `it took ${usage.inputTokens} tokens of input of about ${sentTokens} that were sent`,
    limitTokens: limit,
  };
}

/**
 * The context of a local server that says nothing of it: a power of two from 2,048. An input cut by Ollama was counted
 * 2 tokens longer than that (github.com/Stirling-Tools/Stirling-PDF/pull/7770).
 */
function contextNear(inputTokens: number): number | undefined {
  const nearest = 2 ** Math.round(Math.log2(inputTokens));
  return nearest >= 2_048 && Math.abs(inputTokens - nearest) <= nearest * 0.01 ? nearest : undefined;
}

/** Stopped for length with nothing written, although the output's own limit was not reached. */
function noRoomLeft({
  usage,
  finish,
  text,
  calls,
  maxOutputTokens,
}: SilentOverflowCase): SilentOverflow | undefined {
  if (finish !== "length" || text.trim() !== "" || calls.length > 0) return undefined;
  const written = usage?.outputTokens ?? 0;
  if (written > 0 && written >= (maxOutputTokens ?? 0) * 0.9) return undefined; // a call cut off, or thought to the end
  return { reason: "it stopped for length before it wrote anything" };
}
