import type { Json } from "./json.ts";
import { visible } from "./visible.ts";

/** JSON text as it may be shown: nothing in it is invisible, or obeyed by a terminal; its value is the same. */
export function shownJson(value: Json): string {
  return visible(JSON.stringify(value));
}

/** Deeper values are not measured: they count as too long, and no reader of ours follows them. */
const deepest = 30;

/**
 * Length of `shownJson(value)`, or `null` when it is over `most` characters or nests deeper than 30. It looks at no
 * more of the value than fits, so a value of any size and depth costs the same.
 */
export function shownLength(value: Json, most: number, depth = 0): number | null {
  if (depth > deepest) return null;
  if (typeof value === "string")
    return within(value.length + 2 > most ? null : shownJson(value).length, most);
  if (typeof value !== "object" || value === null) return within(String(value).length, most);
  return Array.isArray(value)
    ? arrayLength(value, most, depth)
    : objectLength(value as JsonObject, most, depth);
}

type JsonObject = { readonly [key: string]: Json };

function arrayLength(items: readonly Json[], most: number, depth: number): number | null {
  let length = 2;
  for (const [index, item] of items.entries()) {
    const inner = shownLength(item, most - length, depth + 1);
    if (inner === null) return null;
    length += inner + (index > 0 ? 1 : 0);
  }
  return within(length, most);
}

function objectLength(object: JsonObject, most: number, depth: number): number | null {
  let length = 2;
  for (const key of Object.keys(object)) {
    const name = shownKeyLength(key, most - length);
    const inner = name === null ? null : shownLength(object[key] ?? null, most - length - name, depth + 1);
    if (name === null || inner === null) return null;
    length += name + inner + (length > 2 ? 1 : 0);
  }
  return within(length, most);
}

function shownKeyLength(key: string, most: number): number | null {
  return key.length + 3 > most ? null : within(shownJson(key).length + 1, most);
}

function within(length: number | null, most: number): number | null {
  return length === null || length > most ? null : length;
}

/** True when a surrogate pair stands across `index`: text is not cut there. */
export function splitsPair(text: string, index: number): boolean {
  const before = text.charCodeAt(index - 1);
  const after = text.charCodeAt(index);
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
}

/** The longest start of `text` whose shown JSON, without quotes, has at most `most` characters. */
export function headWithin(text: string, most: number): string {
  let end = Math.min(text.length, Math.max(0, most));
  for (;;) {
    if (splitsPair(text, end)) end -= 1;
    const length = shownJson(text.slice(0, end)).length - 2;
    if (length <= most || end <= 0) return text.slice(0, Math.max(0, end));
    end = Math.min(end - 1, Math.floor((end * most) / length));
  }
}

/** The longest end of it, as `headWithin`. */
export function tailWithin(text: string, most: number): string {
  let start = Math.max(0, text.length - Math.max(0, most));
  for (;;) {
    if (splitsPair(text, start)) start += 1;
    const length = shownJson(text.slice(start)).length - 2;
    if (length <= most || start >= text.length) return text.slice(start);
    const kept = text.length - start;
    start = text.length - Math.min(kept - 1, Math.floor((kept * most) / length));
  }
}
