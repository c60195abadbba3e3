// A request in one form, whatever the provider's.
import type { SchemaTranslation } from "./schema-translation.ts";

/** A piece of the conversation. `at` says where it stands in the body. */
export type WireItem = { readonly at: string } & (
  | { readonly kind: "system" | "user" | "assistant"; readonly text: string }
  /** `args` is JSON text or a value, as the provider takes it. */
  | {
      readonly kind: "call";
      readonly callId: string | undefined;
      readonly tool: string;
      readonly args: unknown;
    }
  | { readonly kind: "result"; readonly callId: string | undefined; readonly text: string }
  | { readonly kind: "reasoning"; readonly text: string }
  /** Something that the provider keeps. */
  | { readonly kind: "reference"; readonly id: string }
  /** What a model input never holds, such as an image. */
  | { readonly kind: "foreign"; readonly what: string }
);

export interface WireTool {
  /** Run by the provider itself: past the gate, and offered by no window. */
  readonly byProvider: boolean;
  readonly name: string;
  readonly description: string;
  readonly schema: unknown;
  readonly translation: SchemaTranslation;
}

/** A member of the body, by its path, such as `generationConfig.topK`. */
export interface WireMember {
  readonly path: string;
  readonly value: unknown;
}

export interface WireRequest {
  readonly items: readonly WireItem[];
  readonly tools: readonly WireTool[];
  /** Every limit of the output that the request names. */
  readonly limits: readonly WireMember[];
  /** What the request says of calling tools; `auto` when it says nothing. */
  readonly choice: string;
  /** `null` when free text is asked for; `schema` is undefined for any JSON. */
  readonly output: WireOutput | null;
  /** What is left: settings, and what is not known. */
  readonly members: readonly WireMember[];
  /** Tokens that the provider's package adds to the limit, for thoughts. */
  readonly thinkingTokens: number;
}

export interface WireOutput {
  readonly schema: unknown;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly translation: SchemaTranslation;
}
