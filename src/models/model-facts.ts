import type { TokenPrices } from "../core/cost.ts";
import type { ModelFacts } from "../ports/model.ts";

type Row = readonly [
  contextTokens: number,
  maxOutputTokens: number,
  input: number,
  output: number,
  cached?: number,
  cacheWrite?: number | undefined,
  long?: TokenPrices & { readonly inputTokens: number },
];

/** What a provider's models cost, as read on `asOf`. */
interface PriceList {
  readonly asOf: string;
  readonly models: { readonly [modelId: string]: Row };
}

const openAiLong = 272_000;

/** OpenAI, above 272,000 tokens of input: input and cache cost double, output half as much again. */
function openAi(input: number, output: number, cached: number, cacheWrite?: number): Row {
  const long = {
    inputTokens: openAiLong,
    input: input * 2,
    output: output * 1.5,
    cached: cached * 2,
    ...(cacheWrite !== undefined && { cacheWrite: cacheWrite * 2 }),
  };
  return [1_050_000, 128_000, input, output, cached, cacheWrite, long];
}

// Standard prices in US dollars per million tokens; batch, flex, fast and regional prices differ. The cache is written
// for five minutes. Where a price depends on the time of day, or a lower one is about to end, the higher one stands.
// Read in providers' pages, and for models from before July 2026 in models.dev (github.com/anomalyco/models.dev,
// f3fc692). Which models are current: the type definitions of @ai-sdk/anthropic, /openai and /google of November 2026.
const priceLists: readonly PriceList[] = [
  {
    // platform.claude.com/docs/en/about-claude/pricing
    asOf: "2026-11-10",
    models: {
      "anthropic/claude-fable-5-2": [1_000_000, 128_000, 8, 40, 0.2, 10],
      "anthropic/claude-fable-5-1": [1_000_000, 128_000, 10, 50, 0.25, 12.5],
      "anthropic/claude-fable-5": [1_000_000, 128_000, 10, 50, 1, 12.5],
      "anthropic/claude-opus-5-5": [1_000_000, 128_000, 4, 20, 0.2, 5],
      "anthropic/claude-opus-5": [1_000_000, 128_000, 5, 25, 0.5, 6.25],
      "anthropic/claude-opus-4-8": [1_000_000, 128_000, 5, 25, 0.5, 6.25],
      "anthropic/claude-opus-4-7": [1_000_000, 128_000, 5, 25, 0.5, 6.25],
      "anthropic/claude-opus-4-6": [1_000_000, 128_000, 5, 25, 0.5, 6.25],
      "anthropic/claude-sonnet-5-5": [1_000_000, 128_000, 2, 10, 0.1, 2.5],
      "anthropic/claude-sonnet-5": [1_000_000, 128_000, 2, 10, 0.2, 2.5],
      "anthropic/claude-haiku-5-5": [
        1_000_000,
        128_000,
        0.1,
        0.5,
        0.01,
        0.125,
        { inputTokens: 100_000, input: 0.5, output: 2.5, cached: 0.05, cacheWrite: 0.625 },
      ],
      "anthropic/claude-haiku-4-5": [200_000, 64_000, 1, 5, 0.1, 1.25],
    },
  },
  {
    // developers.openai.com/api/docs/pricing. Context: 922,000 tokens of input and 128,000 of output.
    asOf: "2026-11-05",
    models: {
      "openai/gpt-6.1-sol": openAi(2, 10, 0.1, 2.5),
      "openai/gpt-6.1-terra": openAi(1, 5, 0.05, 1.25),
      "openai/gpt-6-astra": openAi(10, 50, 1, 12.5),
      "openai/gpt-6-sol": openAi(2, 10, 0.2, 2.5),
      "openai/gpt-6-luna": openAi(0.1, 0.5, 0.01, 0.125),
      "openai/gpt-5.6-sol": openAi(4, 20, 0.4, 5),
      "openai/gpt-5.6-terra": openAi(2, 12, 0.2, 2.5),
      "openai/gpt-5.6-luna": openAi(0.2, 1.2, 0.02, 0.25),
    },
  },
  {
    asOf: "2026-07-01",
    models: {
      "openai/gpt-5.5": openAi(5, 30, 0.5),
      "openai/gpt-5.4": openAi(2.5, 15, 0.25),
      "openai/gpt-5.4-mini": [400_000, 128_000, 0.75, 4.5, 0.075],
      "openai/gpt-5-mini": [400_000, 128_000, 0.25, 2, 0.025],
      "openai/gpt-4.1": [1_047_576, 32_768, 2, 8, 0.5],
      "openai/gpt-4o": [128_000, 16_384, 2.5, 10, 1.25],
      "openai/gpt-4o-mini": [128_000, 16_384, 0.15, 0.6, 0.075],
    },
  },
  {
    // ai.google.dev/gemini-api/docs/pricing. Argon and Carbon: the price from 1 December 2026, before that half of it.
    asOf: "2026-11-11",
    models: {
      "google/gemini-4-carbon": [1_048_576, 65_536, 4, 20, 0.2],
      "google/gemini-4-argon": [1_048_576, 65_536, 4, 20, 0.2],
      "google/gemini-4-hydrogen": [1_048_576, 65_536, 1.5, 7.5],
      "google/gemini-3.8-flash": [1_048_576, 65_536, 0.75, 3.75],
      "google/gemini-3.7-flash": [1_048_576, 65_536, 0.75, 3.75],
      "google/gemini-3.6-flash": [1_048_576, 65_536, 1.5, 7.5, 0.15],
      "google/gemini-3.5-flash-lite": [1_048_576, 65_536, 0.3, 2.5, 0.03],
    },
  },
  {
    asOf: "2026-07-01",
    models: {
      "google/gemini-3.1-pro-preview": [
        1_048_576,
        65_536,
        2,
        12,
        0.2,
        undefined,
        { inputTokens: 200_000, input: 4, output: 18, cached: 0.4 },
      ],
      "google/gemini-2.5-pro": [
        1_048_576,
        65_536,
        1.25,
        10,
        0.125,
        undefined,
        { inputTokens: 200_000, input: 2.5, output: 15, cached: 0.25 },
      ],
      "google/gemini-2.5-flash": [1_048_576, 65_536, 0.3, 2.5, 0.03],
      "google/gemini-2.5-flash-lite": [1_048_576, 65_536, 0.1, 0.4, 0.01],
      "mistral/mistral-large-2512": [262_144, 262_144, 0.5, 1.5],
      "mistral/mistral-medium-2604": [262_144, 262_144, 1.5, 7.5],
      "mistral/mistral-small-2603": [256_000, 256_000, 0.15, 0.6],
      "minimax/MiniMax-M3": [
        1_000_000,
        128_000,
        0.3,
        1.2,
        0.06,
        undefined,
        { inputTokens: 512_000, input: 0.6, output: 2.4, cached: 0.12 },
      ],
      "minimax/MiniMax-M2.7": [204_800, 131_072, 0.3, 1.2, 0.06, 0.375],
      "moonshotai/kimi-k2.6": [262_144, 262_144, 0.95, 4, 0.16],
      "groq/openai/gpt-oss-120b": [131_072, 65_536, 0.15, 0.6, 0.075],
      "groq/llama-3.3-70b-versatile": [131_072, 32_768, 0.59, 0.79],
      "xai/grok-4.3": [
        1_000_000,
        30_000,
        1.25,
        2.5,
        0.2,
        undefined,
        { inputTokens: 200_000, input: 2.5, output: 5, cached: 0.4 },
      ],
    },
  },
  {
    // api-docs.deepseek.com/quick_start/pricing: the price of peak hours; of the others, half of it.
    asOf: "2026-10-27",
    models: {
      "deepseek/deepseek-flash": [1_000_000, 384_000, 0.3, 1.2, 0.006],
      "deepseek/deepseek-v4-pro": [1_000_000, 384_000, 1.32, 3.96, 0.044],
    },
  },
];

