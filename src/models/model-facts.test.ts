import { describe, expect, test } from "vitest";
import { modelFacts } from "./model-facts.ts";

describe("modelFacts", () => {
  const factsOf = modelFacts();

  test("knows a model's context, longest output and price, with the date of the price", () => {
    expect(factsOf("anthropic/claude-opus-5-5")).toEqual({
      contextTokens: 1_000_000,
      maxOutputTokens: 128_000,
      price: { input: 4, output: 20, cached: 0.2, cacheWrite: 5, asOf: "2026-11-10" },
    });
  });

  for (const [given, is] of [
    ["anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"],
    ["anthropic/claude-haiku-4-5@20251001", "anthropic/claude-haiku-4-5"],
    ["openai/gpt-5.5-2026-04-23", "openai/gpt-5.5"],
    ["openai/gpt-6.1-sol-latest", "openai/gpt-6.1-sol"],
    ["google/gemini-3.1-pro-preview", "google/gemini-3.1-pro-preview"],
    ["google/gemini-2.5-pro-preview-20260101", "google/gemini-2.5-pro"],
  ] as const) {
    test(`${given} has the facts of ${is}`, () => expect(factsOf(given)).toEqual(factsOf(is)));
  }

  for (const unknown of [
    "openai/gpt-5.5-mini",
    "openai/gpt-5.55",
    "anthropic/claude-opus-5-5-fast",
    "compatible/gpt-4o",
    "gpt-4o",
    "openai/",
    "",
    "__proto__",
    "constructor",
  ]) {
    test(`nothing is guessed of "${unknown}"`, () => expect(factsOf(unknown)).toBeUndefined());
  }

  test("overrides replace single facts, and add models", () => {
    const price = { input: 1, output: 2, asOf: "2026-12-24" };
    const mine = modelFacts({ "openai/gpt-4o": { price }, "compatible/llama": { contextTokens: 8_192 } });
    expect(mine("openai/gpt-4o-2024-11-20")).toEqual({ ...factsOf("openai/gpt-4o"), price });
    expect(mine("compatible/llama")).toEqual({ contextTokens: 8_192 });
    expect(factsOf("openai/gpt-4o")?.price?.input).toBe(2.5);
  });

  test("a snapshot's own override counts for it alone", () => {
    const mine = modelFacts({ "openai/gpt-4o-2024-11-20": { contextTokens: 1 } });
    expect(mine("openai/gpt-4o-2024-11-20")).toEqual({ ...factsOf("openai/gpt-4o"), contextTokens: 1 });
    expect(mine("openai/gpt-4o")?.contextTokens).toBe(128_000);
  });

  test("cached input is never dearer than input, output never cheaper, and a long input never cheaper", () => {
    const ids = [
      "anthropic/claude-haiku-5-5",
      "openai/gpt-6-sol",
      "google/gemini-2.5-pro",
      "minimax/MiniMax-M3",
    ];
    for (const id of ids) {
      const price = factsOf(id)?.price;
      expect(price?.output).toBeGreaterThan(price?.input ?? Number.NaN);
      expect(price?.cached).toBeLessThan(price?.input ?? Number.NaN);
      expect(price?.long?.input).toBeGreaterThan(price?.input ?? Number.NaN);
    }
  });
});
