// Which real provider package speaks which API, made as users make it. Two of the packages, for DeepSeek and Groq, are
// of the version that still makes models of the older specification (V3).
import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createCohere } from "@ai-sdk/cohere";
import { createDeepSeek } from "@ai-sdk/deepseek";
import { createGoogle } from "@ai-sdk/google";
import { createGroq } from "@ai-sdk/groq";
import { createMistral } from "@ai-sdk/mistral";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createXai } from "@ai-sdk/xai";
import type { AiSdkLanguageModel } from "../../src/models/ai-sdk.ts";
import { apiKey } from "./loopback.ts";

/** An API of language models, told by the shape of its bodies. */
export type Dialect =
  | "chat"
  | "cohere"
  | "completion"
  | "converse"
  | "generate"
  | "interactions"
  | "messages"
  | "responses";

export interface Place {
  readonly baseURL: string;
  readonly fetch?: typeof globalThis.fetch;
}

type Create = (model: string, settings: Place & { readonly apiKey: string }) => AiSdkLanguageModel;

const ownChat: ReadonlyMap<string, Create> = new Map<string, Create>([
  ["deepseek", (model, settings) => createDeepSeek(settings)(model)],
  ["groq", (model, settings) => createGroq(settings)(model)],
  ["mistral", (model, settings) => createMistral(settings)(model)],
  ["openai", (model, settings) => createOpenAI(settings).chat(model)],
]);

/** Whose package speaks a dialect of `vendor`; any chat completions that have none of their own are compatible ones. */
const creators: Readonly<Record<Dialect, (vendor: string) => Create>> = {
  chat: (vendor) =>
    ownChat.get(vendor) ??
    ((model, settings) =>
      createOpenAICompatible({ name: "compatible", supportsStructuredOutputs: true, ...settings })(model)),
  cohere: () => (model, settings) => createCohere(settings)(model),
  completion: () => (model, settings) => createOpenAI(settings).completion(model),
  converse: () => (model, settings) => createAmazonBedrock({ region: "us-east-1", ...settings })(model),
  generate: () => (model, settings) => createGoogle(settings)(model),
  interactions: () => (model, settings) => createGoogle(settings).interactions(model),
  messages: () => (model, settings) => createAnthropic(settings)(model),
  responses: (vendor) =>
    vendor === "xai"
      ? (model, settings) => createXai(settings).responses(model)
      : (model, settings) => createOpenAI(settings).responses(model),
};

export function createRealModel(
  dialect: Dialect,
  vendor: string,
  model: string,
  place: Place,
): AiSdkLanguageModel {
  return creators[dialect](vendor)(model, { apiKey, ...place });
}
