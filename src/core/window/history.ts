// I8. What of a thread's history a window shows, and how far it is shrunk. Shrinking goes in steps and then holds for a
// while: a window begins as the one before it did, unless its thread was compacted in between.
import type { Rendering } from "../encodings/encoding.ts";
import type { ThreadState } from "../state.ts";
import { type Item, itemsFrom } from "./items.ts";
import { type Count, makePart, type Part, tokensOf } from "./parts.ts";
import { type Level, type RenderContext, renderNote, renderTurn } from "./render.ts";
import type { WindowSettings } from "./settings.ts";
import { pinnedTokens, summaryText } from "./summary.ts";
import type { WindowView } from "./window-record.ts";

export interface HistoryRequest {
  readonly context: RenderContext;
  readonly rendering: Rendering;
  readonly settings: WindowSettings;
  readonly count: Count;
  /** Tokens that there are for history and summary. */
  readonly room: number;
  /** The thread's input, where the window does not show it whole. */
  readonly task: string | null;
}

export interface History {
  readonly view: WindowView;
  readonly parts: readonly Part[];
  readonly tokens: number;
  /** Parts that are only told in short, or not at all. */
  readonly dropped: number;
}

/** The summary takes at most this share of the room. */
const summaryShare = 0.45;
/** A compaction that frees less than this share of the room would soon be followed by the next. */
const leastGain = 0.1;

const whole: WindowView = { summarised: 0, lined: 0, referenced: 0, summaryTokens: 0 };

/** The history in its room, or the smallest that it can be. */
export function historyOf(request: HistoryRequest): History {
  const before = lastView(request.context.state, request.room);
  const items = itemsFrom(request.context.state, before.summarised);
  const now = at(request, before, items);
  if (now.tokens <= request.room) return now;
  return compacted(request, before, items, now.tokens);
}

/** Where the last window left off; what a model summed up since then is told in short. */
function lastView(state: ThreadState, room: number): WindowView {
  const { lastWindow, compaction } = state;
  const record = lastWindow?.record;
  const summarised = record?.dropped ? record.fromSeq : 0; // as windows were recorded before they had views
  const summaryTokens = Math.floor(room * summaryShare);
  const view = record?.view ?? { ...whole, summarised, summaryTokens };
  const toSeq = compaction?.toSeq ?? 0;
  if (toSeq <= view.summarised) return view;
  return {
    summarised: toSeq,
    lined: Math.max(toSeq, view.lined),
    referenced: Math.max(toSeq, view.referenced),
    summaryTokens,
  };
}

/** Smaller views in order, until one fits well: first of the old parts, then of the newest too. */
function compacted(
  request: HistoryRequest,
  before: WindowView,
  items: readonly Item[],
  tokensBefore: number,
): History {
  const { room, settings, context } = request;
  const end = context.state.head + 1;
  const oldUpTo = items[Math.max(0, items.length - settings.keepLast)]?.seq ?? end;
  const target = room * settings.shrinkTo;
  let smallest = at(request, before, items);
  for (const [upTo, goal] of [
    [oldUpTo, target],
    [end, (target + room) / 2],
  ] as const) {
    for (const view of smallerViews(request, smallest.view, items, goal, upTo)) {
      const history = at(request, view, items);
      if (history.tokens <= smallest.tokens || smallest.tokens > room) smallest = history;
      if (history.tokens <= goal) return history;
    }
    if (smallest.tokens <= room && tokensBefore - smallest.tokens >= room * leastGain) return smallest;
  }
  return smallest;
}

function* smallerViews(
  request: HistoryRequest,
  before: WindowView,
  items: readonly Item[],
  goal: number,
  upTo: number,
): Generator<WindowView> {
  const { shrink } = request.settings;
  let view = before;
  if (shrink.includes("reference") && upTo > view.referenced) {
    view = { ...view, referenced: upTo };
    yield view;
  }
  if (shrink.includes("line") && upTo > view.lined) {
    view = { ...view, lined: upTo, referenced: Math.max(upTo, view.referenced) };
    yield view;
  }
  if (!shrink.includes("summarise")) return;
  const summaryTokens = Math.floor(request.room * summaryShare);
  for (const taken of [likelySummary(request, summaryTokens), summaryTokens, goal]) {
    const summarised = summarisedTo(request, view, items, goal - taken, upTo);
    if (summarised <= view.summarised) continue;
    const { lined, referenced } = view;
    view = {
      summarised,
      lined: Math.max(lined, summarised),
      referenced: Math.max(referenced, summarised),
      summaryTokens,
    };
    yield view;
  }
}

/** What the next summary is likely to take: more than the last, and seldom all that it may. */
function likelySummary({ context, room }: HistoryRequest, most: number): number {
  const { lastWindow, windows } = context.state;
  const last = windows.get(lastWindow?.seq ?? 0)?.find(({ kind }) => kind === "summary");
  return Math.min(most, Math.floor((last?.tokens ?? 0) * 1.3 + room * 0.1));
}

