import type { Usage } from "./events.ts";

/** US dollars for one model call. Placeholder until the merge. */
export function costOf(
  usage: Usage,
  price: { input: number; output: number; cached?: number; cacheWrite?: number },
): number {
  const cached = usage.cachedTokens ?? 0;
  const written = usage.cacheWriteTokens ?? 0;
  const fresh = Math.max(0, usage.inputTokens - cached - written);
  return (
    (fresh * price.input +
      cached * (price.cached ?? price.input) +
      written * (price.cacheWrite ?? price.input) +
      usage.outputTokens * price.output) /
    1e6
  );
}
