// What people type beside a choice, the same in every form and dialog.
import { HoldpointError, isHoldpointError } from "./errors.ts";
import type { EventOf, Verdict, VerdictKind } from "./events.ts";
import { type Html, html } from "./html.ts";
import type { Json } from "./json.ts";
import { strictJson } from "./strict-json.ts";
import { visible } from "./visible.ts";

type Opened = EventOf<"request_opened">;

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
export function typedVerdict(opened: Opened, { kind, text }: TypedVerdict): Verdict {
  const choice = opened.choices.find((offered) => offered === kind);
  const typed = text.replaceAll("\r\n", "\n"); // as forms send it
  switch (choice) {
    case "approve":
      return { kind: choice };
    case "edit":
      return { kind: choice, args: jsonOf(typed) };
    case "done":
      return { kind: choice, value: jsonOf(typed) };
    case "answer":
      return { kind: choice, value: answerOf(opened, typed) };
    case "reject":
    case "not_done":
      return { kind: choice, why: reasonOf(typed) };
    case "continue":
    case "stop":
      return typed.trim() === "" ? { kind: choice } : { kind: choice, why: typed.trim() };
    case undefined:
      throw invalid(`this request takes ${opened.choices.join(", ")}`);
    default:
      return choice satisfies never;
  }
}

/** Text where the question takes text, else JSON; what is no JSON is text, and the question's schema has the last word. */
function answerOf({ answerSchema }: Opened, text: string): Json {
  if (takesText(answerSchema)) return text;
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return jsonOf(text);
}

function takesText(schema: Json | undefined): boolean {
  if (schema === undefined) return true;
  return typeof schema === "object" && schema !== null && "type" in schema && schema.type === "string";
}

function reasonOf(text: string): string {
  if (text.trim() !== "") return text.trim();
  throw invalid("a reason is needed: whoever asked is told it");
}

function jsonOf(text: string): Json {
  try {
    return strictJson(text, "what was typed");
  } catch (error) {
    throw isHoldpointError(error) ? invalid(error.message) : error;
  }
}

function invalid(message: string): HoldpointError {
  return new HoldpointError("verdict_invalid", message);
}

/**
 * What a form asks beside a choice, in a field named `text`; nothing where the choice says it all.
 *
 * @param typed What the field holds at first. Default: what the choice starts from, such as the arguments to edit.
 */
export function typedInput(opened: Opened, kind: VerdictKind, typed?: string): readonly Html[] {
  switch (kind) {
    case "approve":
      return [];
    case "edit":
      return [
        textArea("The arguments to run it with, as JSON", typed ?? shownJson(opened.action?.args ?? {})),
      ];
    case "done":
      return [textArea("Its result, as JSON (null if it has none)", typed ?? "null")];
    case "answer":
      return [textArea(`Your answer${formOf(opened.answerSchema)}`, typed ?? "")];
    case "reject":
    case "not_done":
      return [reason("Why?", typed ?? "", " required")];
    case "continue":
    case "stop":
      return [reason("Why? (may be left out)", typed ?? "", "")];
    default:
      return kind satisfies never;
  }
}

function formOf(schema: Json | undefined): string {
  return schema === undefined || takesText(schema) ? "" : ` (JSON: ${visible(JSON.stringify(schema))})`;
}

/** `visible` keeps JSON text JSON of the same value. */
function shownJson(value: Json): string {
  return visible(JSON.stringify(value, null, 2));
}

function reason(label: string, text: string, required: "" | " required"): Html {
  return html`<label>${label} <input name="text" value="${text}"${required} maxlength="10000" autocomplete="off"></label>`;
}

/** The line feed after the tag is the one that a parser drops there. */
function textArea(label: string, text: string): Html {
  return html`<label>${label} <textarea name="text" required rows="${linesOf(text)}" spellcheck="false">
${text}</textarea></label>`;
}

/** As many lines as the text has, within a screen. */
function linesOf(text: string): number {
  return Math.min(20, Math.max(3, text.split("\n").length));
}
