import { Unreadable } from "../core/encodings/parse-json.ts";
import { HoldpointError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { readStrictJson, strictJson } from "../core/strict-json.ts";

/** Parses JSON that a person typed. `what` names it in the error. @throws `invalid_json`, showing the place. */
export function parseJsonArgument(text: string, what: string): Json {
  const value = tryParse(text, what);
  if (value !== undefined) return value;
  throw new HoldpointError("invalid_json", `${what} is not JSON ${placeOf(text, jsonErrorOffset(text))}`, {
    fix: `Write JSON, and quote it for the shell: '{"key": "value"}', '"text"', 42.`,
  });
}

/**
 * A value from text that may be JSON or plain text: JSON where it is accepted, else text where that is accepted.
 * Text that begins like JSON and is none is taken for a mistake when nothing says what is accepted.
 *
 * @throws `invalid_json` for text that is not JSON where no text is taken.
 */
export async function jsonOrText(
  text: string,
  what: string,
  accepts: ((value: Json) => Promise<boolean>) | null,
): Promise<Json> {
  const value = tryParse(text);
  if (!accepts) return value ?? (/^\s*[{["]/.test(text) ? parseJsonArgument(text, what) : text);
  if (value !== undefined && (await accepts(value))) return value;
  if (await accepts(text)) return text;
  return value ?? parseJsonArgument(text, what); // whoever validates it says what is wrong with the value
}

/** `undefined`, which is no JSON, for text that is none; without `what` also for JSON that cannot be used. */
function tryParse(text: string, what?: string): Json | undefined {
  try {
    return readStrictJson(text);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return what === undefined ? undefined : strictJson(text, what); // which says why
  }
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - before.lastIndexOf("\n");
  const start = Math.max(before.lastIndexOf("\n") + 1, offset - 60);
  const end = text.indexOf("\n", offset);
  const excerpt = text.slice(start, Math.min(end < 0 ? text.length : end, offset + 20));
  const found = offset >= text.length ? "it ends too early" : `unexpected ${JSON.stringify(text[offset])}`;
  return `at line ${line}, column ${column}: ${found}\n  ${excerpt}\n  ${" ".repeat(offset - start)}^`;
}

const patterns = {
  space: /[ \t\n\r]*/y,
  string: /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/uy,
  number: /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y,
  word: /true|false|null/y,
};

/** The offset of the first character that cannot stand where it does (RFC 8259); the length when more was expected. */
export function jsonErrorOffset(text: string): number {
  let offset = 0;
  let failed = false;

  function take(pattern: keyof typeof patterns): boolean {
    const regex = patterns[pattern];
    regex.lastIndex = offset;
    const length = regex.exec(text)?.[0].length ?? 0;
    offset += length;
    return length > 0;
  }

  function expect(character: string): void {
    if (failed) return;
    if (text[offset] === character) offset += 1;
    else failed = true;
  }

  function string(): void {
    if (take("string")) expect('"');
    else failed = true;
  }

  function items(close: string, item: () => void): void {
    offset += 1;
    take("space");
    if (text[offset] === close) {
      offset += 1;
      return;
    }
    while (!failed) {
      item();
      if (failed || text[offset] !== ",") return expect(close);
      offset += 1;
      take("space");
    }
  }

  function member(): void {
    string();
    if (!failed) take("space");
    expect(":");
    value();
  }

  function value(): void {
    if (failed) return;
    take("space");
    const first = text[offset];
    if (first === "{") items("}", member);
    else if (first === "[") items("]", value);
    else if (first === '"') string();
    else if (!take("number") && !take("word")) failed = true;
    if (!failed) take("space");
  }

  value();
  return offset;
}
