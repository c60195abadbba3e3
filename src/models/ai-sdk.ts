// Calls a provider of the AI SDK directly (`doGenerate`, `doStream`), without the SDK's own loop, retries or prompt
// text: what goes out is the ModelInput and nothing else.
import type { LanguageModelV3, LanguageModelV4 } from "@ai-sdk/provider";
import type { GenerateOptions, Model, ModelInput, ModelOutput } from "../ports/model.ts";
import { type CallOptions, type ProviderOptions, toCallOptions } from "./ai-sdk-call.ts";
import { type Generated, toOutput } from "./ai-sdk-output.ts";
import { generateByStream } from "./ai-sdk-stream.ts";
import { findCause, isOurs } from "./find-cause.ts";
import { toModelError } from "./model-error.ts";
import { untilAborted } from "./until-aborted.ts";
import { type Captured, captureWire } from "./wire/capture-wire.ts";

/** A model object of an AI SDK provider, version 3 or 4 of the specification. */
export type AiSdkLanguageModel = LanguageModelV4 | LanguageModelV3;

export interface AiSdkModelOptions {
  /** As recorded with each decision. Default: the provider's name and the model's. */
  readonly id?: string;
  /** Goes out with every call, by provider, such as `{ anthropic: { thinking: … } }`. */
  readonly providerOptions?: ProviderOptions;
  /**
   * Refuse to send what the window did not ask for (`wire_mismatch`). Default true; else such differences are warnings.
   * Provider options explain settings, and neither text nor tools; see docs/models.md.
   */
  readonly strict?: boolean;
  /** False: never streams, also when it is given an `onProgress`. Default true. */
  readonly stream?: boolean;
  /** A longer output, counted part by part, is given up. Default 16 MiB. */
  readonly maxResponseBytes?: number;
  /** A stream that brings no part for so long, once it has begun, is given up. Default 60,000. */
  readonly idleMs?: number;
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  readonly now?: () => number;
}

/** Twenty times the longest output that a model is known to make (128,000 tokens). */
export const defaultMaxResponseBytes: number = 16 * 1024 * 1024;

/** Providers that are slow to think send pings or reasoning in between. */
const defaultIdleMs = 60_000;

/**
 * A Model from an AI SDK model object, such as `anthropic("claude-…")` or `openai.chat("gpt-…")`. It streams when it is
 * given an `onProgress`; what it returns is the same either way.
 *
 * Its calls throw what the port names, and the signal's reason when aborted; after an abort the provider may still do,
 * and charge for, the work.
 */
export function aiSdkModel(model: AiSdkLanguageModel, options: AiSdkModelOptions = {}): Model {
  const id = options.id ?? `${providerKey(model)}/${model.modelId}`;
  const maxBytes = options.maxResponseBytes ?? defaultMaxResponseBytes;
  const {
    idleMs = defaultIdleMs,
    now = () => performance.now(),
    strict = true,
    stream: mayStream = true,
  } = options;
  const providerOptions = mergedOptions(defaultProviderOptions(model), options.providerOptions);

  async function generated(
    input: ModelInput,
    { signal, onProgress }: GenerateOptions,
    seen: (captured: Captured<object>) => void,
  ): Promise<Generated> {
    const call = toCallOptions(input, { providerKey: providerKey(model), providerOptions, signal });
    const watched: Watch = async (run) => {
      const captured = await captureWire({ id, input, strict, asked: providerOptions }, run);
      seen(captured);
      return captured.result;
    };
    const atOnce = () =>
      generateAtOnce(
        watched<Generated & Answered>(() => model.doGenerate(call)),
        signal,
      );
    if (!onProgress || !mayStream || typeof model.doStream !== "function") return atOnce();
    const stream = { id, signal, onProgress, maxBytes, idleMs, now };
    try {
      return await generateByStream(() => watched(() => openStream(model, call)), stream);
    } catch (error) {
      if (!cannotStream(error)) throw error;
      return atOnce();
    }
  }

  return {
    id,
    async generate(input, given): Promise<ModelOutput> {
      const { signal } = given;
      signal.throwIfAborted();
      let captured: Captured<object> | undefined;
      try {
        const result = await generated(input, given, (last) => {
          captured = last;
        });
        const output = toOutput(result, {
          id,
          providerKey: providerKey(model),
          maxBytes,
          wantsJson: input.output !== undefined,
        });
        return withWire(output, captured);
      } catch (error) {
        signal.throwIfAborted();
        throw toModelError(id, findCause(error, isOurs) ?? error);
      }
    },
  };
}

type Watch = <Result extends object>(run: () => PromiseLike<Result>) => Promise<Result>;

function withWire(output: ModelOutput, captured: Captured<object> | undefined): ModelOutput {
  const warnings = [...(output.warnings ?? []), ...(captured?.warnings ?? [])];
  return {
    ...output,
    ...(warnings.length > 0 && { warnings }),
    ...(captured?.wire && { wire: captured.wire }),
  };
}

async function generateAtOnce(
  call: PromiseLike<Generated & Answered>,
  signal: AbortSignal,
): Promise<Generated> {
  const result = await untilAborted<Generated & Answered>(call, signal);
  if (isAnswer(result)) return result;
  const responseBody = JSON.stringify(result.response?.body) ?? "";
  const message = "its response is no answer";
  throw Object.assign(new Error(message), { statusCode: 200, isRetryable: true, responseBody });
}

interface Answered {
  readonly response?: { readonly body?: unknown };
}

/** Google's package takes any JSON, an error with status 200 among it, for an answer without content or reason. */
function isAnswer({ content, finishReason: { unified, raw } }: Generated): boolean {
  return content.length > 0 || raw !== undefined || unified !== "other";
}

/** How objects of the SDK say, before they send anything, that they lack something. */
function cannotStream(error: unknown): boolean {
  return error instanceof Error && error.name === "AI_UnsupportedFunctionalityError";
}

/** The two versions name the parts of their streams alike. */
function openStream(model: AiSdkLanguageModel, call: CallOptions): ReturnType<LanguageModelV4["doStream"]> {
  return model.doStream(call) as ReturnType<LanguageModelV4["doStream"]>;
}

/** "anthropic.messages" names the API as well. */
function providerKey({ provider }: AiSdkLanguageModel): string {
  return provider.split(".")[0] ?? provider;
}

/**
 * OpenAI keeps what goes through its Responses API for 30 days, unless told not to, and is then sent references to
 * what it kept. A thread keeps its own log, may wait longer than that, and its data is nobody else's: so nothing is
 * stored, and reasoning goes back and forth encrypted, for which the SDK asks by itself where the model reasons.
 */
function defaultProviderOptions({ provider }: AiSdkLanguageModel): ProviderOptions {
  const [key, api] = provider.split(".");
  return api === "responses" && key !== undefined ? { [key]: { store: false } } : {};
}

function mergedOptions(defaults: ProviderOptions, given: ProviderOptions = {}): ProviderOptions {
  const merged = { ...defaults, ...given };
  for (const key of Object.keys(defaults)) merged[key] = { ...defaults[key], ...given[key] };
  return merged;
}
