// Two collections of recorded HTTP exchanges with real providers, read from where they lie, in one form: what the server
// answered, and what it takes to ask the same through the provider's package.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { ModelInput, ModelTool } from "../../src/ports/model.ts";
import type { Dialect } from "./corpus-packages.ts";
import { calledBy, offeredBy, openSchema, outputOf } from "./corpus-tools.ts";
import { eventFrames } from "./event-frames.ts";
import { fixturesFolder, hasFixtures } from "./loopback.ts";

const cassettesFolder = new URL("../../../shared/data/pydantic-ai-cassettes/", import.meta.url);
const hasCassettes = existsSync(cassettesFolder);

export const hasCorpus: boolean = hasFixtures && hasCassettes;
export const whyNoCorpus: string = hasCorpus
  ? ""
  : " (skipped: ../shared/data/ai-sdk-fixtures or ../shared/data/pydantic-ai-cassettes is not here)";

/** A recorded answer to a request for an output of a language model. */
export interface Exchange {
  /** Where it is recorded. */
  readonly name: string;
  readonly vendor: string;
  readonly dialect: Dialect;
  readonly model: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** In the pieces that the provider made; one, unless it streamed. */
  readonly chunks: readonly Buffer[];
  readonly isStream: boolean;
  readonly tools: readonly ModelTool[];
  readonly output: ModelInput["output"];
  /** The functions that the response has its caller run. */
  readonly called: readonly string[];
}

export interface Recorded {
  readonly vendor: string;
  readonly name: string;
  /** `null` for what is none of a language model: embeddings, files, speech, skills, pages. */
  readonly exchange: Exchange | null;
}

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON of eight APIs; a wrong guess at its shape fails a test.
type Any = any;

function filesIn(folder: URL, extension: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(extension))
    .sort();
}

/** One for each file of `ai-sdk-fixtures`. */
export function readFixtures(): readonly Recorded[] {
  const names = [...filesIn(fixturesFolder, ".json"), ...filesIn(fixturesFolder, ".chunks.txt")].sort();
  return names.map((name) => {
    const vendor = name.split("/")[0] ?? "";
    return { vendor, name, exchange: fixture(name, vendor) };
  });
}

const defaultModels: Readonly<Record<Dialect, string>> = {
  chat: "gpt-4.1",
  cohere: "command-a-03-2025",
  completion: "gpt-3.5-turbo-instruct",
  converse: "anthropic.claude-sonnet-4-5-20250929-v1:0",
  generate: "gemini-2.5-flash",
  interactions: "gemini-2.5-flash",
  messages: "claude-sonnet-4-5",
  responses: "gpt-5",
};

function fixture(name: string, vendor: string): Exchange | null {
  const text = readFileSync(new URL(name, fixturesFolder), "utf8");
  const isStream = name.endsWith(".chunks.txt");
  const lines = isStream ? text.split("\n").filter((line) => line.trim() !== "") : [text];
  const payloads = lines.map(parsed);
  const dialect = payloads.map((payload) => dialectOf(payload, name)).find((found) => found !== null);
  if (!dialect) return null;
  const called = calledBy(payloads);
  return {
    name,
    vendor,
    dialect,
    model: modelIn(payloads) ?? defaultModels[dialect],
    status: isStream ? 200 : statusOf(payloads[0]),
    headers: { "content-type": isStream ? streamType(dialect) : "application/json" },
    chunks:
      isStream && dialect === "converse" ? eventFrames(lines) : lines.map(isStream ? toEvent : Buffer.from),
    isStream,
    tools: called.map((tool) => ({ name: tool, description: tool, inputSchema: openSchema })),
    output: undefined,
    called,
  };
}

function toEvent(payload: string): Buffer {
  return Buffer.from(`data: ${payload}\n\n`);
}

function streamType(dialect: Dialect): string {
  return dialect === "converse" ? "application/vnd.amazon.eventstream" : "text/event-stream";
}

function parsed(text: string): Any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // one line of one file, on purpose
  }
}

