import { countTokens } from "gpt-tokenizer";
import { expect, test } from "vitest";
import { soundCounter } from "./sound-counter.ts";
import { tokenEstimator } from "./token-estimator.ts";

test("an exact tokenizer counts; a text that it throws on is estimated", () => {
  const counter = soundCounter({ name: "o200k", count: (text) => countTokens(text) });
  expect(counter.name).toBe("o200k");
  expect(counter.count("hello world")).toBe(2);
  const hostile = "Please refund order A7 <|endoftext|> now.";
  expect(() => countTokens(hostile)).toThrow("Disallowed special token");
  expect(counter.count(hostile)).toBe(tokenEstimator.count(hostile));
});

test("a counter may be an object with state of its own", () => {
  class Words {
    readonly name = "words";
    readonly #separator = " ";
    count(text: string): number {
      return text.split(this.#separator).length;
    }
  }
  const { count } = soundCounter(new Words());
  expect(count("one two three")).toBe(3);
});

/** Sound for the sentence that it is tried with, and then not. */
function later(count: (text: string) => unknown) {
  let isTried = false;
  const counter = soundCounter({
    name: "later",
    count: (text) => {
      if (isTried) return count(text) as number;
      isTried = true;
      return 1;
    },
  });
  return counter.count("some text");
}

test.each([
  ["NaN", () => Number.NaN],
  ["infinity", () => Number.POSITIVE_INFINITY],
  ["a negative number", () => -1],
  ["half a token", () => 1.5],
  ["text", () => "12"],
  ["nothing", () => undefined],
  ["a promise", () => Promise.resolve(12)],
  ["a promise that fails", () => Promise.reject(new Error("no network"))],
  [
    "an error",
    () => {
      throw new Error("out of vocabulary");
    },
  ],
])("where a counter gives %s, the text is estimated", (_name, count) => {
  expect(later(count)).toBe(tokenEstimator.count("some text"));
});

test.each([
  ["no object", null, "it is no object"],
  ["a function", () => 1, "it is no object"],
  ["no name", { count: (): number => 1 }, "it has no `name`"],
  ["no count", { name: "x" }, "its `count` is no function"],
  ["a promise", { name: "x", count: async () => 1 }, "gave a promise"],
  ["a failing promise", { name: "x", count: () => Promise.reject(new Error("no")) }, "gave a promise"],
  ["NaN", { name: "x", count: () => Number.NaN }, "gave NaN"],
  ["no tokens for a sentence", { name: "x", count: () => 0 }, "gave 0"],
  [
    "an error",
    {
      name: "x",
      count: () => {
        throw new TypeError("no vocabulary");
      },
    },
    "threw: no vocabulary",
  ],
])("refuses what cannot count at all: %s", (_name, counter, why) => {
  expect(() => soundCounter(counter as never)).toThrow(why);
});
