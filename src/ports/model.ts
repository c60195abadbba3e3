import type { Usage } from "../core/events.ts";
import type { ModelCall, ModelInput } from "../core/window/model-input.ts";

export type { ModelCall, ModelInput, ModelMessage, ModelTool } from "../core/window/model-input.ts";

export interface ModelOutput {
  readonly text: string;
  readonly calls: readonly ModelCall[];
  /** `length` means cut off: nothing in it may be used. */
  readonly finish: "stop" | "calls" | "length" | "other";
  /** Absent when the provider reports none; the runtime then estimates. */
  readonly usage?: Usage;
}

/**
 * A language model. What leaks through: output is whatever the provider sent, so it is validated by the caller;
 * a failed call throws, `retryable` when the same call may succeed later.
 */
export interface Model {
  /** `provider/model`, as recorded with each decision. */
  readonly id: string;
  generate(input: ModelInput, options: { readonly signal: AbortSignal }): Promise<ModelOutput>;
}
