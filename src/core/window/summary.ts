import { refOf } from "../artifact-ref.ts";
import type { ThreadState } from "../state.ts";
import { byWorth, type Earlier, earlierTo, inOrder, type Line, sentencesIn, valuesIn } from "./earlier.ts";
import type { Count } from "./parts.ts";
import { operationsOf, type RenderContext } from "./render.ts";
import { cut, salientText } from "./salient.ts";
import { cutEnd } from "./section.ts";

export interface SummaryRequest {
  readonly context: RenderContext;
  /** It tells what came before this event. */
  readonly toSeq: number;
  /** Most tokens, for all but pinned notes. */
  readonly maxTokens: number;
  readonly count: Count;
  /** What a model made of it, in the place of facts. */
  readonly told: string | null;
  /** The thread's input, where the window does not show it whole. */
  readonly task: string | null;
}

export interface Summary {
  readonly text: string;
  /** How many parts it stands for. */
  readonly items: number;
  /** All that it tells of has ended. */
  readonly isFinal: boolean;
}

/** Shares of the room that the kinds of lines may take before the rest is given to whoever needs it. */
const shares = { told: 0.7, open: 0.3, done: 0.35, failed: 0.15, looked: 0.3, values: 0.3 };

/**
 * Earlier steps in short: task, pinned notes, what is open, what was done, facts, what failed. Pinned notes stay word
 * for word whatever their size; of the rest as much as there is room for, the most telling first.
 */
export function summaryText(request: SummaryRequest): Summary {
  const { context, toSeq, count, maxTokens, task } = request;
  const earlier = earlierTo(context, toSeq);
  const told =
    request.told && cutEnd(request.told, { maxTokens: Math.floor(maxTokens * shares.told), count });
  const head = `Earlier, in short (${earlier.steps} ${earlier.steps === 1 ? "decision" : "decisions"}; the log has all of it):`;
  const filler = fill(count, maxTokens - count(head) - (told === null ? 0 : count(told)));
  const taskLine = task === null ? [] : filler.lines("Task", [salientText(task, 300)], 1);
  const open = filler.lines("Open", openLines(context.state, earlier), shares.open);
  const done = filler.lines("Done", newestFirst(earlier.done), shares.done).reverse();
  const failed = filler.lines("Failed", failedLines(earlier), shares.failed);
  const values = told === null ? filler.lines("Facts", valueLines(earlier), shares.values) : [];
  const looked = filler.lines("Looked up", readLines(earlier), shares.looked);
  const sentences = told === null ? sentencesIn(earlier) : [];
  const said = bySeq(filler.lines("Said", sentenceLines(sentences), 1), sentences);
  const pinned = earlier.pinned.map(({ text }) => text);
  const lines = [
    head,
    ...section("Task", taskLine),
    ...section("Pinned", pinned),
    ...section("Open", open),
    ...section("Done", done),
    ...section("Looked up", looked),
    ...(told === null ? [] : ["Summary:", `  ${indented(told)}`]),
    ...section("Facts", values),
    ...section("Said", said),
    ...section("Failed", failed),
  ];
  return { text: lines.join("\n"), items: earlier.items, isFinal: earlier.unsettled.length === 0 };
}

/** What pinned notes before `toSeq` take of a summary. */
export function pinnedTokens({ state }: RenderContext, toSeq: number, count: Count): number {
  let tokens = 0;
  for (const { seq, text, pinned } of state.notesByKey.values())
    if (pinned && seq < toSeq) tokens += count(`- ${text}\n`);
  return tokens;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `- ${indented(line)}`)];
}

/** No text within can pass for a title or a line of its own. */
function indented(text: string): string {
  return text.replace(/\r\n|[\n\r\u2028\u2029]/g, "\n  ");
}

/** A line, or ways to say it from the longest to the shortest. */
type Offered = string | readonly string[];

/** Gives room to lines in the order they are offered. */
function fill(count: Count, maxTokens: number) {
  let left = Math.max(0, maxTokens);
  return {
    lines(title: string, offered: readonly Offered[], share: number): string[] {
      let room = Math.floor(left * share) - count(`${title}:\n`);
      const taken: string[] = [];
      for (const line of offered) {
        if (room < leastRoom) break;
        const ways = typeof line === "string" ? [line] : line;
        const fitting = ways.find((way) => count(`- ${way}\n`) <= room);
        if (fitting === undefined) continue;
        room -= count(`- ${fitting}\n`);
        taken.push(fitting);
      }
      if (taken.length > 0) left -= Math.floor(left * share) - room;
      return taken;
    },
  };
}

/** In less no line says anything. */
const leastRoom = 4;

function openLines(state: ThreadState, { unsettled }: Earlier): readonly string[] {
  const calls = unsettled.flatMap(({ turn: { decision } }) =>
    decision.kind === "calls" ? decision.calls : [],
  );
  return operationsOf(state, calls).flatMap((operation, index) => {
    const call = calls[index];
    if (!call || operation?.settled) return [];
    const { request = null, inDoubt = false } = operation ?? {};
    const why =
      request?.status === "open"
        ? `waits for request ${request.opened.requestId}`
        : inDoubt
          ? "is in doubt"
          : "has not ended";
    return [cut(`${call.tool} ${JSON.stringify(call.args)} ${why}`, 300)];
  });
}

function newestFirst(lines: readonly Line[]): readonly string[] {
  return [...lines].sort(byWorth).map(({ text }) => text);
}

function failedLines({ failed }: Earlier): readonly string[] {
  return [...failed.values()]
    .reverse()
    .map(({ text, count }) => `${text}${count > 1 ? ` (${count} times)` : ""}`);
}

function readLines({ reads }: Earlier): readonly Offered[] {
  return [...reads].map(([tool, { times, newest }]) => {
    const refs = [...new Set(newest.flatMap((result) => refOf(result) ?? []))];
    const line = `${tool}${times === 1 ? "" : ` ×${times}`}`;
    return refs.length === 0 ? line : [`${line}, such as ${refs.join(", ")}`, line];
  });
}

/** Values on one line. */
const valuesPerLine = 8;

/** The newest values of every name, then older ones. */
function valueLines(earlier: Earlier): readonly string[] {
  const lines: { readonly round: number; readonly text: string }[] = [];
  for (const [name, values] of valuesIn(earlier)) {
    for (let at = 0; at < values.length; at += valuesPerLine)
      lines.push({ round: at, text: `${name}: ${values.slice(at, at + valuesPerLine).join(", ")}` });
  }
  return lines.sort((left, right) => left.round - right.round).map(({ text }) => text);
}

function sentenceLines(sentences: readonly Line[]): readonly string[] {
  return [...new Set([...sentences].sort(byWorth).map(({ text }) => text))];
}

/** In the log's order, what was said at once on one line. */
function bySeq(chosen: readonly string[], sentences: readonly Line[]): readonly string[] {
  const isChosen = new Set(chosen);
  const lines = new Map<number, string[]>();
  for (const { seq, text } of [...sentences].sort(inOrder)) {
    if (!isChosen.delete(text)) continue;
    lines.set(seq, [...(lines.get(seq) ?? []), text]);
  }
  return [...lines.values()].map((each) => each.join(" "));
}
