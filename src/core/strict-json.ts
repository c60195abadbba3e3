import { parseJson, Unreadable } from "./encodings/parse-json.ts";
import { HoldpointError } from "./errors.ts";
import type { Json } from "./json.ts";

/**
 * JSON that says one thing only, to every reader. Of a key that is given twice, one reader takes the first value and
 * another the last; and a number with more digits than are kept becomes another number (I5: what is typed is what runs).
 *
 * @returns `undefined`, which is no JSON, for text that is none.
 * @throws Unreadable, saying why, for JSON that says more than one thing.
 */
export function readStrictJson(text: string): Json | undefined {
  const value = parsed(text);
  if (value !== undefined) parseJson(text, 0, new Set());
  return value;
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json; // its own definition
  } catch {
    return undefined;
  }
}

/** The same for a text that `what` names. @throws `invalid_json` */
export function strictJson(text: string, what: string): Json {
  try {
    const value = readStrictJson(text);
    if (value !== undefined) return value;
  } catch (cause) {
    throw unusable(what, text, cause);
  }
  throw unusable(what, text);
}

function unusable(what: string, text: string, cause?: unknown): HoldpointError {
  const why = cause instanceof Unreadable ? `: ${cause.message}` : "";
  return new HoldpointError("invalid_json", `${what} is not JSON that can be used${why}`, {
    fix:
      text === "" ? "Send a JSON object; {} when there is nothing to say." : "Check quotes, commas and keys.",
    cause,
  });
}
