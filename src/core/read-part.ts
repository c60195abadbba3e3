// Reading a large value piece by piece. Whatever is asked, the result is small, says where it stands in the whole and
// how to go on; a question that finds nothing is answered with what there is.
import { count, describeValue, isArray } from "./describe-value.ts";
import { defineMember, type Json } from "./json.ts";
import { followPath, type PathNode, parsePath } from "./json-path.ts";
import { hiddenMembers, previewOf } from "./preview.ts";
import { findText } from "./search-value.ts";
import { headWithin, shownJson, shownLength, splitsPair } from "./shown-length.ts";

export interface PartRequest {
  /** Where in the value; a small part of JSONPath (`json-path.ts`). Default: the whole. */
  readonly path?: string | undefined;
  /** Lists the places that hold this text, instead of showing the value. */
  readonly search?: string | undefined;
  /** The first to show: character of a text, element, member or place that was found. Negative: from the end. Default 0. */
  readonly from?: number | undefined;
  /** How many of them; as many as have room, when left out. */
  readonly limit?: number | undefined;
}

/** Longest result in characters of its JSON: `usual`, and `most` when a `limit` asks for it. */
export interface PartRoom {
  readonly usual: number;
  readonly most: number;
}

export type Part = { readonly [name: string]: Json };

/** Longest search, and description, that is repeated in a result. */
const longestEcho = 80;

/** The part of `value` that is asked for. Its JSON has at most `room.most` characters (at least 300). It never throws. */
export function readPart(value: Json, request: PartRequest, room: PartRoom): Part {
  const most = request.limit === undefined ? Math.min(room.usual, room.most) : room.most;
  const found = findPart(value, request.path ?? "");
  if (!found.ok) return problem(found.why, most, found.has);
  const part = request.search
    ? searched(found.value, request.search, request, most)
    : shown(found, request, most);
  return shownLength(part, most) === null ? problem("there is no room to show this", most) : part;
}

type Found =
  /** `isList`: a path that leads to several values; they are shown as a list. */
  | { readonly ok: true; readonly value: Json; readonly isList: boolean }
  | { readonly ok: false; readonly why: string; readonly has?: readonly string[] };

function findPart(value: Json, path: string): Found {
  const parsed = parsePath(path);
  if (!parsed.ok) return parsed;
  const result = followPath(value, parsed.steps);
  if (!result.ok) return result;
  const [first] = result.nodes;
  const values = result.nodes.map((node: PathNode) => node.value);
  return result.isOne && first
    ? { ok: true, value: first.value, isList: false }
    : { ok: true, value: values, isList: true };
}

/** A question that finds nothing is no failure: the answer says what there is. */
function problem(why: string, most: number, has?: readonly string[]): Part {
  const result = { problem: headWithin(why, Math.floor(most / 2)) };
  const names = has && previewOf(has, most - shownJson(result).length - 8);
  return names === undefined ? result : { ...result, has: names };
}

function shown(found: Found & { readonly ok: true }, request: PartRequest, most: number): Part {
  const { value, isList } = found;
  const kind = isList && isArray(value) ? count(value.length, "value") : describeValue(value);
  const head = { kind: headWithin(kind, longestEcho) };
  if (typeof value === "string") return textPart(head, value, request, most);
  if (typeof value !== "object" || value === null) return { ...head, value };
  return isArray(value) ? itemsPart(head, value, request, most) : membersPart(head, value, request, most);
}

/** The range asked for, or why there is none. */
function rangeOf(
  { from = 0, limit }: PartRequest,
  length: number,
): { readonly from: number; readonly to: number } | null {
  const start = from < 0 ? Math.max(0, length + from) : from;
  if (start >= length && length > 0) return null;
  return { from: start, to: Math.min(length, start + (limit ?? length)) };
}

function outside(head: Part, length: number, most: number): Part {
  return { ...head, ...problem(`it ends at ${length}`, most - shownJson(head).length) };
}

/** Where a part stands in the whole, and how to read on. */
function placed(head: Part, from: number, to: number, length: number): Part {
  return { ...head, from, to, of: length, ...(to < length ? { next: { from: to } } : {}) };
}

/** Room that is left for the part itself. */
function roomIn(head: Part, length: number, most: number): number {
  return most - shownJson(placed(head, length, length - 1, length)).length - 16;
}

function textPart(head: Part, text: string, request: PartRequest, most: number): Part {
  const range = rangeOf(request, text.length);
  if (!range) return outside(head, text.length, most);
  const start = splitsPair(text, range.from) ? range.from - 1 : range.from;
  const end = splitsPair(text, range.to) ? range.to + 1 : range.to;
  const wanted = text.slice(start, end);
  const kept = headWithin(wanted, roomIn(head, text.length, most));
  return { ...placed(head, start, start + kept.length, text.length), text: kept };
}

function itemsPart(head: Part, items: readonly Json[], request: PartRequest, most: number): Part {
  const range = rangeOf(request, items.length);
  if (!range) return outside(head, items.length, most);
  const note = { note: "this element is cut: read it by its own path" };
  let room = roomIn({ ...head, ...note }, items.length, most);
  const kept: Json[] = [];
  for (const item of items.slice(range.from, range.to)) {
    const length = shownLength(item, room);
    if (length === null) break;
    kept.push(item);
    room -= length + 1;
  }
  const [first] = items.slice(range.from, range.to);
  if (kept.length > 0 || first === undefined)
    return { ...placed(head, range.from, range.from + kept.length, items.length), items: kept };
  return {
    ...placed({ ...head, ...note }, range.from, range.from + 1, items.length),
    items: [previewOf(first, room)],
  };
}

function membersPart(head: Part, object: Part, request: PartRequest, most: number): Part {
  const keys = Object.keys(object);
  const range = rangeOf(request, keys.length);
  if (!range) return outside(head, keys.length, most);
  const note = { note: "members that show … are cut: read each by its own path" };
  const asked: Record<string, Json> = {};
  for (const key of keys.slice(range.from, range.to)) defineMember(asked, key, object[key] ?? null);
  const room = roomIn({ ...head, ...note }, keys.length, most);
  if (shownLength(asked, room) !== null)
    return { ...placed(head, range.from, range.to, keys.length), value: asked };
  const cut = previewOf(asked, room);
  const to = Math.max(range.from + 1, range.to - hiddenMembers(cut));
  return { ...placed({ ...head, ...note }, range.from, to, keys.length), value: cut };
}

function searched(value: Json, search: string, request: PartRequest, most: number): Part {
  const { from = 0, limit = Number.POSITIVE_INFINITY } = request;
  const start = Math.max(0, from);
  const echo = search.length > longestEcho ? `${headWithin(search, longestEcho)}…` : search;
  const head = { search: echo, in: headWithin(describeValue(value), longestEcho) };
  const kept: Json[] = [];
  let room = roomIn(head, 1e9, most);
  let total = 0;
  let isFull = false;
  for (const match of findText(value, search)) {
    total += 1;
    if (isFull || total <= start) continue;
    const length = kept.length < limit ? shownLength(match, room) : null;
    isFull = length === null;
    if (length === null) continue;
    kept.push(match);
    room -= length + 1;
  }
  return { ...placed(head, start, start + kept.length, total), matches: kept };
}
