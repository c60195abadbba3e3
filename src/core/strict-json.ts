import { parseJson, Unreadable } from "./encodings/parse-json.ts";
import { HoldpointError } from "./errors.ts";
import type { Json } from "./json.ts";

/**
 * JSON that says one thing only: of a key that is given twice, one reader takes the first value and another the last, and
 * a person may have been shown either.
 *
 * @throws `invalid_json`
 */
export function strictJson(text: string, what: string): Json {
  try {
    const value = JSON.parse(text) as Json; // its own definition
    parseJson(text, 0, new Set());
    return value;
  } catch (cause) {
    const why = cause instanceof Unreadable ? `: ${cause.message}` : "";
    throw new HoldpointError("invalid_json", `${what} is not JSON that can be used${why}`, {
      fix:
        text === ""
          ? "Send a JSON object; {} when there is nothing to say."
          : "Check quotes, commas and keys.",
      cause,
    });
  }
}
