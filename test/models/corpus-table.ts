// What recorded exchanges came to, counted by provider.
import type { Outcome } from "./corpus-outcome.ts";

const columns = ["found", "calls", "answers", "rejected", "errors", "other"] as const;
type Row = Record<(typeof columns)[number], number>;
const noRow: Row = { found: 0, calls: 0, answers: 0, rejected: 0, errors: 0, other: 0 };

const columnOf = { calls: "calls", answer: "answers", rejected: "rejected", error: "errors" } as const;

/** `null` is no exchange with a language model. */
export type Counted = Extract<Outcome, { kind: keyof typeof columnOf }> | null;

export interface Table {
  readonly rows: Map<string, Row>;
  /** How often each sort of rejection and error came. */
  readonly whys: Map<string, number>;
}

export function newTable(): Table {
  return { rows: new Map(), whys: new Map() };
}

export function count({ rows, whys }: Table, vendor: string, outcome: Counted): void {
  const row = rows.get(vendor) ?? { ...noRow };
  rows.set(vendor, row);
  row.found += 1;
  row[outcome ? columnOf[outcome.kind] : "other"] += 1;
  const why = outcome && whyOf(outcome);
  if (why) whys.set(why, (whys.get(why) ?? 0) + 1);
}

function whyOf(outcome: NonNullable<Counted>): string | null {
  switch (outcome.kind) {
    case "error":
      return `${outcome.code}${outcome.retryable ? ", tried again" : ""}: ${sortOf(outcome.message.replace(/^\S+ /, ""))}`;
    case "rejected":
      return `rejected: ${sortOf(outcome.why)}`;
    default:
      return null;
  }
}

function sortOf(message: string): string {
  return message.replaceAll(/"[^"]*"/g, "…").slice(0, 70);
}

/** A line for each provider, and the total. */
export function showRows({ rows }: Table): string {
  const total = { ...noRow };
  for (const row of rows.values()) for (const column of columns) total[column] += row[column];
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  const cells = [...sorted, ["total", total] as const].map(([name, row]) =>
    line(
      name,
      columns.map((column) => String(row[column])),
    ),
  );
  return [line("", columns), ...cells].join("\n");
}

function line(name: string, cells: readonly string[]): string {
  return name.padEnd(20) + cells.map((cell) => cell.padStart(9)).join("");
}

export function showWhys({ whys }: Table): string {
  const sorted = [...whys].sort(([, a], [, b]) => b - a);
  return sorted.map(([why, times]) => `${String(times).padStart(5)} × ${why}`).join("\n");
}