/** The earliest point up to which items must be told in short for the rest to fit `room`; at most `upTo`. */
function summarisedTo(
  request: HistoryRequest,
  view: WindowView,
  items: readonly Item[],
  room: number,
  upTo: number,
): number {
  const { context, count } = request;
  let left = room - pinnedTokens(context, view.summarised, count);
  let from = context.state.head + 1;
  for (const item of items.toReversed()) {
    left -= partOf(request, item, levelAt(view, item.seq))?.tokens ?? 0;
    if (left < 0) break;
    from = item.seq;
  }
  return Math.min(from, upTo);
}

function levelAt(view: WindowView, seq: number): Level {
  if (seq < view.lined) return "lined";
  return seq < view.referenced ? "referenced" : "kept";
}

function at(request: HistoryRequest, view: WindowView, items: readonly Item[]): History {
  const shown = items.filter(({ seq }) => seq >= view.summarised);
  const parts = shown.flatMap((item) => partOf(request, item, levelAt(view, item.seq)) ?? []);
  const summary = view.summarised === 0 ? [] : [summaryPart(request, view)];
  const all = [...summary.map(({ part }) => part), ...parts];
  return { view, parts: all, tokens: tokensOf(all), dropped: summary[0]?.items ?? 0 };
}

/** Of a thread: its summary as it was made last. Recomputable: a cache only. */
const summaries = new WeakMap<
  ThreadState,
  { readonly about: readonly unknown[]; readonly part: Part; readonly items: number }
>();

function summaryPart(
  request: HistoryRequest,
  view: WindowView,
): { readonly part: Part; readonly items: number } {
  const { context, rendering, count, task } = request;
  const { compaction } = context.state;
  const toSeq = view.summarised;
  const told = compaction?.toSeq === toSeq ? compaction.summary : null;
  const about = [toSeq, view.summaryTokens, told, task, count, rendering, context.tools, context.noteText];
  const known = summaries.get(context.state);
  if (known && about.every((each, index) => each === known.about[index])) return known;
  const { text, items, isFinal } = summaryText({
    context,
    toSeq,
    maxTokens: view.summaryTokens,
    count,
    told,
    task,
  });
  const messages = rendering.show({ kind: "summary", text });
  const part = makePart(count, { kind: "summary", seqs: [1, toSeq - 1], messages, treatment: "summarised" });
  if (isFinal) summaries.set(context.state, { about, part, items });
  return { part, items };
}

interface CachedParts {
  readonly count: Count;
  readonly rendering: Rendering;
  readonly context: Pick<RenderContext, "state" | "longest" | "tools" | "noteText">;
  readonly byLevel: { [L in Level | "hidden"]?: Part | null };
}

/** Parts of what has ended never change, so each is rendered, counted and hashed once. Recomputable: a cache only. */
const cache = new WeakMap<object, CachedParts>();

function partOf(request: HistoryRequest, item: Item, level: Level): Part | null {
  if (item.kind === "turn" && item.attempts > 1) return turnPart(request, item, level).part; // of how many it tells may change
  const place = item.kind === "turn" && item.attempts === 0 ? "hidden" : level;
  const { context, count, rendering } = request;
  const owner = item.kind === "turn" ? item.turn : item.note;
  let cached = cache.get(owner);
  if (cached?.count !== count || cached.rendering !== rendering || !isSame(cached.context, context)) {
    cached = { count, rendering, context, byLevel: {} };
    cache.set(owner, cached);
  }
  const known = cached.byLevel[place];
  if (known !== undefined) return known;
  const made = item.kind === "turn" ? turnPart(request, item, level) : notePart(request, item);
  if (made.isFinal) cached.byLevel[place] = made.part;
  return made.part;
}

function isSame(left: CachedParts["context"], right: CachedParts["context"]): boolean {
  return (
    left.state === right.state && // an earlier state of these events knows less of how they ended
    left.longest.kept === right.longest.kept &&
    left.tools === right.tools &&
    left.noteText === right.noteText
  );
}

function turnPart(
  { context, count, rendering }: HistoryRequest,
  { turn, attempts }: Extract<Item, { kind: "turn" }>,
  level: Level,
): { readonly part: Part | null; readonly isFinal: boolean } {
  const { messages, settled, isWhole, hasReference, lastSeq } = renderTurn(
    context,
    turn,
    level,
    Math.max(1, attempts),
  );
  if (messages.length === 0) return { part: null, isFinal: true };
  const about = { kind: "turn", seqs: [turn.seq, lastSeq] } as const;
  if (attempts === 0)
    return { part: makePart(count, { ...about, messages: [], treatment: "dropped" }), isFinal: settled };
  const treatment = isWhole ? "kept" : hasReference ? "referenced" : "truncated";
  const shown = rendering.show({ kind: "turn", messages });
  const isPlain = isWhole && settled && shown === messages; // what is open may have ended when its window is recorded
  return { part: makePart(count, { ...about, messages: shown, treatment, isPlain }), isFinal: settled };
}

function notePart(
  { context, count, rendering }: HistoryRequest,
  { note, seq }: Extract<Item, { kind: "note" }>,
): { readonly part: Part | null; readonly isFinal: boolean } {
  const shown = renderNote(context, note);
  if (shown === null) return { part: null, isFinal: true };
  const messages = rendering.show({ kind: "note", text: shown.text });
  const treatment = shown.isWhole ? "kept" : "truncated";
  return { part: makePart(count, { kind: "note", seqs: [seq, seq], messages, treatment }), isFinal: true };
}
