// What earlier steps come to, gathered by rules: no model, nothing invented, the same for the same events. It grows by
// what is new only, and everything in it is bounded.
import type { EventOf, Stored } from "../events.ts";
import type { Json } from "../json.ts";
import type { Operation, ThreadState } from "../state.ts";
import { dropOldest } from "./drop-oldest.ts";
import { causeOf, failureText } from "./failures.ts";
import { itemsFrom } from "./items.ts";
import {
  approverOf,
  operationsOf,
  plainNote,
  type RenderContext,
  type ShownNote,
  shortened,
  shownNote,
} from "./render.ts";
import { cut, sentencesOf } from "./salient.ts";

/** One line. Those of more `worth` stay longer; among equals the newer. */
export interface Line {
  readonly seq: number;
  /** Its place among the lines of one event. */
  readonly at?: number;
  readonly text: string;
  readonly worth: number;
}

interface Failure extends Line {
  readonly tool: string;
  readonly argsDigest: string | undefined;
  readonly count: number;
}

/** What the items before `toSeq` come to. */
export interface Earlier {
  toSeq: number;
  /** Decisions, and items of any kind. */
  steps: number;
  items: number;
  /** Notes that stay word for word. */
  readonly pinned: Line[];
  /** Actions of tools that do more than read, and those that a person approved. */
  readonly done: Line[];
  /** How often each tool that only reads was called, and the newest of its results that can be read again. */
  readonly reads: Map<string, Reads>;
  /** The newest arguments and results: ids, amounts, names and dates in them are looked for when they are first told of. */
  readonly values: Valued[];
  /** The newest of what people and the model said: its sentences are weighed when they are first told of. */
  readonly said: Said[];
  readonly failed: Map<string, Failure>;
  readonly unsettled: Unsettled[];
}

interface Valued {
  readonly value: Json;
  found: readonly NamedValue[] | null;
}

/** What stands under a name in JSON. */
type NamedValue = readonly [name: string, text: string];

interface Said {
  readonly seq: number;
  readonly text: string;
  /** What people say is worth more. */
  readonly weight: number;
  lines: readonly Line[] | null;
}

interface Reads {
  times: number;
  /** Those that can be read again are found when they are told of: hashing each would cost a long thread. */
  readonly newest: Stored[];
}

/** A decision with calls that had not ended. Once more of them have, all is gathered anew: it belongs at its place. */
interface Unsettled {
  readonly turn: EventOf<"decision_made">;
  /** How many had. */
  readonly ended: number;
}

/** Most of a kind that are kept: more than any summary has room for. */
const mostLines = 300;
const mostNames = 60;
const mostValues = 60;
/** Longest line, in characters. */
const longestLine = 300;
/** What is told in a line does not depend on how large the window is. */
const longest = { kept: longestLine, referenced: longestLine, lined: longestLine };

/** How far each thread's has come. Recomputable: a cache only. */
const known = new WeakMap<ThreadState, Earlier>();

export function earlierTo(context: RenderContext, toSeq: number): Earlier {
  const { state } = context;
  const before = known.get(state);
  const earlier = before && isStillTrue(before, state, toSeq) ? before : nothing();
  known.set(state, earlier);
  if (earlier.toSeq === toSeq) return earlier;
  for (const item of itemsFrom(state, earlier.toSeq, toSeq)) {
    const note = item.kind === "note" ? shownNote({ ...context, longest }, item.note) : null;
    if (item.kind === "turn") addTurn(earlier, context, item.turn);
    else if (note) addNote(earlier, item.seq, note);
    if (item.kind === "turn" || note) earlier.items += 1;
  }
  earlier.toSeq = toSeq;
  return earlier;
}

function isStillTrue(earlier: Earlier, state: ThreadState, toSeq: number): boolean {
  return (
    earlier.toSeq <= toSeq && earlier.unsettled.every(({ turn, ended }) => endedOf(state, turn) === ended)
  );
}

