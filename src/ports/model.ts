import type { ModelPrice } from "../core/cost.ts";
import type { ModelInput, ModelOutput } from "../core/window/model-input.ts";

export type { ModelPrice } from "../core/cost.ts";
export type {
  ModelCall,
  ModelInput,
  ModelMessage,
  ModelOutput,
  ModelTool,
} from "../core/window/model-input.ts";

/** What a model has put out so far, piece by piece. Hints for displays: what counts is the output as a whole. */
export type ModelProgress =
  | { readonly kind: "text" | "reasoning"; readonly text: string }
  /** More of the arguments' JSON text of a call. */
  | { readonly kind: "call"; readonly callId: string; readonly tool: string; readonly text: string };

export interface GenerateOptions {
  readonly signal: AbortSignal;
  /** Given, the model streams where it can. */
  readonly onProgress?: (progress: ModelProgress) => void;
  /** Told when the call waits for its turn (true), and when it has it (false): the caller's deadline stands still meanwhile. */
  readonly onWaiting?: (isWaiting: boolean) => void;
}

/**
 * A language model. What leaks through: output is whatever the provider sent, so it is validated by the caller.
 *
 * A failed call throws a `HoldpointError`, `retryable` when the same call may succeed later: `model_overflow` when the
 * input does not fit (with `details.limitTokens` where the provider names its limit), `model_throttled` (with
 * `retryAfterMs` where it says), `model_interrupted` when the output ended too early, `model_timeout`,
 * `model_circuit_open`, `model_unavailable`, `wire_mismatch`, or `model_failed` for anything else.
 */
export interface Model {
  /** `provider/model`, as recorded with each decision. */
  readonly id: string;
  generate(input: ModelInput, options: GenerateOptions): Promise<ModelOutput>;
}

/** What is known of a model beforehand. */
export interface ModelFacts {
  /** Input and output together, in tokens. */
  readonly contextTokens?: number;
  readonly maxOutputTokens?: number;
  readonly price?: ModelPrice;
}
