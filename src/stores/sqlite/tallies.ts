// I2. Sums of a day over all threads, a row for each thread that adds to one: its log alone says what its rows are.
import type { DatabaseSync } from "node:sqlite";
import { dayOf } from "../../core/cumulative.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { Delta } from "../../core/projection.ts";
import type { TallyLimit } from "../../ports/store.ts";
import { columnText } from "./columns.ts";
import { Refusal } from "./group-commit.ts";
import { firstRow } from "./rows.ts";

/** What an append adds, and when. */
interface Adding {
  readonly at: string;
  readonly delta: Delta | null;
}

export interface Tallies {
  add(threadNum: number, at: string, counted: NonNullable<Delta["counted"]>): void;
  /** The refusal of an append that would bring a sum over its limit; `null` when it may go on. */
  refuse(limits: readonly TallyLimit[], rows: readonly Adding[]): Refusal | null;
}

export function createTallies(database: DatabaseSync): Tallies {
  const insert = database.prepare(`INSERT INTO tallies (name, day, thread_num, amount) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET amount = amount + excluded.amount`);
  // Above what a number holds exactly, it is over every limit anyway.
  const select = database.prepare(
    "SELECT min(sum(amount), 9007199254740991) AS total FROM tallies WHERE name = ? AND day = ?",
  );

  return {
    add(threadNum, at, counted) {
      for (const { name, amount } of counted) insert.run(name, columnText(dayOf(at)), threadNum, amount);
    },
    refuse(limits, rows) {
      const day = columnText(dayOf(rows.at(-1)?.at ?? ""));
      for (const { name, max } of limits) {
        const total = firstRow<{ total: number | null }>(select, columnText(name), day)?.total ?? 0;
        const added = addedTo(columnText(name), day, rows);
        if (total + added > max) return new Refusal(exceeded({ name, day, total, added, max }));
      }
      return null;
    },
  };
}

function addedTo(name: string, day: string, rows: readonly Adding[]): number {
  const counted = rows.flatMap(({ at, delta }) =>
    columnText(dayOf(at)) === day ? (delta?.counted ?? []) : [],
  );
  return counted.reduce((sum, count) => (count.name === name ? sum + count.amount : sum), 0);
}

function exceeded(tally: {
  readonly name: string;
  readonly day: string;
  readonly total: number;
  readonly added: number;
  readonly max: number;
}): HoldpointError {
  const { name, day, total, added, max } = tally;
  const sum = total + added;
  const message = `${added} more would bring "${name}" of ${day} to ${sum}, over ${max}`;
  return new HoldpointError("tally_exceeded", message, {
    fix: "Ask a person, or wait for the next day (UTC).",
    details: { name, day, total },
  });
}
