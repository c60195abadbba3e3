import { sha256 } from "../digest.ts";
import type { ModelMessage } from "./model-input.ts";
import type { PartKind, PartTreatment } from "./window-record.ts";

/** One piece of a window: messages that stay or go together. */
export interface Part {
  readonly kind: PartKind;
  /** Of a section. */
  readonly name?: string;
  /** The first and the last event that it shows; none for what is not from the log. A turn's first is its decision. */
  readonly seqs?: readonly [first: number, last: number];
  readonly messages: readonly ModelMessage[];
  readonly treatment: PartTreatment;
  /** A turn that has ended, in its events' own words: they are its text. */
  readonly isPlain?: boolean;
  /** By the counter alone, before calibration. */
  readonly tokens: number;
  /** SHA-256 of the messages' JSON. */
  readonly digest: string;
}

export type Count = (text: string) => number;

/** Tokens that providers add around a message: OpenAI's cookbook counts 3 to 4. */
export const messageOverhead = 4;

/** Half a surrogate pair, as `JSON.stringify` writes it. Providers refuse a whole request for one. */
const halfPair = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

export function makePart(count: Count, part: Omit<Part, "tokens" | "digest">): Part {
  const given = JSON.stringify(part.messages);
  const text = given.includes("\\ud") ? given.replace(halfPair, "$1\ufffd") : given;
  const isSound = text === given;
  const messages = isSound ? part.messages : (JSON.parse(text) as readonly ModelMessage[]);
  return {
    ...part,
    ...(isSound ? {} : { messages, isPlain: false }),
    tokens: messages.reduce((total, message) => total + messageTokens(count, message), 0),
    digest: sha256(text),
  };
}

function messageTokens(count: Count, message: ModelMessage): number {
  const beside = message.role === "assistant" ? [message.calls, message.reasoning ?? []] : [];
  const lists = beside.filter((list) => list.length > 0);
  return lists.reduce(
    (total, list) => total + count(JSON.stringify(list)),
    messageOverhead + count(message.content),
  );
}

export function tokensOf(parts: readonly Part[]): number {
  return parts.reduce((total, part) => total + part.tokens, 0);
}

/** Everything that was said to the model as one message, after the system prompt. */
export function joinUserMessages(messages: readonly ModelMessage[]): readonly ModelMessage[] {
  const others = messages.filter((message) => message.role !== "user");
  const content = messages
    .flatMap((message) => (message.role === "user" ? [message.content] : []))
    .join("\n\n");
  return content === "" ? others : [...others, { role: "user", content }];
}
