// The measures themselves: each sees what it is there to see.
import { describe, expect, test } from "vitest";
import type { ModelMessage } from "../../src/core/window/model-input.ts";
import { gptTokenizer, inputCounter, jsTiktoken } from "../kit/exact-tokens.ts";
import { illegalMessages } from "../kit/illegal-messages.ts";
import { everyNthSentence, keepAll, langchainMessages } from "../kit/langchain-summary.ts";
import type { Window } from "../kit/window-run.ts";
import { prefixesOf } from "./sweep-prefix.ts";

const system: ModelMessage = { role: "system", content: "You work." };
const user: ModelMessage = { role: "user", content: "please" };

function call(...ids: readonly string[]): ModelMessage {
  return { role: "assistant", content: "", calls: ids.map((callId) => ({ callId, tool: "t", args: {} })) };
}

function result(callId: string): ModelMessage {
  return { role: "tool", callId, tool: "t", content: "1" };
}

describe("messages that a provider refuses", () => {
  const cases: readonly { name: string; messages: readonly ModelMessage[]; wrong: readonly string[] }[] = [
    { name: "none", messages: [system, user, call("a", "b"), result("a"), result("b"), user], wrong: [] },
    { name: "no system prompt", messages: [user, call("a"), result("a")], wrong: [] },
    {
      name: "a result without its call",
      messages: [system, user, result("a")],
      wrong: ["2: the result of a is unpaired"],
    },
    {
      name: "a call without its result",
      messages: [system, user, call("a", "b"), result("a"), user],
      wrong: ["4: b has no result before this"],
    },
    {
      name: "results in another order",
      messages: [system, user, call("a", "b"), result("b"), result("a")],
      wrong: ["3: the result of b is unpaired", "4: the result of a is unpaired"],
    },
    {
      name: "calls at the end",
      messages: [system, user, call("a")],
      wrong: ["at the end: a has no result", "ends with assistant"],
    },
    {
      name: "an id that comes twice",
      messages: [user, call("a"), result("a"), call("a"), result("a")],
      wrong: ["3: the id a is used twice"],
    },
    {
      name: "a model's turn first",
      messages: [system, call("a"), result("a"), user],
      wrong: ["starts with assistant"],
    },
    {
      name: "a second system prompt",
      messages: [system, system, user],
      wrong: ["more than one system message", "1: a system message within"],
    },
    {
      name: "a system prompt within",
      messages: [system, user, system, user],
      wrong: ["2: a system message within"],
    },
    {
      name: "an empty message",
      messages: [system, user, { role: "user", content: " \n" }],
      wrong: ["2: user without content"],
    },
    { name: "nothing", messages: [], wrong: ["starts with nothing"] },
  ];
  for (const { name, messages, wrong } of cases) {
    test(name, () => {
      expect(illegalMessages(messages)).toEqual(wrong);
    });
  }
});

test("an input's tokens are those of all that goes out, and four for each message", () => {
  const tools = [{ name: "t", description: "Does it.", inputSchema: { type: "object" } }];
  const made = call("a");
  const input = { messages: [system, user, made], tools, maxOutputTokens: 1 };
  for (const tokenizer of [gptTokenizer, jsTiktoken]) {
    const texts = ["You work.", "please", JSON.stringify(tools), '[{"callId":"a","tool":"t","args":{}}]'];
    const tokens = texts.reduce((total, text) => total + tokenizer.count(text), 3 * 4);
    expect(inputCounter(tokenizer)(input), tokenizer.name).toBe(tokens);
    expect(tokenizer.count("<|endoftext|>"), tokenizer.name).toBeGreaterThan(1); // text, and no control token
  }
});

test("a call's prefix is what it has in common with the one before, and a break is where that one's history ends early", () => {
  const windowOf = (fromSeq: number, ...messages: readonly ModelMessage[]): Window => ({
    input: { messages, tools: [], maxOutputTokens: 1 },
    offer: { tools: [], answer: null },
    record: {
      ...{ digest: "", tokens: 1, budget: 1, fromSeq, dropped: 0 },
      view: { summarised: fromSeq, lined: fromSeq, referenced: fromSeq, summaryTokens: 0 },
    },
    texts: [],
  });
  const note: ModelMessage = { role: "user", content: "more" };
  const [grown, cut] = prefixesOf([
    windowOf(0, system, user),
    windowOf(0, system, user, note),
    windowOf(5, system, note),
  ]);
  const bytes = (...parts: readonly object[]): number =>
    parts.reduce((total: number, part) => total + JSON.stringify(part).length + 1, 0);
  const whole = bytes([], system, user, note);
  expect(grown).toEqual({
    share: bytes([], system, user) / whole,
    ownIdeal: bytes([], system, user) / whole,
    bytes: whole,
    isCompaction: false,
    isBreak: false,
  });
  const upTo = '{"role":"user","content":"'.length;
  expect(cut).toMatchObject({ isCompaction: true, isBreak: true, ownIdeal: 1 });
  expect(cut?.share).toBeCloseTo((bytes([], system) + upTo) / bytes([], system, note), 10);
});

test("LangChain's rules: 20 messages stay, and of the rest the newest 4,000 tokens are summarised", () => {
  const messages = Array.from({ length: 60 }, (_, index) => `${index} ${"x".repeat(400)}`.slice(0, 400));
  const kept = langchainMessages(messages, { triggerTokens: 6_000, summarize: keepAll });
  expect(kept.slice(1)).toEqual(messages.slice(40));
  expect(kept[0]?.split("\nHuman: ").length).toBe(1 + 40); // the prefix, then 4,000 tokens of 100 each
  expect(langchainMessages(messages, { triggerTokens: 6_001, summarize: keepAll })).toBe(messages);
  const short = langchainMessages(messages, {
    triggerTokens: 6_000,
    keepTokens: 1_000,
    summarize: () => "s",
  });
  expect(short).toEqual(["Here is a summary of the conversation to date:\n\ns", ...messages.slice(50)]);
  expect(everyNthSentence(5)("One is. Two is. Three is. Four is. Five is.")).toBe("Three is. Five is.");
});
