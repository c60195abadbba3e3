// What a provider's cache can reuse: how much of each call is, byte for byte, the start of the call before.
import type { Tape } from "../kit/tape.ts";
import { mean, percent, textTable } from "../kit/text-table.ts";
import { frontOf, historyOf, unbounded, type Window } from "../kit/window-run.ts";
import { fits, type RunSettings, windowsOf } from "./run-settings.ts";

interface Written {
  readonly text: string;
  readonly bytes: number;
}

const known = new WeakMap<object, Written>();

function written(part: object): Written {
  const before = known.get(part);
  if (before) return before;
  const text = `${JSON.stringify(part)}\n`;
  const made = { text, bytes: Buffer.byteLength(text) };
  known.set(part, made);
  return made;
}

/** Tools, then messages, as most providers put them to their model. */
function partsOf({ input }: Window, messages = input.messages): readonly Written[] {
  return [input.tools, ...messages].map(written);
}

interface CallPrefix {
  /** Of the call's bytes: equal to the start of the call before, and what an append-only history would have had. */
  readonly share: number;
  readonly ownIdeal: number;
  readonly bytes: number;
  readonly isCompaction: boolean;
  /** The call does not start with the whole history of the call before. */
  readonly isBreak: boolean;
}

/** For every call of a run but the first. */
export function prefixesOf(windows: readonly Window[]): readonly CallPrefix[] {
  return windows.slice(1).map((window, index): CallPrefix => {
    const before = windows[index] as Window; // as long as the slice, one earlier
    const [parts, earlier] = [partsOf(window), partsOf(before)];
    const bytes = sum(parts);
    const common = commonBytes(parts, earlier);
    return {
      share: common / bytes,
      ownIdeal: Math.min(sum(earlier), bytes) / bytes,
      bytes,
      isCompaction: frontOf(before.record) !== frontOf(window.record),
      isBreak: common < sum(partsOf(before, historyOf(before))),
    };
  });
}

function sum(parts: readonly Written[]): number {
  return parts.reduce((total, { bytes }) => total + bytes, 0);
}

function commonBytes(parts: readonly Written[], earlier: readonly Written[]): number {
  let common = 0;
  for (const [index, part] of parts.entries()) {
    const other = earlier[index];
    if (other?.text === part.text) {
      common += part.bytes;
      continue;
    }
    return common + Buffer.byteLength(part.text.slice(0, commonLength(part.text, other?.text ?? "")));
  }
  return common;
}

function commonLength(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one.charCodeAt(length) === other.charCodeAt(length)) length += 1;
  return length;
}

export interface PrefixRow extends RunSettings {
  readonly source: string;
  readonly runs: number;
  readonly calls: number;
  readonly compactions: number;
  readonly breaks: number;
  /** Runs in which the one is not the other. */
  readonly unequal: readonly string[];
  /** Means over all calls; over those that no compaction precedes; over the same calls of the run that only grows. */
  readonly share: number;
  readonly between: number;
  readonly ideal: number;
  /** Over the calls between: what an append-only history of the same size would have had. */
  readonly ownIdeal: number;
}

export function sweepPrefixes(
  tapes: readonly Tape[],
  settings: readonly RunSettings[],
): readonly PrefixRow[] {
  const sources = [...new Set(tapes.map(({ source }) => source))];
  return settings.flatMap((setting) =>
    sources.flatMap((source) => {
      const chosen = tapes.filter(
        (tape) => tape.source === source && fits(tape, setting.around, setting.budget),
      );
      return chosen.length === 0 ? [] : [prefixRow(source, chosen, setting)];
    }),
  );
}

function prefixRow(source: string, tapes: readonly Tape[], setting: RunSettings): PrefixRow {
  const calls: CallPrefix[] = [];
  const ideals: CallPrefix[] = [];
  const unequal: string[] = [];
  for (const tape of tapes) {
    const run = prefixesOf(windowsOf(tape, setting));
    calls.push(...run);
    ideals.push(...prefixesOf(windowsOf(tape, { ...setting, budget: unbounded })));
    const [breaks, compactions] = [count(run, "isBreak"), count(run, "isCompaction")];
    if (run.some(({ isBreak, isCompaction }) => isBreak !== isCompaction))
      unequal.push(
        `${tape.name}, ${setting.around} at ${setting.budget}: ${breaks} breaks, ${compactions} compactions`,
      );
  }
  const quiet = calls.flatMap((call, index) => (call.isCompaction ? [] : [{ call, ideal: ideals[index] }]));
  return {
    ...setting,
    source,
    runs: tapes.length,
    calls: calls.length,
    compactions: count(calls, "isCompaction"),
    breaks: count(calls, "isBreak"),
    unequal,
    share: mean(calls.map(({ share }) => share)),
    between: mean(quiet.map(({ call }) => call.share)),
    ideal: mean(quiet.map(({ ideal }) => ideal?.share ?? Number.NaN)),
    ownIdeal: mean(quiet.map(({ call }) => call.ownIdeal)),
  };
}

function count(calls: readonly CallPrefix[], member: "isBreak" | "isCompaction"): number {
  return calls.filter((call) => call[member]).length;
}

export function showPrefixes(rows: readonly PrefixRow[]): string {
  const header = [
    "run",
    "around",
    "budget",
    "runs",
    "calls",
    "compactions",
    "breaks",
    "all calls",
    "between",
    "ideal",
    "ideal of that size",
  ];
  return textTable(
    header,
    rows.map((row) => [
      row.source,
      row.around,
      row.budget,
      row.runs,
      row.calls,
      row.compactions,
      row.breaks,
      percent(row.share),
      percent(row.between),
      percent(row.ideal),
      percent(row.ownIdeal),
    ]),
  );
}
