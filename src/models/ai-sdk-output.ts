import type {
  LanguageModelV3GenerateResult,
  LanguageModelV4GenerateResult,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { readJson } from "../core/encodings/read-json.ts";
import { HoldpointError } from "../core/errors.ts";
import type { Reasoning, Usage } from "../core/events.ts";
import type { ModelCall, ModelOutput } from "../ports/model.ts";
import { toProviderData } from "./provider-data.ts";

type Result = LanguageModelV3GenerateResult | LanguageModelV4GenerateResult;

export type Part = Result["content"][number];

/** What a provider gave, at once or by stream. */
export interface Generated {
  readonly content: readonly Part[];
  readonly finishReason: LanguageModelV4GenerateResult["finishReason"];
  readonly usage: Result["usage"];
  readonly warnings: Result["warnings"];
  /** The part of the text that answers a call for JSON, where the provider tells it from the rest. */
  readonly structuredOutputText?: string;
  readonly firstTokenMs?: number;
  /** What the provider says of its answer. */
  readonly response?: { readonly modelId?: string | undefined };
}

export interface OutputSettings {
  readonly id: string;
  readonly providerKey: string;
  readonly maxBytes: number;
  readonly wantsJson: boolean;
}

/** @throws `model_interrupted` or `model_failed` for what broke off; `model_failed` for what passed the gate by, or is too long. */
export function toOutput(generated: Generated, settings: OutputSettings): ModelOutput {
  const { id, providerKey, maxBytes, wantsJson } = settings;
  const { content, finishReason, firstTokenMs } = generated;
  const finish = toFinish(id, finishReason);
  if (content.reduce((bytes, part) => bytes + sizeOf(part), 0) > maxBytes) throw tooLong(id, maxBytes);
  const calls = content.flatMap((part) => callOf(id, providerKey, part));
  const reasoning = content.flatMap((part) => reasoningOf(providerKey, part));
  const text = wantsJson ? answerText(providerKey, generated) : joinText(content);
  const usage = toUsage(generated.usage);
  const warnings = warningsOf(generated, finish);
  const responseModel = generated.response?.modelId;
  return {
    text,
    calls,
    finish,
    ...(reasoning.length > 0 && { reasoning }),
    ...(usage && { usage }),
    ...(firstTokenMs !== undefined && { firstTokenMs }),
    ...(typeof responseModel === "string" && { responseModel }),
    ...(warnings.length > 0 && { warnings }),
  };
}

/** Roughly what a part, whole or of a stream, weighs: its text, and something for itself. */
export function sizeOf(part: object): number {
  const { delta, text, input, providerMetadata } = part as { readonly [name: string]: unknown }; // told apart by type below
  let size = 50;
  for (const member of [delta, text, input])
    if (typeof member === "string") size += Buffer.byteLength(member);
  if (providerMetadata !== undefined) size += JSON.stringify(providerMetadata).length;
  return size;
}

export function tooLong(id: string, maxBytes: number): HoldpointError {
  return new HoldpointError("model_failed", `${id} put out more than ${maxBytes} bytes`, {
    fix: "Check what answers at the provider's address; `maxResponseBytes` allows more.",
  });
}

function toFinish(id: string, { unified, raw }: Generated["finishReason"]): ModelOutput["finish"] {
  switch (unified) {
    case "stop":
    case "length":
    case "other":
      return unified;
    case "tool-calls":
      return "calls";
    case "content-filter":
      return "refused";
    case "interrupted":
      throw interrupted(id, "its output ended without a reason");
    case "error":
      throw new HoldpointError(
        "model_failed",
        `${id} broke its output off with an error${raw === undefined ? "" : `: ${raw}`}`,
        { retryable: true },
      );
    default:
      return unified satisfies never;
  }
}

export function interrupted(id: string, why: string, cause?: unknown): HoldpointError {
  return new HoldpointError("model_interrupted", `${id} was interrupted: ${why}`, { retryable: true, cause });
}

function callOf(id: string, providerKey: string, part: Part): ModelCall[] {
  if (part.type === "tool-approval-request") throw ranElsewhere(id);
  if (part.type !== "tool-call") return [];
  if (part.providerExecuted) throw ranElsewhere(id);
  const providerData = toProviderData(providerKey, part.providerMetadata);
  return [
    {
      callId: part.toolCallId,
      tool: part.toolName,
      args: parseArgs(part.input),
      ...(providerData !== undefined && { providerData }),
    },
  ];
}

/**
 * I9. What is not plain JSON stays text, and is judged as such where decisions are validated: so no repair goes
 * unrecorded, and a key that is given twice, of which `JSON.parse` takes the last, is seen.
 */
function parseArgs(input: string): unknown {
  if (input === "") return {}; // how some providers call a tool without parameters
  const read = readJson(input);
  return read.ok && read.repairs.length === 0 ? read.value : input;
}

/** Reasoning without data of its own is marked as the provider's, so that it goes back to this one, and to no other. */
function reasoningOf(providerKey: string, part: Part): Reasoning[] {
  if (part.type !== "reasoning") return [];
  const providerData = toProviderData(providerKey, part.providerMetadata);
  if (providerData === undefined && part.text === "") return [];
  return [{ text: part.text, providerData: providerData ?? { [providerKey]: {} } }];
}

type TextPart = Extract<Part, { type: "text" }>;

function joinText(content: readonly Part[]): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** OpenAI marks comments and answer of one output, and only the last answer counts; a stream tells it by the marks alone. */
function answerText(providerKey: string, { content, structuredOutputText }: Generated): string {
  if (structuredOutputText !== undefined) return structuredOutputText;
  const mark = (part: TextPart) => part.providerMetadata?.[providerKey];
  const texts = content.filter((part): part is TextPart => part.type === "text");
  const last = texts.findLast((part) => mark(part)?.phase === "final_answer");
  if (!last) return joinText(content);
  return joinText(texts.filter((part) => mark(part)?.itemId === mark(last)?.itemId));
}

/** `undefined` unless both totals are reported: half a count would pass for the whole. */
function toUsage({ inputTokens, outputTokens }: Result["usage"]): Usage | undefined {
  if (!isCount(inputTokens.total) || !isCount(outputTokens.total)) return undefined;
  return {
    inputTokens: inputTokens.total,
    outputTokens: outputTokens.total,
    ...(isCount(inputTokens.cacheRead) && { cachedTokens: inputTokens.cacheRead }),
    ...(isCount(inputTokens.cacheWrite) && { cacheWriteTokens: inputTokens.cacheWrite }),
    ...(isCount(outputTokens.reasoning) && { reasoningTokens: outputTokens.reasoning }),
  };
}

function isCount(value: number | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** The provider's, each once; and its own word for why it withheld its output, or for an end that the SDK does not know. */
function warningsOf({ warnings, finishReason }: Generated, finish: ModelOutput["finish"]): readonly string[] {
  const all = warnings.map(describeWarning);
  const { raw } = finishReason;
  if (finish === "refused" && raw !== undefined) all.push(`withheld: ${raw}`);
  if (finish === "other" && raw !== undefined) all.push(`ended with: ${raw}`);
  return [...new Set(all)];
}

/** Some repeat what they leave out, such as a whole part of the prompt. */
const maxWarningLength = 500;

function describeWarning(warning: SharedV4Warning): string {
  const text = warningText(warning);
  return text.length <= maxWarningLength ? text : `${text.slice(0, maxWarningLength)}…`;
}

function warningText(warning: SharedV4Warning): string {
  switch (warning.type) {
    case "unsupported":
    case "compatibility":
      return `${warning.type}: ${warning.feature}${warning.details ? ` (${warning.details})` : ""}`;
    case "deprecated":
      return `deprecated: ${warning.setting} (${warning.message})`;
    case "other":
      return warning.message;
    default:
      return JSON.stringify(warning satisfies never); // a newer version of the specification
  }
}

/** I5. What a provider runs by itself passes no gate. */
export function ranElsewhere(id: string): HoldpointError {
  return new HoldpointError(
    "model_failed",
    `${id} called a tool that its provider runs by itself, past the gate`,
    {
      fix: "Take the provider's own tools out of the model's settings, and offer a tool of the agent instead.",
    },
  );
}
