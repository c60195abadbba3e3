import { Unreadable } from "../core/encodings/parse-json.ts";
import { readStrictJson } from "../core/encodings/strict-json.ts";
import { HoldpointError } from "../core/errors.ts";
import type { Verdict } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import type { RequestRow } from "../ports/store.ts";

/** What a person typed beside their choice. */
export interface TypedVerdict {
  readonly kind: string;
  /** A reason, an answer or JSON, as the choice takes it. */
  readonly text: string;
}

/**
 * The verdict that a form or a dialog asks for.
 *
 * @throws `verdict_invalid` for a choice that the request does not offer, a missing reason, or what is no JSON.
 */
export function verdictFrom({ opened }: RequestRow, { kind, text }: TypedVerdict): Verdict {
  const choice = opened.choices.find((offered) => offered === kind);
  switch (choice) {
    case "approve":
    case "continue":
      return { kind: choice };
    case "edit":
      return { kind: choice, args: jsonOf(text) };
    case "done":
      return { kind: choice, value: jsonOf(text) };
    case "answer":
      return { kind: choice, value: takesText(opened.answerSchema) ? text : jsonOf(text) };
    case "reject":
    case "stop":
    case "not_done":
      return { kind: choice, why: reasonOf(text) };
    case undefined:
      throw invalid(`this request takes ${opened.choices.join(", ")}`);
    default:
      return choice satisfies never;
  }
}

/** Whether an answer is text as typed; all others are JSON. */
export function takesText(schema: Json | undefined): boolean {
  if (schema === undefined) return true;
  return typeof schema === "object" && schema !== null && "type" in schema && schema.type === "string";
}

function reasonOf(text: string): string {
  if (text.trim() !== "") return text.trim();
  throw invalid("a reason is needed: whoever asked is told it");
}

function jsonOf(text: string): Json {
  let value: Json | undefined;
  try {
    value = readStrictJson(text);
  } catch (cause) {
    if (!(cause instanceof Unreadable)) throw cause;
    throw invalid(`what was typed is not JSON that can be used: ${cause.message}`);
  }
  if (value === undefined) throw invalid("what was typed is not JSON");
  return value;
}

function invalid(message: string): HoldpointError {
  return new HoldpointError("verdict_invalid", message);
}
