import type { Reasoning, Usage, WireRecord } from "../events.ts";
import type { Json } from "../json.ts";

/** A tool as a model sees it. */
export interface ModelTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Json;
}

/** A tool call as a model wrote it; `args` is not validated yet. */
export interface ModelCall {
  readonly callId: string;
  readonly tool: string;
  readonly args: unknown;
  /** What the provider wants back with this call, by provider; opaque. */
  readonly providerData?: Json;
}

export type ModelMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | {
      readonly role: "assistant";
      readonly content: string;
      readonly calls: readonly ModelCall[];
      /** Goes back to the provider that made it, in front of the calls. */
      readonly reasoning?: readonly Reasoning[];
    }
  | { readonly role: "tool"; readonly callId: string; readonly tool: string; readonly content: string };

/** Everything that goes to a model, and nothing else goes. */
export interface ModelInput {
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ModelTool[];
  readonly maxOutputTokens: number;
  /** Asks the provider for JSON of this schema instead of free text. */
  readonly output?: { readonly name: string; readonly schema: Json };
}

/** Everything that came back, as the provider sent it: nothing in it is validated. */
export interface ModelOutput {
  readonly text: string;
  readonly calls: readonly ModelCall[];
  /** `length` means cut off, `refused` withheld by the provider or its filter: nothing in it may be used. */
  readonly finish: "stop" | "calls" | "length" | "refused" | "other";
  /** What the provider requires back with the results of the calls. */
  readonly reasoning?: readonly Reasoning[];
  /** Absent when the provider reports none; the runtime then estimates. */
  readonly usage?: Usage;
  readonly warnings?: readonly string[];
  /** The request as it went out, when it could be captured. */
  readonly wire?: WireRecord;
  /** From the call to the first token, when it was streamed. */
  readonly firstTokenMs?: number;
  /** The model that answered, as the provider names it. */
  readonly responseModel?: string;
}
