import { describeValue, formatNumber, isArray } from "./describe-value.ts";
import { defineMember, type Json } from "./json.ts";
import { headWithin, shownJson, shownLength, tailWithin } from "./shown-length.ts";

/** Characters under which a part is named by its kind instead of being shown in part. */
const least = 24;
/** Levels that are shown in part; what lies deeper is named by its kind. */
const levels = 6;
/** Members and elements that are considered: more have no room in any preview. */
const mostParts = 60;
/** Room for the mark that says how much is left out. */
const markRoom = 26;
const keyRoom = 60;

/**
 * What is worth showing of a value, itself a value whose shown JSON has at most `maxCharacters` (at least 16): of an
 * array the first elements, of an object the members with the large ones cut, of text its start and end. What is left
 * out is said where it is missing, after `…`. A value that fits is returned as it is.
 */
export function previewOf(value: Json, maxCharacters: number): Json {
  const preview = partOf(value, maxCharacters, 0);
  return shownLength(preview, maxCharacters) === null ? "…" : preview;
}

function partOf(value: Json, most: number, depth: number): Json {
  if (shownLength(value, most) !== null) return value;
  if (typeof value === "string") return cutText(value, most);
  if (typeof value !== "object" || value === null) return "…";
  if (depth >= levels || most < least + 2) return cutText(`… ${describeValue(value)}`, most);
  return isArray(value) ? partOfArray(value, most, depth) : partOfObject(value, most, depth);
}

/** Start and end of a text: errors and totals tend to stand at its end. */
function cutText(text: string, most: number): string {
  const room = most - 2;
  if (room < 90) return `${headWithin(text, room - 1)}…`;
  const mark = ` … ${formatNumber(text.length)} characters in all … `;
  const head = headWithin(text, Math.floor((room - mark.length) * 0.7));
  const tail = tailWithin(text, room - mark.length - (shownJson(head).length - 2));
  return `${head}${mark}${tail}`;
}

function partOfArray(items: readonly Json[], most: number, depth: number): Json {
  const { parts, hidden } = withoutMark(items);
  const shown: Json[] = [];
  let room = most - 2 - markRoom;
  for (const item of parts.slice(0, mostParts)) {
    const share = shown.length === 0 ? room : Math.max(least, Math.floor(room / 2)); // one whole, rather than many stumps
    const part = partOf(item, Math.min(room, share) - 1, depth + 1);
    const length = shownLength(part, room - 1);
    if (length === null || (part !== item && shown.length > 0 && room < 3 * least)) break;
    shown.push(part);
    room -= length + 1;
  }
  const left = hidden + parts.length - shown.length;
  return left === 0 ? shown : [...shown, `… ${formatNumber(left)} more`];
}

/** A preview may be made smaller again: what its mark counts stays counted. */
function withoutMark(items: readonly Json[]): { readonly parts: readonly Json[]; readonly hidden: number } {
  const last = items.at(-1);
  const hidden = typeof last === "string" ? hiddenBy(last) : 0;
  return hidden === 0 ? { parts: items, hidden } : { parts: items.slice(0, -1), hidden };
}

function hiddenBy(mark: string): number {
  const [, digits = "0"] = /^… ([0-9][0-9,]{0,15}) more$/.exec(mark) ?? [];
  return Number(digits.replaceAll(",", ""));
}

/** The name under which an object's preview counts the members that it leaves out. */
const markKey = "…";

/** How many members the preview of an object leaves out. */
export function hiddenMembers(preview: Json): number {
  if (typeof preview !== "object" || preview === null || isArray(preview)) return 0;
  const mark = preview[markKey];
  return typeof mark === "string" ? hiddenBy(mark) : 0;
}

function partOfObject(object: { readonly [key: string]: Json }, most: number, depth: number): Json {
  const all = Object.keys(object);
  const hidden = hiddenMembers(object);
  const keys = (hidden === 0 ? all : all.filter((key) => key !== markKey)).slice(0, mostParts);
  const names = keys.map((key) => (key.length <= keyRoom ? key : `${headWithin(key, keyRoom)}…`));
  let room = most - 2 - markRoom;
  const taken: number[] = [];
  for (const [index, name] of names.entries()) {
    const cost = shownJson(name).length + 2 + Math.min(least, lengthUpTo(object[keys[index] ?? ""], least));
    if (cost > room) break;
    room -= cost;
    taken.push(index);
  }
  const values = share(
    taken.map((index) => object[keys[index] ?? ""] ?? null),
    room,
  );
  const shown: Record<string, Json> = {};
  for (const [place, index] of taken.entries()) {
    const { value, most: own } = values[place] ?? { value: null, most: 0 };
    defineMember(shown, names[index] ?? "", partOf(value, own, depth + 1));
  }
  const left = hidden + all.length - (hidden === 0 ? 0 : 1) - taken.length;
  if (left > 0) defineMember(shown, markKey, `… ${formatNumber(left)} more`);
  return shown;
}

/** Gives each value the room that it needs, and the large ones equal parts of what is left. Each has `least` already. */
function share(
  values: readonly Json[],
  extra: number,
): readonly { readonly value: Json; readonly most: number }[] {
  const needs = values.map((value, index) => ({ index, length: lengthUpTo(value, extra + least) }));
  const most = values.map(() => least);
  let room = extra;
  let open = needs.length;
  for (const { index, length } of needs.sort((left, right) => left.length - right.length)) {
    const more = Math.min(Math.max(0, length - least), Math.floor(room / open));
    most[index] = least + more;
    room -= more;
    open -= 1;
  }
  return values.map((value, index) => ({ value, most: most[index] ?? least }));
}

function lengthUpTo(value: Json | undefined, most: number): number {
  return shownLength(value ?? null, most) ?? most + 1;
}
