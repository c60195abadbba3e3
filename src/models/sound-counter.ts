// A counter is asked for every part of every window, of whatever text came in. Tokenizers throw on some: on
// `<|endoftext|>` in a mail, say, which they take for a control token (gpt-tokenizer and js-tiktoken both do so by
// default). Such a text must not stop a thread, nor count as nothing (I7).
import { HoldpointError } from "../core/errors.ts";
import type { TokenCounter } from "../ports/token-counter.ts";
import { tokenEstimator } from "./token-estimator.ts";

/** What every tokenizer can count; an empty text alone takes no token. */
const probe = "Holdpoint counts tokens.";

/**
 * A counter that always answers: a text for which `counter` throws, or gives anything but a whole number from 0 on, is
 * estimated. `count` is called as a method of its object.
 *
 * @throws `usage` when the counter has not the members that it needs, or cannot count a plain sentence.
 */
export function soundCounter(counter: TokenCounter): TokenCounter {
  const problem = problemOf(counter);
  if (problem !== null) throw unusable(problem);
  return { name: counter.name, count: (text) => counted(counter, text) ?? tokenEstimator.count(text) };
}

/** @returns `null` for what is no count. */
function counted(counter: TokenCounter, text: string): number | null {
  try {
    const tokens: unknown = counter.count(text);
    if (isCount(tokens)) return tokens;
    ignoreRejection(tokens);
  } catch {
    // It is estimated.
  }
  return null;
}

function problemOf(counter: unknown): string | null {
  if (typeof counter !== "object" || counter === null) return "it is no object";
  const { name, count } = counter as Partial<TokenCounter>;
  if (typeof name !== "string" || name === "") return "it has no `name`";
  if (typeof count !== "function") return "its `count` is no function";
  try {
    const tokens: unknown = count.call(counter, probe);
    if (isCount(tokens) && tokens > 0) return null;
    ignoreRejection(tokens);
    return `for "${probe}" its \`count\` gave ${shown(tokens)}`;
  } catch (error) {
    return `for "${probe}" its \`count\` threw: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function isCount(tokens: unknown): tokens is number {
  return Number.isSafeInteger(tokens) && Number(tokens) >= 0;
}

/** A promise is no count, and its failure nobody else's. */
function ignoreRejection(value: unknown): void {
  if (value instanceof Promise) value.catch(() => {});
}

function shown(value: unknown): string {
  if (value instanceof Promise) return "a promise";
  return typeof value === "number" ? String(value) : `a value of type ${typeof value}`;
}

function unusable(why: string): HoldpointError {
  return new HoldpointError("usage", `the token counter cannot be used: ${why}`, {
    fix: "Give { name, count }: a text, and a function from a text to its whole number of tokens, at once and not by promise.",
  });
}
