// Input tokens of whole runs, by an exact tokenizer, beside a loop that sends every recorded message at every call.
import type { ModelMessage } from "../../src/core/window/model-input.ts";
import type { Tape } from "../kit/tape.ts";
import { percent, quantile, textTable } from "../kit/text-table.ts";
import { unbounded } from "../kit/window-run.ts";
import { type Around, aroundOf, fits, reported, windowsOf } from "./run-settings.ts";

/** Each call gets everything before it, as recorded. One number a call; the last is of the call after the run. */
function rawCalls(tape: Tape, around: Around): readonly number[] {
  const { system, tools } = aroundOf(tape, around);
  const messages = rawMessages(tape);
  let tokens = reported({ messages: [{ role: "system", content: system }], tools, maxOutputTokens: 1 });
  const calls: number[] = [];
  for (const message of messages) {
    if (message.role === "assistant") calls.push(tokens);
    tokens += reported({ messages: [message], tools: [], maxOutputTokens: 1 });
  }
  return [...calls, tokens];
}

function rawMessages({ recorded }: Tape): readonly ModelMessage[] {
  let open: { readonly callId: string; readonly tool: string }[] = [];
  return recorded.map(({ role, content, calls }, index): ModelMessage => {
    if (role === "user") return { role, content };
    if (role === "tool") return { role, content, ...(open.shift() ?? { callId: "", tool: "" }) };
    const made = calls.map((call, at) => ({ callId: `decide_${index}_${at}`, ...call }));
    open = made.map(({ callId, tool }) => ({ callId, tool }));
    return { role, content, calls: made };
  });
}

export interface TokensRow {
  readonly source: string;
  readonly around: Around;
  /** `null` is the raw loop. */
  readonly budget: number | null;
  readonly runs: number;
  /** Of a run, and of all runs together. */
  readonly median: number;
  readonly p95: number;
  readonly total: number;
  /** Of the raw loop's total. */
  readonly ratio: number;
  /** Most tokens of one call. */
  readonly largest: number;
}

/** One row for the raw loop and one for each budget, of the runs whose prompt and tools fit the smallest of them. */
export function sweepTokens(
  tapes: readonly Tape[],
  around: Around,
  budgets: readonly number[],
): readonly TokensRow[] {
  const sources = [...new Set(tapes.map(({ source }) => source))];
  return sources.flatMap((source) => {
    const all = tapes.filter((tape) => tape.source === source);
    const usable = budgets.filter((budget) => all.every((tape) => fits(tape, around, budget)));
    const raw = all.map((tape) => rawCalls(tape, around));
    const rawTotal = sum(raw.map(sum));
    const row = (budget: number | null, runs: readonly (readonly number[])[]): TokensRow => {
      const sums = runs.map(sum);
      const total = sum(sums);
      return {
        source,
        around,
        budget,
        runs: runs.length,
        median: quantile(sums, 0.5),
        p95: quantile(sums, 0.95),
        total,
        ratio: total / rawTotal,
        largest: runs.flat().reduce((most, tokens) => Math.max(most, tokens), 0),
      };
    };
    const windowed = usable.map((budget) =>
      row(
        budget,
        all.map((tape) =>
          windowsOf(tape, { around, budget, counter: "estimate" }).map(({ input }) => reported(input)),
        ),
      ),
    );
    return [row(null, raw), ...windowed];
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function showTokens(rows: readonly TokensRow[]): string {
  return textTable(
    ["run", "around", "sent", "runs", "median", "p95", "total", "of the raw loop", "largest call"],
    rows.map(({ source, around, budget, runs, median, p95, total, ratio, largest }) => [
      source,
      around,
      budget === null
        ? "every message"
        : budget === unbounded
          ? "a window without bound"
          : `a window of ${budget.toLocaleString("en")}`,
      runs,
      median,
      p95,
      total,
      percent(ratio),
      largest,
    ]),
  );
}
