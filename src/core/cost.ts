import type { Usage } from "./events.ts";

/** US dollars per million tokens. */
export interface TokenPrices {
  readonly input: number;
  /** Reasoning is output, and costs as much. */
  readonly output: number;
  /** Default: as `input`. */
  readonly cached?: number;
  /** Default: as `input`. */
  readonly cacheWrite?: number;
}

/** US dollars per million tokens, as listed on `asOf` (a date). */
export interface ModelPrice extends TokenPrices {
  readonly asOf: string;
  /** What the whole call costs, output included, when its input is longer than `inputTokens`. Default: no more. */
  readonly long?: TokenPrices & { readonly inputTokens: number };
}

/**
 * What a model call cost in US dollars, to a billionth. Each token counts once: cached and cache-written tokens are
 * part of the input, reasoning is part of the output. Counts that make no sense cost nothing, and never less.
 */
export function costOf(usage: Usage, price: ModelPrice): number {
  const input = count(usage.inputTokens);
  const prices = price.long && input > price.long.inputTokens ? price.long : price;
  const cached = Math.min(count(usage.cachedTokens), input);
  const written = Math.min(count(usage.cacheWriteTokens), input - cached);
  const perMillion =
    (input - cached - written) * prices.input +
    cached * (prices.cached ?? prices.input) +
    written * (prices.cacheWrite ?? prices.input) +
    count(usage.outputTokens) * prices.output;
  return Math.round(perMillion * 1_000) / 1e9;
}

function count(tokens: number | undefined): number {
  return tokens !== undefined && Number.isFinite(tokens) && tokens > 0 ? tokens : 0;
}
