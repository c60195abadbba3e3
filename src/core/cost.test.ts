import { expect, test } from "vitest";
import { costOf, type ModelPrice } from "./cost.ts";

// Prices as listed by the providers: platform.claude.com/docs/en/about-claude/pricing and
// developers.openai.com/api/docs/models/gpt-6-sol, September 2026.
const opus: ModelPrice = { input: 4, output: 20, cached: 0.2, cacheWrite: 5, asOf: "2026-09-23" };
const haiku: ModelPrice = {
  input: 0.1,
  output: 0.5,
  cached: 0.01,
  cacheWrite: 0.125,
  long: { inputTokens: 100_000, input: 0.5, output: 2.5, cached: 0.05, cacheWrite: 0.625 },
  asOf: "2026-10-24",
};

const cases = [
  {
    name: "input and output",
    usage: { inputTokens: 1_000_000, outputTokens: 100_000 },
    price: opus,
    usd: 4 + 2,
  },
  {
    name: "cached input costs its own price, and not the full one as well",
    usage: { inputTokens: 100_000, outputTokens: 0, cachedTokens: 90_000 },
    price: opus,
    usd: 0.04 + 0.018,
  },
  {
    name: "so does input that is written to the cache",
    usage: { inputTokens: 20_000, outputTokens: 0, cachedTokens: 10_000, cacheWriteTokens: 8_000 },
    price: opus,
    usd: 0.008 + 0.002 + 0.04,
  },
  {
    name: "reasoning is output already",
    usage: { inputTokens: 0, outputTokens: 1_000, reasoningTokens: 900 },
    price: opus,
    usd: 0.02,
  },
  {
    name: "without a price for the cache, the input's",
    usage: { inputTokens: 10, outputTokens: 0, cachedTokens: 4, cacheWriteTokens: 4 },
    price: { input: 1, output: 1, asOf: "2026-01-01" },
    usd: 0.00001,
  },
  {
    name: "an input at the limit is not long",
    usage: { inputTokens: 100_000, outputTokens: 1_000 },
    price: haiku,
    usd: 0.01 + 0.0005,
  },
  {
    name: "a long input changes the price of all that is in the call",
    usage: { inputTokens: 100_001, outputTokens: 1_000, cachedTokens: 100_000 },
    price: haiku,
    usd: 0.0000005 + 0.005 + 0.0025,
  },
  {
    name: "more cached than sent counts as all of it",
    usage: { inputTokens: 10, outputTokens: 0, cachedTokens: 20, cacheWriteTokens: 20 },
    price: opus,
    usd: 0.000002,
  },
  {
    name: "no sense, no cost",
    usage: { inputTokens: Number.NaN, outputTokens: -5, cachedTokens: Number.POSITIVE_INFINITY },
    price: opus,
    usd: 0,
  },
];
for (const { name, usage, price, usd } of cases) {
  test(name, () => expect(costOf(usage, price)).toBeCloseTo(usd, 9));
}

test("a cost is a short number", () => {
  expect(costOf({ inputTokens: 3, outputTokens: 7 }, { input: 0.1, output: 0.7, asOf: "2026-01-01" })).toBe(
    0.0000052,
  );
});
