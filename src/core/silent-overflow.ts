import type { ModelOutput } from "./window/model-input.ts";

/**
 * How an output shows that the input did not fit, though the provider reported no error; `null` when it does not.
 * Seen: usage above the model's context, and a cut for length before the first word (nothing was left to write into).
 */
export function silentOverflow(output: ModelOutput, contextTokens: number | undefined): string | null {
  const { usage, finish, text, calls } = output;
  if (usage && contextTokens !== undefined && usage.inputTokens > contextTokens)
    return `the provider counts ${usage.inputTokens} tokens of input, over the model's ${contextTokens}`;
  const isEmpty = text === "" && calls.length === 0;
  const spent = usage?.outputTokens ?? 0;
  if (finish === "length" && isEmpty && spent === 0) return "the output was cut off before its first token";
  return null;
}
