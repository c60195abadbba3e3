// Puts the parts of a stream together to what the same call without a stream would have given. Nothing of a stream
// that did not come to its end is returned, whatever it already showed.
import type { LanguageModelV4StreamPart, LanguageModelV4StreamResult } from "@ai-sdk/provider";
import { HoldpointError } from "../core/errors.ts";
import type { ModelProgress } from "../ports/model.ts";
import { type Generated, interrupted, type Part, ranElsewhere, sizeOf, tooLong } from "./ai-sdk-output.ts";
import { findCause, isOurs } from "./find-cause.ts";
import { toModelError } from "./model-error.ts";
import { readParts } from "./read-parts.ts";
import { untilAborted } from "./until-aborted.ts";

export interface StreamSettings {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ModelProgress) => void;
  readonly maxBytes: number;
  readonly idleMs: number;
  readonly now: () => number;
}

/** How long a stream that has said all is given to close, so that its connection can be used again. */
const closingMs = 1_000;

/** @throws as the port says: `model_interrupted` for what did not come to its end, `model_timeout` for a stall. */
export async function generateByStream(
  open: () => PromiseLike<LanguageModelV4StreamResult>,
  settings: StreamSettings,
): Promise<Generated> {
  const { id, signal, idleMs } = settings;
  const startedAt = settings.now();
  const { stream } = await untilAborted(open(), signal);
  const assembly = assemble(settings, startedAt);
  try {
    await readParts(stream, {
      signal,
      take: (part) => (assembly.take(part) ? Math.min(closingMs, idleMs) : idleMs),
      idleMs,
      onIdle: () => (assembly.hasEnded() ? null : stalled(id, idleMs)),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!assembly.hasEnded()) throw brokenOff(id, error);
  }
  return assembly.result();
}

interface Assembly {
  /** True when the part was the last of its stream, as far as it is known. */
  take(part: LanguageModelV4StreamPart): boolean;
  hasEnded(): boolean;
  result(): Generated;
}

type Growing = Extract<Part, { type: "text" | "reasoning" }>;
/** A call under way. */
interface Input {
  readonly tool: string;
  isShown: boolean;
  hasEnded: boolean;
}

type Metadata = { readonly providerMetadata?: Growing["providerMetadata"] };

function assemble(settings: StreamSettings, startedAt: number): Assembly {
  const { id, maxBytes, now } = settings;
  const content: Part[] = [];
  const growing = new Map<string, Growing>();
  const inputs = new Map<string, Input>();
  let warnings: Generated["warnings"] = [];
  let response: Generated["response"];
  let finish: Extract<LanguageModelV4StreamPart, { type: "finish" }> | undefined;
  let firstTokenMs: number | undefined;
  let bytes = 0;

  function show(progress: ModelProgress): void {
    firstTokenMs ??= Math.max(0, Math.round(now() - startedAt));
    tell(settings.onProgress, progress);
  }

  function begin(type: Growing["type"], partId: string): Growing {
    const part: Growing = { type, text: "" };
    content.push(part);
    growing.set(`${type} ${partId}`, part);
    return part;
  }

  /** The metadata that came last holds: a signature comes at the end. */
  function grow(type: Growing["type"], partId: string, text: string, { providerMetadata }: Metadata): void {
    const part = growing.get(`${type} ${partId}`) ?? begin(type, partId);
    part.text += text;
    if (providerMetadata !== undefined) part.providerMetadata = providerMetadata;
    if (text !== "") show({ kind: type, text });
  }

  function beginInput(callId: string, tool: string): Input {
    const input = { tool, isShown: false, hasEnded: false };
    inputs.set(callId, input);
    show({ kind: "call", callId, tool, text: "" });
    return input;
  }

  function growInput(callId: string, text: string): void {
    const input = inputs.get(callId);
    if (!input || text === "") return;
    input.isShown = true;
    show({ kind: "call", callId, tool: input.tool, text });
  }

  function endInput(callId: string): void {
    const input = inputs.get(callId);
    if (input) input.hasEnded = true;
  }

  function takeContent(part: LanguageModelV4StreamPart): void {
    switch (part.type) {
      case "text-start":
      case "reasoning-start": {
        const type = part.type === "text-start" ? "text" : "reasoning";
        begin(type, part.id);
        return grow(type, part.id, "", part);
      }
      case "text-delta":
        return grow("text", part.id, part.delta, part);
      case "reasoning-delta":
        return grow("reasoning", part.id, part.delta, part);
      case "text-end":
        return grow("text", part.id, "", part);
      case "reasoning-end":
        return grow("reasoning", part.id, "", part);
      case "tool-input-start":
        if (part.providerExecuted) throw ranElsewhere(id);
        beginInput(part.id, part.toolName);
        return;
      case "tool-input-delta":
        return growInput(part.id, part.delta);
      case "tool-input-end":
        return endInput(part.id);
      case "tool-call": {
        const input = inputs.get(part.toolCallId) ?? beginInput(part.toolCallId, part.toolName);
        if (!input.isShown) growInput(part.toolCallId, part.input); // it came at once
        endInput(part.toolCallId);
        content.push(part);
        return;
      }
      case "tool-approval-request":
        content.push(part);
        return;
      default:
        return; // sources, files, pings: nothing of them is kept
    }
  }

  return {
    take(part) {
      bytes += sizeOf(part);
      if (bytes > maxBytes) throw tooLong(id, maxBytes);
      if (part.type === "error") throw streamError(id, part.error);
      if (part.type === "finish") finish = part;
      else if (part.type === "stream-start") warnings = part.warnings;
      else if (part.type === "response-metadata") response = part;
      else {
        if (carriesOutput(part)) finish = undefined; // it went on: a proxy put two answers in one stream
        takeContent(part);
      }
      return finish !== undefined;
    },
    hasEnded: () => finish !== undefined,
    result() {
      if (!finish || neverSaidWhy(finish)) throw interrupted(id, "its stream ended too early");
      const { unified } = finish.finishReason;
      const isCut = unified === "length" || unified === "content-filter";
      if (!isCut && [...inputs.values()].some((input) => !input.hasEnded))
        throw interrupted(id, "its stream ended within a call");
      return {
        content,
        finishReason: finish.finishReason,
        usage: finish.usage,
        warnings,
        ...(firstTokenMs !== undefined && { firstTokenMs }),
        ...(response && { response }),
      };
    },
  };
}

function carriesOutput({ type }: LanguageModelV4StreamPart): boolean {
  return /^(text|reasoning|tool)-/.test(type);
}

/** How version 3 of the specification puts a stream that was cut: there is no reason, not even the provider's own word. */
function neverSaidWhy({ finishReason }: Extract<LanguageModelV4StreamPart, { type: "finish" }>): boolean {
  return finishReason.unified === "other" && finishReason.raw === undefined;
}

/** Hints for displays: what goes wrong in them is no matter of the decision. */
function tell(onProgress: StreamSettings["onProgress"], progress: ModelProgress): void {
  try {
    const given: unknown = onProgress(progress);
    if (given instanceof Promise) given.catch(() => {});
  } catch {
    // as above
  }
}

/** What a provider reports in the middle: its own kind of error where it is told, else an interruption. */
function streamError(id: string, given: unknown): HoldpointError {
  const error = toModelError(id, withBody(given));
  const isGarbled = isRecord(given) && String(given.name).startsWith("AI_") && given.statusCode === undefined;
  const isTold = error.code !== "model_failed" || !(error.retryable || isGarbled);
  return isTold ? error : interrupted(id, error.message, given);
}

/** Errors in a stream have no response of their own; what tells them apart is where it would stand. */
function withBody(error: unknown): unknown {
  if (!isRecord(error) || error instanceof Error || "responseBody" in error) return error;
  return { ...error, responseBody: JSON.stringify(error.data ?? error) };
}

function brokenOff(id: string, cause: unknown): HoldpointError {
  return findCause(cause, isOurs) ?? interrupted(id, toModelError(id, cause).message, cause);
}

function stalled(id: string, idleMs: number): HoldpointError {
  return new HoldpointError(
    "model_timeout",
    `${id} sent nothing for ${idleMs} ms in the middle of its output`,
    {
      retryable: true,
    },
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
