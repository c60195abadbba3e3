import { HoldpointError } from "../../core/errors.ts";
import type { Verdict } from "../../core/events.ts";
import type { Json } from "../../core/json.ts";
import type { RequestRow } from "../../ports/store.ts";
import { strictJson } from "../strict-json.ts";

/** The verdict that a form of the approver page gives. @throws `usage` for fields that make none. */
export function verdictOf(row: RequestRow, fields: ReadonlyMap<string, string>): Verdict {
  const why = fields.get("why")?.trim() ?? "";
  const value = fields.get("value") ?? "";
  const kind = fields.get("kind");
  switch (kind) {
    case "approve":
      return { kind };
    case "edit":
      return { kind, args: strictJson(value, "what is to run") };
    case "answer":
      return { kind, value: answer(row, value) };
    case "done":
      return { kind, value: strictJson(value, "the result") };
    case "reject":
    case "not_done":
      if (why === "") throw new HoldpointError("usage", "say why");
      return { kind, why };
    case "continue":
    case "stop":
      return why === "" ? { kind } : { kind, why };
    default:
      throw new HoldpointError("usage", "the form names no verdict");
  }
}

/** Text where the question takes text, else JSON; what is no JSON is text, and the question's schema has the last word. */
function answer({ opened: { answerSchema } }: RequestRow, value: string): Json {
  const text = value.replaceAll("\r\n", "\n"); // as forms send it
  if (answerSchema === undefined || isTextSchema(answerSchema)) return text;
  try {
    return strictJson(text, "the answer");
  } catch {
    return text;
  }
}

function isTextSchema(schema: Json): boolean {
  return typeof schema === "object" && schema !== null && "type" in schema && schema.type === "string";
}
