// What goes out, counted by two tokenizers of other people's making. Each text is counted once a process.
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { Tiktoken } from "js-tiktoken/lite";
import o200k from "js-tiktoken/ranks/o200k_base";
import type { ModelInput, ModelMessage } from "../../src/core/window/model-input.ts";

/** What providers add around a message, as OpenAI's cookbook counts it. */
const messageOverhead = 4;

export interface ExactTokenizer {
  readonly name: string;
  readonly count: (text: string) => number;
}

let tiktoken: Tiktoken | undefined;

/** Text that looks like a control token is counted as the text it is. */
export const gptTokenizer: ExactTokenizer = {
  name: "gpt-tokenizer",
  count: remember((text) => countTokens(text, { disallowedSpecial: new Set() })),
};

export const jsTiktoken: ExactTokenizer = {
  name: "js-tiktoken",
  count: remember((text) => {
    tiktoken ??= new Tiktoken(o200k); // takes a second or two
    return tiktoken.encode(text, [], []).length;
  }),
};

function remember(count: (text: string) => number): (text: string) => number {
  const known = new Map<string, number>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const tokens = count(text);
    known.set(text, tokens);
    return tokens;
  };
}

/** Tokens of an input, however its messages share their parts. */
export type InputCounter = (input: ModelInput) => number;

/** Contents, calls, reasoning, tools and the output's schema, and four tokens a message. */
export function inputCounter({ count }: ExactTokenizer): InputCounter {
  const known = new WeakMap<object, number>();
  const once = (key: object, tokens: () => number): number => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const counted = tokens();
    known.set(key, counted);
    return counted;
  };
  return ({ messages, tools, output }) => {
    let total = tools.length === 0 ? 0 : once(tools, () => count(JSON.stringify(tools)));
    if (output) total += once(output, () => count(JSON.stringify(output)));
    for (const message of messages) total += once(message, () => messageTokens(message, count));
    return total;
  };
}

function messageTokens(message: ModelMessage, count: (text: string) => number): number {
  const beside = message.role === "assistant" ? [message.calls, message.reasoning ?? []] : [];
  const lists = beside.filter((list) => list.length > 0);
  return lists.reduce(
    (total, list) => total + count(JSON.stringify(list)),
    messageOverhead + (message.content === "" ? 0 : count(message.content)),
  );
}
