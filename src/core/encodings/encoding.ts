// How tools and answers are put to a model, and how its output is read back. An encoding is pure, and neither half may
// guess: what it cannot read without doubt is unreadable.
import type { Json } from "../json.ts";
import type { ModelCall, ModelInput, ModelMessage, ModelOutput, ModelTool } from "../window/model-input.ts";

/** `tools`: the provider's tool calls. `json`: its JSON mode with a schema. `text`: JSON in plain text, for any model. */
export type EncodingName = "tools" | "json" | "text";

/** What a model may do at one decision: call these tools, or answer. */
export interface Offer {
  readonly tools: readonly ModelTool[];
  /** JSON Schema of the answer; `null` when any text is one. */
  readonly answer: Json | null;
}

/** A part of a window before it has a form. */
export type Shown =
  | {
      /**
       * The thread's input, earlier steps in short, what happened besides the calls, what code wants seen, what was
       * wrong with the last output.
       */
      readonly kind: "input" | "summary" | "note" | "known" | "correction";
      readonly text: string;
    }
  /** What a section of the agent's own says. */
  | { readonly kind: "section"; readonly name: string; readonly text: string }
  /** A decision's message and the results of its calls. */
  | { readonly kind: "turn"; readonly messages: readonly ModelMessage[] };

/** An output in one form, whatever the encoding. Nothing in it is validated against a schema. */
export type ReadOutput =
  | {
      readonly kind: "calls";
      readonly calls: readonly ModelCall[];
      /** What stood beside the calls; empty when the encoding has no place for it. */
      readonly text: string;
      readonly repairs: readonly string[];
    }
  | { readonly kind: "answer"; readonly value: unknown; readonly repairs: readonly string[] }
  /** `why` completes "your last output could not be used: …". */
  | { readonly kind: "unreadable"; readonly why: string };

/** How the parts of a window become messages. Pure. */
export interface Rendering {
  readonly name: string;
  /** All user messages of a window go out as one. */
  readonly joinsUserMessages: boolean;
  /** The messages by which a part is shown: `user` ones, or for a turn a decision followed by its results. */
  show(part: Shown): readonly ModelMessage[];
}

/** `chat`: the messages of a conversation. `events`: everything so far as one user message of tagged events. */
export type RenderingName = "chat" | "events";

export interface Encoding {
  readonly name: EncodingName;
  /** What is added to the system prompt: the intents and the form of the output, in words. Empty where the provider says it. */
  instructions(offer: Offer): string;
  /** What the request carries besides messages. */
  request(offer: Offer): Pick<ModelInput, "tools" | "output">;
  readonly renderings: { readonly [Name in RenderingName]: Rendering };
  /** The one that is used unless the window names another. */
  readonly rendering: RenderingName;
  read(output: ModelOutput, offer: Offer): ReadOutput;
}

/** The name under which a model answers, wherever an answer is a call or an intent. */
export const answerName = "answer";

/** What a model is told about answering. */
export const answerDescription = "Gives the answer. It comes alone, without calls beside it.";
