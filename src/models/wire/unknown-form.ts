// A request in a form that is not known here: Bedrock's, say. Its texts are looked for in the input, and the input's in
// it; what that shows is a warning, since a form may well hold texts of its own.
import type { ModelInput } from "../../ports/model.ts";
import { isObject } from "./same-json.ts";
import { quoted, type WireDifference } from "./wire-difference.ts";

export function unknownFormDifferences(body: unknown, input: ModelInput): readonly WireDifference[] {
  const sent = textsOf(body);
  const asked = new Set(textsOf([input.messages, input.tools, input.output]));
  const whole = new Set(sent);
  const missing = input.messages.flatMap(({ content }) =>
    isBlank(content) || whole.has(content) ? [] : [`the text ${quoted(content)} is not found in it`],
  );
  const added = sent
    .filter((text) => /\S\s+\S/.test(text) && !asked.has(text) && !isJson(text))
    .map((text) => `it holds ${quoted(text)}, which is not in the window`);
  const what = "the request is in no known form: only its texts were compared";
  return [what, ...missing, ...added].map((line) => ({ kind: "form_unknown", what: line }));
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}

/** Arguments, which may be written in other ways. */
function isJson(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return isObject(value) ? Object.values(value).flatMap(textsOf) : [];
}
