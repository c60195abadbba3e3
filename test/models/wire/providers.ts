// The real packages of the providers, talking to a server on the loopback interface that keeps what it gets.
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { aiSdkModel } from "../../../src/models/ai-sdk.ts";
import type { ModelInput } from "../../../src/ports/model.ts";

export interface Settings {
  readonly baseURL: string;
  readonly fetch?: typeof globalThis.fetch;
}

const apiKey = "sk-test-4f9aK2xQ7bT1mV8cR5nZ3wY6";

/** Models that are sent requests of different kinds, by what is special about them. */
export const models = {
  "Anthropic, with native schemas": (settings: Settings) =>
    createAnthropic({ apiKey, ...settings })("claude-sonnet-4-5"),
  "Anthropic, older": (settings: Settings) =>
    createAnthropic({ apiKey, ...settings })("claude-3-haiku-20240307"),
  "OpenAI, chat": (settings: Settings) => createOpenAI({ apiKey, ...settings }).chat("gpt-4o"),
  "OpenAI, chat, reasoning": (settings: Settings) => createOpenAI({ apiKey, ...settings }).chat("gpt-5"),
  "OpenAI, chat, without reasoning for tools": (settings: Settings) =>
    createOpenAI({ apiKey, ...settings }).chat("gpt-5.6"),
  "OpenAI, responses": (settings: Settings) => createOpenAI({ apiKey, ...settings })("gpt-5"),
  "OpenAI, responses, without reasoning": (settings: Settings) =>
    createOpenAI({ apiKey, ...settings })("gpt-4o"),
  Google: (settings: Settings) => createGoogle({ apiKey, ...settings })("gemini-2.5-flash"),
  "Google, third generation": (settings: Settings) =>
    createGoogle({ apiKey, ...settings })("gemini-3-pro-preview"),
  "Google, Gemma": (settings: Settings) => createGoogle({ apiKey, ...settings })("gemma-3-27b-it"),
  "compatible, with schemas": (settings: Settings) =>
    createOpenAICompatible({ name: "local", apiKey, supportsStructuredOutputs: true, ...settings })("llama"),
  "compatible, without schemas": (settings: Settings) =>
    createOpenAICompatible({ name: "local", apiKey, includeUsage: true, ...settings })("llama"),
} satisfies Readonly<Record<string, (settings: Settings) => LanguageModelV4>>;

export type ModelName = keyof typeof models;

export interface Loopback {
  readonly baseURL: string;
  /** What has come, body by body. */
  readonly bodies: Buffer[];
  /** Answers a request. Default: an empty object, which no provider's package takes for an answer. */
  respond: (response: ServerResponse) => void;
  close(): Promise<void>;
}

export async function openLoopback(): Promise<Loopback> {
  const bodies: Buffer[] = [];
  const server: Server = createServer((request, response) => {
    void buffer(request).then((body) => {
      bodies.push(body);
      loopback.respond(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  const loopback: Loopback = {
    baseURL: `http://127.0.0.1:${port}`,
    bodies,
    respond: (response) => response.writeHead(200, { "content-type": "application/json" }).end("{}"),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return loopback;
}

/** What the adapter hands a model object for an input. */
export async function callOptionsOf(input: ModelInput): Promise<LanguageModelV4CallOptions> {
  const given: LanguageModelV4CallOptions[] = [];
  const spy: LanguageModelV4 = {
    specificationVersion: "v4",
    provider: "spy",
    modelId: "spy",
    supportedUrls: {},
    doGenerate(options) {
      given.push(options);
      return Promise.reject(new Error("only the options are wanted"));
    },
    doStream: () => Promise.reject(new Error("not called")),
  };
  await aiSdkModel(spy)
    .generate(input, { signal: new AbortController().signal })
    .catch(() => {});
  const [options] = given;
  if (!options) throw new Error("the adapter called nothing");
  return options;
}

/** Calls a model either way and reads its stream; what is made of the answer is no matter here. */
export async function send(
  model: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  how: "doGenerate" | "doStream",
): Promise<{ readonly request?: { readonly body?: unknown } | undefined }> {
  if (how === "doGenerate") return model.doGenerate(options);
  const result = await model.doStream(options);
  await result.stream.pipeTo(new WritableStream());
  return result;
}
