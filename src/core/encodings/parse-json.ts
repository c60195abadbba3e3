// A parser of JSON that forgives how a value is written, and never what it is.
//
// R1. Nothing is completed, merged, dropped or altered: the value holds the text's own scalars, in their order, and the
//     text's own brackets close it. So what was cut off never becomes a value.
// R2. Time is linear in the text's length, and nesting is bounded.
import { defineMember, type Json, maxJsonDepth } from "../json.ts";

/** What was wrong with a text that could be read all the same. */
export type Repair =
  | "reasoning block"
  | "code fence"
  | "surrounding text"
  | "trailing comma"
  | "quotes"
  | "comment"
  | "line break in text"
  | "Python literal";

/** Why a text cannot be read; it does not leave `readJson`. */
export class Unreadable extends Error {}

interface Cursor {
  readonly text: string;
  readonly repairs: Set<Repair>;
  at: number;
  depth: number;
}

/** The value that begins at `start`, and where it ends. Repairs are added to `repairs`. @throws Unreadable */
export function parseJson(
  text: string,
  start: number,
  repairs: Set<Repair>,
): { readonly value: Json; readonly end: number } {
  const cursor: Cursor = { text, repairs, at: start, depth: 0 };
  const value = readValue(cursor);
  return { value, end: cursor.at };
}

function readValue(cursor: Cursor): Json {
  skipSpace(cursor);
  const char = cursor.text[cursor.at];
  if (char === "{") return readNested(cursor, readObject);
  if (char === "[") return readNested(cursor, readArray);
  if (char !== undefined && closers.has(char)) return readString(cursor);
  return readNumber(cursor) ?? readWord(cursor);
}

function readNested(cursor: Cursor, read: (cursor: Cursor) => Json): Json {
  cursor.depth += 1;
  if (cursor.depth > maxJsonDepth) throw new Unreadable(`it nests deeper than ${maxJsonDepth} levels`);
  cursor.at += 1;
  const value = read(cursor);
  cursor.depth -= 1;
  return value;
}

function readArray(cursor: Cursor): Json {
  const items: Json[] = [];
  if (takeChar(cursor, "]")) return items;
  for (;;) {
    items.push(readValue(cursor));
    if (isLast(cursor, "]")) return items;
  }
}

function readObject(cursor: Cursor): Json {
  const members: Record<string, Json> = {};
  if (takeChar(cursor, "}")) return members;
  for (;;) {
    const key = readKey(cursor);
    if (Object.hasOwn(members, key)) throw new Unreadable(`${quote(key)} is given twice in one object`);
    if (!takeChar(cursor, ":")) throw unexpected(cursor, `":" after ${quote(key)}`);
    defineMember(members, key, readValue(cursor));
    if (isLast(cursor, "}")) return members;
  }
}

/** After an item: its comma, or the bracket that ends the list, with a comma too many in front of it or not. */
function isLast(cursor: Cursor, close: string): boolean {
  const hasComma = takeChar(cursor, ",");
  const isClosed = takeChar(cursor, close);
  if (hasComma && isClosed) cursor.repairs.add("trailing comma");
  if (hasComma || isClosed) return isClosed;
  throw unexpected(cursor, `"," or "${close}"`);
}

const plainKey = /[A-Za-z_$][\w$]*/y;

function readKey(cursor: Cursor): string {
  skipSpace(cursor);
  const char = cursor.text[cursor.at];
  if (char !== undefined && closers.has(char)) {
    const key = readString(cursor);
    if (/[\n\r]/.test(key)) throw new Unreadable(`the key ${quote(key)} has a line break in it`);
    return key;
  }
  const key = take(cursor, plainKey);
  if (key === null) throw unexpected(cursor, "a key");
  cursor.repairs.add("quotes");
  return key;
}

/** Quotes by which text may begin, each with the one that ends it. */
const closers: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["'", "'"],
  ["“", "”"],
  ["‘", "’"],
]);

/** What may stand in text as it is, whatever ends it. */
const plainText = /[^"'”’\\\p{Cc}]+/uy;

/** What models leave bare where JSON wants an escape. Other control characters are damage. */
const bareSpace: ReadonlySet<string> = new Set(["\n", "\r", "\t"]);

function readString(cursor: Cursor): string {
  const { text, repairs } = cursor;
  const close = closers.get(text[cursor.at] ?? "");
  if (close !== '"') repairs.add("quotes");
  cursor.at += 1;
  let value = "";
  for (;;) {
    value += take(cursor, plainText) ?? "";
    const char = text[cursor.at];
    if (char === undefined)
      throw new Unreadable("it ends inside quotes: it is cut off, or a quote is missing");
    cursor.at += 1;
    if (char === close) return value;
    if (char < " ") {
      if (!bareSpace.has(char))
        throw new Unreadable(`there is a control character ${quote(char)} in its text`);
      repairs.add("line break in text");
    }
    value += char === "\\" ? readEscape(cursor) : char;
  }
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["'", "'"],
]);
const unicodeEscape = /u[\da-fA-F]{4}/y;

function readEscape(cursor: Cursor): string {
  const code = take(cursor, unicodeEscape);
  if (code !== null) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
  const char = cursor.text[cursor.at];
  const escaped = escapes.get(char ?? "");
  if (escaped === undefined) throw unexpected(cursor, 'an escape such as \\n or \\"');
  if (char === "'") cursor.repairs.add("quotes");
  cursor.at += 1;
  return escaped;
}

const jsonNumber = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function readNumber(cursor: Cursor): number | null {
  const digits = take(cursor, jsonNumber);
  if (digits === null) return null;
  const value = Number(digits);
  if (!Number.isFinite(value)) throw new Unreadable(`${quote(digits)} is too large a number`);
  if (!Number.isSafeInteger(value) && /^-?\d+$/.test(digits) && String(value) !== digits)
    throw new Unreadable(`${quote(digits)} has more digits than a number keeps`);
  return value;
}

const words: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["True", true],
  ["False", false],
  ["None", null],
]);
const word = /[A-Za-z]+/y;

function readWord(cursor: Cursor): Json {
  const start = cursor.at;
  const found = take(cursor, word) ?? "";
  const value = words.get(found);
  if (value === undefined) {
    cursor.at = start;
    throw unexpected(cursor, "a value");
  }
  if (found < "a") cursor.repairs.add("Python literal");
  return value;
}

const space = /[ \t\r\n]+/y;
const comment = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const char = cursor.text[cursor.at];
    if (char !== undefined && char > " " && char !== "/") return; // so it is nearly always
    take(cursor, space);
    if (take(cursor, comment) === null) return;
    cursor.repairs.add("comment");
  }
}

function takeChar(cursor: Cursor, char: string): boolean {
  skipSpace(cursor);
  if (cursor.text[cursor.at] !== char) return false;
  cursor.at += 1;
  return true;
}

/** `pattern` is sticky: it matches here or not at all. */
function take(cursor: Cursor, pattern: RegExp): string | null {
  pattern.lastIndex = cursor.at;
  if (!pattern.test(cursor.text)) return null;
  const found = cursor.text.slice(cursor.at, pattern.lastIndex);
  cursor.at = pattern.lastIndex;
  return found;
}

function unexpected(cursor: Cursor, wanted: string): Unreadable {
  if (cursor.at >= cursor.text.length)
    return new Unreadable(`it is cut off: ${wanted} is missing at its end`);
  return new Unreadable(`${wanted} is missing before ${quote(cursor.text.slice(cursor.at, cursor.at + 12))}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
