// A model's server on the loopback interface, and the real provider packages that talk to it.
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { type ModelResolverOptions, modelResolver } from "../../src/models/resolve-model.ts";
import type { Model, ModelInput } from "../../src/ports/model.ts";

export const fixturesFolder: URL = new URL("../../../shared/data/ai-sdk-fixtures/", import.meta.url);
export const hasFixtures: boolean = existsSync(fixturesFolder);
export const whySkipped: string = hasFixtures ? "" : " (skipped: ../shared/data/ai-sdk-fixtures is not here)";

export function readFixture(file: string): string {
  return readFileSync(new URL(file, fixturesFolder), "utf8");
}

export const apiKey = "sk-test-4f9aK2xQ7bT1mV8cR5nZ3wY6";

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of many shapes, and fail where they differ.
  readonly body: any;
}

export interface Loopback {
  readonly url: string;
  readonly received: Received[];
  /** How requests are answered from now on. */
  respond: (response: ServerResponse, request: IncomingMessage) => void;
}

/** Closed after the test, with whatever is still open. */
export async function openLoopback(respond: Loopback["respond"] = () => {}): Promise<Loopback> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    text(request).then(
      (body) => {
        received.push({ path: request.url ?? "", headers: request.headers, body: JSON.parse(body) });
        loopback.respond(response, request);
      },
      () => response.destroy(), // its sender hung up
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port, so it has one
  const loopback: Loopback = { url: `http://127.0.0.1:${port}`, received, respond };
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return loopback;
}

export function json(body: string, status = 200): Loopback["respond"] {
  return (response) => response.writeHead(status, { "content-type": "application/json" }).end(body);
}

export function eventStream(body: string): Loopback["respond"] {
  return (response) => response.writeHead(200, { "content-type": "text/event-stream" }).end(body);
}

/** One payload per line, as the fixtures have them, as server-sent events. */
export function toEvents(chunks: readonly string[]): string {
  return chunks.map((chunk) => `data: ${chunk}\n\n`).join("");
}

export const providers = {
  anthropic: "anthropic/claude-sonnet-4-5",
  openai: "openai/gpt-5",
  google: "google/gemini-2.5-flash",
  compatible: "compatible/llama",
} as const;

export type ProviderName = keyof typeof providers;

/** The models of all four packages at one address, made as users make them. */
export function modelAt(
  provider: ProviderName,
  baseURL: string,
  options: ModelResolverOptions & { readonly model?: string } = {},
): Promise<Model> {
  const settings = { baseURL, apiKey };
  const { model = providers[provider], ...rest } = options;
  return modelResolver({
    providers: { anthropic: settings, openai: settings, google: settings, compatible: settings },
    ...rest,
  })(model);
}

const weatherTool = {
  name: "weather",
  description: "Tells the weather.",
  inputSchema: { type: "object", properties: { location: { type: "string" } } },
};

export const input: ModelInput = {
  messages: [{ role: "user", content: "Weather in San Francisco?" }],
  tools: [weatherTool],
  maxOutputTokens: 321,
};

export const neverAborted: AbortSignal = new AbortController().signal;
