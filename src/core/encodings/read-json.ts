// What surrounds the JSON in a model's text is taken away only when there is no doubt about where the JSON is.
import type { Json } from "../json.ts";
import { parseJson, type Repair, Unreadable } from "./parse-json.ts";

/** JSON text read tolerantly: its value with the repairs it took, or why it has none. */
export type JsonText =
  | { readonly ok: true; readonly value: Json; readonly repairs: readonly Repair[] }
  | { readonly ok: false; readonly why: string };

/** In characters. The longest outputs of models (64,000 tokens and some more) are a quarter of it. */
const maxLength = 1_000_000;

/**
 * Reads the one JSON value in a model's text. Put right, and named in `repairs`: a reasoning block (`<think>`) before
 * it, a code fence and prose around it, trailing commas, comments, single and typographic quotes, keys without quotes,
 * bare line breaks in text, Python's `True`, `False` and `None`. Refused: all else, cut-off text and two values above
 * all, and what `JSON.parse` takes in silence, a key given twice and whole numbers that would lose digits.
 *
 * Prose is taken away around an object or array only, and when no other bracket is in it.
 */
export function readJson(text: string): JsonText {
  if (text.length > maxLength) return { ok: false, why: `it is longer than ${maxLength} characters` };
  const repairs = new Set<Repair>();
  try {
    const scalar = readScalar(text);
    const value = scalar === undefined ? readEnclosed(text, repairs) : scalar;
    return { ok: true, value, repairs: [...repairs] };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, why: error.message };
    throw error;
  }
}

/** A text that is a plain scalar and nothing else; else `undefined`. */
function readScalar(text: string): Json | undefined {
  if (/^\s*[{[]/.test(text)) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return parseJson(text, 0, new Set()).value; // refuses numbers that would lose digits
}

function readEnclosed(text: string, repairs: Set<Repair>): Json {
  const body = cutReasoning(text, repairs);
  const start = body.search(/[{[]/);
  if (start < 0) throw new Unreadable(body.trim() === "" ? "it is empty" : "there is no JSON in it");
  const { value, end } = parseJson(body, start, repairs);
  checkAround(body.slice(0, start).trim(), body.slice(end).trim(), repairs);
  return value;
}

function checkAround(before: string, after: string, repairs: Set<Repair>): void {
  if (/[{}[\]]/.test(after) || before.endsWith(",") || /^[,:]/.test(after))
    throw new Unreadable("there is more than one JSON value in it, or a bracket too many");
  const isFenced = before.includes(fence) || after.includes(fence);
  const prose = isFenced ? outsideFence(before, after) : before + after;
  if (isFenced) repairs.add("code fence");
  if (prose.trim() !== "") repairs.add("surrounding text");
}

const fence = "```";

/** What stands before and after one block of code that is all JSON. */
function outsideFence(before: string, after: string): string {
  const opening = before.lastIndexOf(fence);
  const prose =
    before.slice(0, Math.max(0, opening)) + (after.startsWith(fence) ? after.slice(fence.length) : after);
  const isOne = opening >= 0 && /^[\w+-]*$/.test(before.slice(opening + fence.length).trim());
  if (!isOne || prose.includes(fence)) throw new Unreadable("there is more than one code fence in it");
  return prose;
}

/** Takes away what a model thought before the first bracket of its JSON. */
function cutReasoning(text: string, repairs: Set<Repair>): string {
  if (/^\s*[{[]/.test(text)) return text;
  const first = /<(\/?)think(?:ing)?>/i.exec(text);
  if (!first) return text;
  const isOpening = first[1] === "";
  if (isOpening && /[{[]/.test(text.slice(0, first.index))) return text;
  // Some servers swallow the opening tag: then everything before the closing one is reasoning.
  const end = isOpening ? endOfReasoning(text, first.index) : first.index + first[0].length;
  repairs.add("reasoning block");
  return `${isOpening ? text.slice(0, first.index) : ""}${text.slice(end)}`;
}

/** Where the reasoning block that opens at `start` ends; blocks within it are part of it. @throws Unreadable */
function endOfReasoning(text: string, start: number): number {
  const tag = /<(\/?)think(?:ing)?>/gi;
  tag.lastIndex = start;
  let depth = 0;
  for (let found = tag.exec(text); found; found = tag.exec(text)) {
    depth += found[1] === "" ? 1 : -1;
    if (depth === 0) return tag.lastIndex;
  }
  throw new Unreadable("its reasoning block never ends");
}

/** An answer in prose, without the reasoning block that it begins with; `null` when that block never ends. */
export function stripReasoning(
  text: string,
): { readonly text: string; readonly repairs: readonly Repair[] } | null {
  const start = /^\s*<think(?:ing)?>/i.exec(text);
  if (!start) return { text, repairs: [] };
  try {
    return { text: text.slice(endOfReasoning(text, 0)).trim(), repairs: ["reasoning block"] };
  } catch {
    return null;
  }
}