/** How many of a decision's calls have ended. */
function endedOf(state: ThreadState, { decision }: EventOf<"decision_made">): number {
  if (decision.kind === "answer") return 0;
  return operationsOf(state, decision.calls).filter((operation) => operation?.settled).length;
}

function nothing(): Earlier {
  return {
    toSeq: 0,
    steps: 0,
    items: 0,
    pinned: [],
    done: [],
    reads: new Map(),
    values: [],
    said: [],
    failed: new Map(),
    unsettled: [],
  };
}

function addTurn(earlier: Earlier, context: RenderContext, turn: EventOf<"decision_made">): void {
  earlier.steps += 1;
  const { decision, seq } = turn;
  if (decision.kind === "answer") return addSaid(earlier, seq, spoken(decision.value), 0.8);
  addSaid(earlier, seq, decision.text ?? "", 0.8);
  const operations = operationsOf(context.state, decision.calls);
  const ended = endedOf(context.state, turn);
  if (ended < operations.length) earlier.unsettled.push({ turn, ended });
  for (const [index, { args }] of decision.calls.entries()) {
    addNewest(earlier.values, { value: args, found: null }, mostValued);
    const operation = operations[index];
    if (operation?.settled) addAction(earlier, context, operation);
  }
}

function addAction(earlier: Earlier, context: RenderContext, operation: Operation): void {
  const { proposal, settled } = operation;
  const outcome = settled?.outcome;
  if (!proposal || outcome?.kind !== "action") return;
  const { tool, args, digest } = proposal;
  const { event } = outcome;
  switch (event.type) {
    case "action_completed": {
      clearFailures(earlier, tool, digest);
      const { value } = event.result;
      if (value !== undefined) addNewest(earlier.values, { value, found: null }, mostValued);
      const approver = approverOf(operation);
      if (proposal.effect === "read" && approver === undefined) {
        return addRead(earlier, tool, event.result);
      }
      const result = event.result.artifact?.preview ?? JSON.stringify(event.result.value) ?? "";
      const by = approver === undefined ? "" : ` (approved by ${approver})`;
      const text = `${tool} ${JSON.stringify(shortened(args, 80))}${by} → ${result}`;
      return addLine(earlier.done, {
        seq: event.seq,
        text: cut(text, longestLine),
        worth: approver === undefined ? 1 : 2,
      });
    }
    case "action_failed": {
      const told = failureText({ tool, args }, event.error, context.tools.get(tool), 1);
      const text = context
        .redact(told)
        .replace(/ failed after 1 attempt: /, ": ")
        .replaceAll("\n", "; ");
      const key = causeOf({ tool }, event.error);
      const count = (earlier.failed.get(key)?.count ?? 0) + 1;
      earlier.failed.delete(key); // the newest come last
      earlier.failed.set(key, { seq: event.seq, text, worth: 1, tool, argsDigest: digest, count });
      return dropOldest(earlier.failed, mostNames);
    }
    case "action_denied": {
      if (event.deniedBy === "validation") return;
      const text = `${tool} ${JSON.stringify(shortened(args, 80))} was denied by ${event.by ?? event.deniedBy}: ${event.why}`;
      return addLine(earlier.done, { seq: event.seq, text: cut(text, longestLine), worth: 2 });
    }
    default:
      event satisfies never;
  }
}

/** More references of one tool than these are no help. */
const mostRefs = 5;

function addRead({ reads }: Earlier, tool: string, result: Stored): void {
  const read = reads.get(tool) ?? { times: 0, newest: [] };
  read.times += 1;
  read.newest.push(result);
  if (read.newest.length > mostRefs) read.newest.shift();
  reads.set(tool, read);
}

/** A success clears the failures of the same thing: the same tool with the same arguments. */
function clearFailures({ failed }: Earlier, tool: string, digest: string): void {
  for (const [key, failure] of failed)
    if (failure.tool === tool && failure.argsDigest === digest) failed.delete(key);
}