const shipped: { readonly [modelId: string]: ModelFacts } = Object.fromEntries(
  priceLists.flatMap(({ asOf, models }) =>
    Object.entries(models).map(([modelId, row]) => [modelId, toFacts(row, asOf)]),
  ),
);

function toFacts(row: Row, asOf: string): ModelFacts {
  const [contextTokens, maxOutputTokens, input, output, cached, cacheWrite, long] = row;
  const price = {
    input,
    output,
    ...(cached !== undefined && { cached }),
    ...(cacheWrite !== undefined && { cacheWrite }),
    ...(long && { long }),
    asOf,
  };
  return { contextTokens, maxOutputTokens, price };
}

/** Finds what is known of `provider/model`; `undefined` for a model that is not in the table. */
export type ModelFactsLookup = (modelId: string) => ModelFacts | undefined;

/**
 * What is known beforehand of the current models of Anthropic, OpenAI and Google, and of a few others: context, longest
 * output, and list price with its date. Shipped with the package and never fetched, so it ages: give `overrides`, by
 * model id (`{ "compatible/llama-4": { contextTokens: 32_768 } }`), which replace or add to a model's facts one by one.
 *
 * A dated or named snapshot of a model (`…-20260401`, `…-2026-04-01`, `…@20260401`, `…-latest`, `…-preview`) has the
 * facts of the model, unless it has its own. Nothing else is guessed: `gpt-9-mini` is not `gpt-9`.
 */
export function modelFacts(overrides: { readonly [modelId: string]: ModelFacts } = {}): ModelFactsLookup {
  return function factsOf(modelId) {
    const names = namesOf(modelId);
    const known = firstOf(shipped, names);
    const given = firstOf(overrides, names);
    return known || given ? { ...known, ...given } : undefined;
  };
}

const snapshot = /(?:[-@](?:\d{8}|\d{4}-\d{2}-\d{2})|-latest|-preview)$/;

/** The name, and the names it is a snapshot of. */
function namesOf(modelId: string): readonly string[] {
  const names = [modelId];
  for (let name = modelId; snapshot.test(name); ) {
    name = name.replace(snapshot, "");
    names.push(name);
  }
  return names;
}

function firstOf<Value>(
  table: { readonly [name: string]: Value },
  names: readonly string[],
): Value | undefined {
  const name = names.find((each) => Object.hasOwn(table, each));
  return name === undefined ? undefined : table[name];
}
