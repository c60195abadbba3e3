// How tools and answers are put to a model, and how its output is read back. An encoding is pure, and neither half may
// guess: what it cannot read without doubt is unreadable.
import type { Json } from "../json.ts";
import type { ModelCall, ModelInput, ModelMessage, ModelOutput, ModelTool } from "../window/model-input.ts";

/** `tools`: the provider's tool calls. `json`: its JSON mode with a schema. `text`: JSON in plain text, for any model. */
export type EncodingName = "tools" | "json" | "text";

/** What a model may do at one decision. */
export interface Offer {
  readonly tools: readonly ModelTool[];
  /** JSON Schema of the answer; `null` when any text is one. */
  readonly answer: Json | null;
}

/** JSON text read tolerantly: the value with the names of the repairs it took, or why it is none. */
export type ReadJson = (
  text: string,
) =>
  | { readonly ok: true; readonly value: unknown; readonly repairs: readonly string[] }
  | { readonly ok: false; readonly why: string };

/** An output in one form, whatever the encoding. Nothing in it is validated against a schema. */
export type ReadOutput =
  | {
      readonly kind: "calls";
      readonly calls: readonly ModelCall[];
      readonly text: string;
      readonly repairs: readonly string[];
    }
  | { readonly kind: "answer"; readonly value: unknown; readonly repairs: readonly string[] }
  | { readonly kind: "unreadable"; readonly why: string };

export interface Encoding {
  readonly name: EncodingName;
  /** What stands after the system prompt: the tools and the form of the output, in words. Empty where the provider says it. */
  instructions(offer: Offer): string;
  /** What the request carries besides messages. */
  request(offer: Offer): Pick<ModelInput, "tools" | "output">;
  /** How a decision of the past and its results are shown. */
  show(messages: readonly ModelMessage[]): readonly ModelMessage[];
  read(output: ModelOutput, offer: Offer, readJson: ReadJson): ReadOutput;
}
