import type { Attributes } from "@opentelemetry/api";

/** What may be told of content: nothing, or all of it without declared secrets (I11). */
export interface Content {
  readonly isOn: boolean;
  readonly clean: <T>(value: T) => T;
}

/** Longest text of one attribute, in characters: what is longer is in the log. */
const maxLength = 64 * 1_024;

/** Nothing is computed when content is off. Cleaned before it is cut, since half a secret is one too. */
export function contentAttribute({ isOn, clean }: Content, name: string, value: () => unknown): Attributes {
  if (!isOn) return {};
  const text = JSON.stringify(clean(value())) ?? "null";
  const left = text.length - maxLength;
  return { [name]: left <= 0 ? text : `${text.slice(0, maxLength)}… (${left} characters more)` };
}