/** Told by what its API alone has. */
function dialectOf(payload: Any, name: string): Dialect | null {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) return null;
  const { type, object, event_type } = payload;
  if (type === "message" || type === "message_start") return "messages";
  if (object === "response" || /^response\./.test(type ?? "")) return "responses";
  if (object === "text_completion") return "completion";
  if (Array.isArray(payload.choices)) return "chat";
  if (Array.isArray(payload.candidates)) return "generate";
  if (Array.isArray(payload.steps) || /^interaction\./.test(event_type ?? "")) return "interactions";
  if (payload.output?.message || payload.messageStart || payload.contentBlockStart) return "converse";
  if (type === "message-start" || (payload.message && payload.finish_reason)) return "cohere";
  if (payload.error === undefined) return null;
  if (name.startsWith("google/")) return "generate";
  return name.includes("/responses/") ? "responses" : "chat";
}

/** Errors are recorded without it. */
function statusOf({ error }: Any): number {
  if (!error) return 200;
  if (typeof error.code === "number") return error.code;
  return error.type === "insufficient_quota" ? 429 : 400;
}

function modelIn(payloads: readonly Any[]): string | undefined {
  return payloads
    .map((payload) => payload?.model ?? payload?.response?.model ?? payload?.message?.model)
    .find((model) => typeof model === "string");
}

export const cassetteFiles: () => readonly string[] = () => filesIn(cassettesFolder, ".json");

/** One for each exchange of each file of `pydantic-ai-cassettes`. */
export function readCassettes(): readonly Recorded[] {
  return cassetteFiles().flatMap((file) => {
    const { interactions } = JSON.parse(readFileSync(new URL(file, cassettesFolder), "utf8"));
    return interactions.map(({ request, response }: Any, index: number) => {
      const name = `${file}#${index}`;
      const url = URL.parse(request.uri ?? "");
      const vendor = vendorOf(url?.hostname ?? "none");
      return { vendor, name, exchange: cassette(name, vendor, url, request, response) };
    });
  });
}

function vendorOf(hostname: string): string {
  if (hostname.endsWith("googleapis.com")) return "google";
  if (hostname.endsWith(".amazonaws.com")) return "bedrock";
  if (hostname.endsWith(".azure.com")) return "azure";
  return /(?:^|\.)([^.]+)\.[^.]+$/.exec(hostname)?.[1] ?? hostname;
}

/** Told by the address alone, so that also answers of another shape count. */
const endpoints: readonly { readonly path: RegExp; readonly dialect: Dialect }[] = [
  { path: /\/v1\/messages$/, dialect: "messages" },
  { path: /\/invoke$/, dialect: "messages" }, // Anthropic's API, as Bedrock passes it on
  { path: /\/responses$/, dialect: "responses" },
  { path: /\/chat\/completions$/, dialect: "chat" },
  { path: /\/v2\/chat$/, dialect: "cohere" },
  { path: /:(?:generateContent|streamGenerateContent)$/, dialect: "generate" },
  { path: /\/(?:converse|converse-stream)$/, dialect: "converse" },
];

function cassette(
  name: string,
  vendor: string,
  url: URL | null,
  request: Any,
  response: Any,
): Exchange | null {
  const dialect = endpoints.find(({ path }) => path.test(url?.pathname ?? ""))?.dialect;
  if (!url || !dialect || request.method.toUpperCase() !== "POST") return null;
  const asked = typeof request.body === "string" ? parsed(request.body) : request.body;
  const body = typeof response.body === "string" ? response.body : JSON.stringify(response.body);
  const isStream = String(response.headers["content-type"]).startsWith("text/event-stream");
  const inPath = /\/(?:model\/([^/]+)|models\/([^:/]+))/.exec(decodeURIComponent(url.pathname));
  return {
    name,
    vendor,
    dialect,
    model: asked?.model ?? inPath?.[1] ?? inPath?.[2] ?? defaultModels[dialect],
    status: response.status,
    headers: response.headers,
    chunks: isStream
      ? (body.match(/[\s\S]+?(?:\r?\n){2}|[\s\S]+$/g) ?? []).map(Buffer.from)
      : [Buffer.from(body)],
    isStream,
    tools: offeredBy(asked),
    output: outputOf(asked),
    called: calledBy(isStream ? payloadsOf(body) : response.body),
  };
}

function payloadsOf(body: string): readonly Any[] {
  return body.split(/\r?\n/).map((line) => parsed(line.replace(/^data: ?/, "")));
}
