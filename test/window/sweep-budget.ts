// I7, I8 over recorded runs: every window of every run, counted by tokenizers that are not ours.
import { gptTokenizer, inputCounter, jsTiktoken } from "../kit/exact-tokens.ts";
import { illegalMessages } from "../kit/illegal-messages.ts";
import type { Tape } from "../kit/tape.ts";
import { percent, textTable } from "../kit/text-table.ts";
import { frontOf } from "../kit/window-run.ts";
import { fixedTokens, mostOverestimated, play, type RunSettings } from "./run-settings.ts";

const tokenizers = [gptTokenizer, jsTiktoken].map((tokenizer) => ({
  name: tokenizer.name,
  tokensOf: inputCounter(tokenizer),
}));

interface BudgetRow extends RunSettings {
  readonly source: string;
  readonly runs: number;
  /** Runs whose prompt and tools alone do not fit, and the windows that they would have had. */
  refusedRuns: number;
  refusedWindows: number;
  windows: number;
  compactions: number;
  /** The fullest window, of its budget, by the exact count. */
  fullest: number;
  /** The window's own count over the exact one, where it was least. */
  leastCounted: number;
}

/** Each in one line that names run, settings and numbers. */
interface BudgetFaults {
  readonly over: string[];
  readonly illegal: string[];
  /** Refused although the fixed parts fit, or without naming them. */
  readonly wronglyRefused: string[];
  /** After the provider has reported a usage, the window's own count was less than what went out. */
  readonly undercounted: string[];
}

export interface BudgetSweep {
  readonly rows: readonly BudgetRow[];
  readonly faults: BudgetFaults;
}

export function sweepBudgets(tapes: readonly Tape[], settings: readonly RunSettings[]): BudgetSweep {
  const faults: BudgetFaults = { over: [], illegal: [], wronglyRefused: [], undercounted: [] };
  const sources = [...new Set(tapes.map(({ source }) => source))];
  const rows = settings.flatMap((setting) =>
    sources.map((source) => {
      const chosen = tapes.filter((tape) => tape.source === source);
      const row: BudgetRow = {
        ...setting,
        source,
        runs: chosen.length,
        refusedRuns: 0,
        refusedWindows: 0,
        windows: 0,
        compactions: 0,
        fullest: 0,
        leastCounted: Number.POSITIVE_INFINITY,
      };
      for (const tape of chosen) sweepRun(tape, row, faults);
      return row;
    }),
  );
  return { rows, faults };
}

function sweepRun(tape: Tape, row: BudgetRow, faults: BudgetFaults): void {
  const { around, budget, counter, encoding = "tools" } = row;
  const named = `${tape.name}, ${around} at ${budget}, ${counter}, ${encoding}`;
  let front: string | undefined;
  let number = 0;
  for (const played of play(tape, row)) {
    if (played.kind === "refused") {
      row.refusedRuns += 1;
      row.refusedWindows += played.left;
      const why = whyWronglyRefused(tape, row, played.message);
      if (why !== null) faults.wronglyRefused.push(`${named}: ${why}`);
      return;
    }
    number += 1;
    row.windows += 1;
    const { input, record } = played.window;
    for (const { name, tokensOf } of tokenizers) {
      const tokens = tokensOf(input);
      row.fullest = Math.max(row.fullest, tokens / row.budget);
      row.leastCounted = Math.min(row.leastCounted, record.tokens / tokens);
      if (tokens > row.budget) faults.over.push(`${named}: window ${number} has ${tokens} by ${name}`);
      if (number > 1 && tokens > record.tokens)
        faults.undercounted.push(
          `${named}: window ${number} has ${tokens} by ${name}, ${record.tokens} by its own`,
        );
    }
    for (const wrong of illegalMessages(input.messages))
      faults.illegal.push(`${named}: window ${number}, ${wrong}`);
    if (front !== undefined && frontOf(record) !== front) row.compactions += 1;
    front = frontOf(record);
  }
}

function whyWronglyRefused(tape: Tape, row: BudgetRow, message: string): string | null {
  const fixed = fixedTokens(tape, row.around);
  const most = row.counter === "exact" ? fixed : fixed * mostOverestimated;
  if (most <= row.budget) return `refused, though its fixed parts are ${fixed} tokens: ${message}`;
  return /prompt\D*\d/.test(message) && /tools\D*\d/.test(message)
    ? null
    : `refused without naming prompt and tools: ${message}`;
}

export function showBudgets({ rows, faults }: BudgetSweep): string {
  const table = textTable(
    [
      "run",
      "around",
      "counted by",
      "budget",
      "runs",
      "refused",
      "not built",
      "windows",
      "compactions",
      "fullest",
      "least counted",
    ],
    rows.map((row) => [
      row.source,
      [row.around, row.encoding, row.artifactBytes && "artifacts"].filter(Boolean).join(", "),
      row.counter,
      row.budget,
      row.runs,
      row.refusedRuns,
      row.refusedWindows,
      row.windows,
      row.compactions,
      row.windows === 0 ? "" : percent(row.fullest),
      row.windows === 0 ? "" : percent(row.leastCounted),
    ]),
  );
  const windows = rows.reduce((total, row) => total + row.windows, 0);
  const counted = Object.entries(faults).map(([name, list]) => `${name} ${list.length.toLocaleString("en")}`);
  return `${table}\n${windows.toLocaleString("en")} windows: ${counted.join(", ")}`;
}