function addNote(earlier: Earlier, seq: number, note: ShownNote): void {
  switch (note.kind) {
    case "note":
      if (note.pinned) earlier.pinned.push({ seq, text: note.text, worth: 0 });
      else addSaid(earlier, seq, note.text, 1.2);
      return;
    case "signal":
      return addSaid(earlier, seq, spoken(note.value), 1.2);
    case "ask":
      addSaid(earlier, seq, note.question, 0.8);
      if (note.outcome.kind === "answered") addSaid(earlier, seq, spoken(note.outcome.value), 1.2);
      return;
    case "action":
      return addLine(earlier.done, { seq, text: cut(plainNote(note), longestLine), worth: 1 });
    default:
      note satisfies never;
  }
}

/** What a value says in words: a text as it is, else its JSON. */
function spoken(value: Json): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** Texts, and values, before these are told of only by what was done with them. */
const mostSaid = 500;
const mostValued = 400;

function addSaid({ said }: Earlier, seq: number, text: string, weight: number): void {
  if (text.trim() === "") return;
  addNewest(said, { seq, text, weight, lines: null }, mostSaid);
}

/** At least `most` of the newest; which of them are told of is not for here to say. */
function addNewest<Entry>(list: Entry[], entry: Entry, most: number): void {
  list.push(entry);
  if (list.length >= most * 2) list.splice(0, list.length - most);
}

/** The sentences of what was said that are worth keeping. */
export function sentencesIn({ said }: Earlier): readonly Line[] {
  return said.slice(-mostSaid).flatMap((each) => {
    each.lines ??= linesOf(each);
    return each.lines;
  });
}

function linesOf({ seq, text, weight }: Said): readonly Line[] {
  return sentencesOf(text)
    .filter(({ worth }) => worth > 0)
    .map(({ at, text: sentence, worth }) => ({ seq, at, text: sentence, worth: worth * weight }));
}

/** Keeps the best, so that what is kept does not depend on when it was looked at. */
function addLine(lines: Line[], line: Line): void {
  lines.push(line);
  if (lines.length < mostLines * 2) return;
  lines.sort(byWorth);
  lines.length = mostLines;
}

export function byWorth(left: Line, right: Line): number {
  return right.worth - left.worth || right.seq - left.seq || inOrder(left, right);
}

export function inOrder(left: Line, right: Line): number {
  return left.seq - right.seq || (left.at ?? 0) - (right.at ?? 0);
}

const telling =
  /(?:id|ids|number|no|code|key|ref|reference|name|email|phone|amount|price|total|cents|cost|balance|date|time|status|address|city|zip|origin|destination|currency|quantity|count)$/i;

/** Names and their values, the newest first: what later calls need word for word. */
export function valuesIn({
  values,
}: Earlier): readonly (readonly [name: string, values: readonly string[]])[] {
  const newest = new Map<string, Set<string>>();
  for (const entry of values.slice(-mostValued).reverse()) {
    entry.found ??= namedValues(entry.value);
    for (const [name, text] of entry.found) {
      const texts = newest.get(name) ?? new Set<string>();
      if (texts.size === 0 && newest.size >= mostNames) continue;
      newest.set(name, texts);
      if (texts.size < mostValues) texts.add(text);
    }
  }
  return [...newest].map(([name, texts]) => [name, [...texts]]);
}

/** Ids, amounts and the like, the last in a value first. */
function namedValues(value: Json, name = "", depth = 0): readonly NamedValue[] {
  if (value === null || typeof value === "boolean" || depth > 6) return [];
  if (typeof value !== "object") {
    const text = String(value);
    return text !== "" && text.length <= 60 && telling.test(name) ? [[name, text]] : [];
  }
  const isList = Array.isArray(value);
  const members = Object.entries(value).slice(0, 30) as [string, Json][]; // arrays have their indices as keys
  return members.reverse().flatMap(([key, member]) => namedValues(member, isList ? name : key, depth + 1));
}
