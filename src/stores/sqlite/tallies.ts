// I2. Sums of a day over all threads, a row for each thread that adds to one: its log alone says what its rows are.
// `tally_totals` follows from these rows, by triggers, whatever changes them: a start of 100,000 in a day then costs what
// the first did (summing up its rows: 7 ms, within the transaction).
import type { DatabaseSync } from "node:sqlite";
import { dayOf } from "../../core/cumulative.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { Delta } from "../../core/projection.ts";
import type { TallyLimit } from "../../ports/store.ts";
import { columnText } from "./columns.ts";
import { Refusal } from "./group-commit.ts";
import { firstRow } from "./rows.ts";

/** Version 4 of the tables. */
export const tallyTables = `
CREATE TABLE tallies (
  name TEXT NOT NULL,
  day TEXT NOT NULL,
  thread_num INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (name, day, thread_num)
) STRICT, WITHOUT ROWID;
CREATE INDEX tallies_thread ON tallies (thread_num);

CREATE TABLE tally_totals (
  name TEXT NOT NULL,
  day TEXT NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (name, day)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER tallies_inserted AFTER INSERT ON tallies BEGIN
  INSERT INTO tally_totals (name, day, amount) VALUES (new.name, new.day, new.amount)
    ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;
END;
CREATE TRIGGER tallies_updated AFTER UPDATE OF amount ON tallies BEGIN
  UPDATE tally_totals SET amount = amount + new.amount - old.amount WHERE name = new.name AND day = new.day;
END;
CREATE TRIGGER tallies_deleted AFTER DELETE ON tallies BEGIN
  UPDATE tally_totals SET amount = amount - old.amount WHERE name = old.name AND day = old.day;
  DELETE FROM tally_totals WHERE name = old.name AND day = old.day AND amount = 0;
END;
`;

const sums = "SELECT name, day, sum(amount) AS amount FROM tallies GROUP BY name, day";

/** How many totals are not the sums of their rows. */
export const wrongTotals: string = `SELECT count(*) AS wrong FROM (${sums}) AS sums
  FULL JOIN tally_totals AS totals USING (name, day) WHERE sums.amount IS NOT totals.amount`;

export const rebuildTotals: string = `DELETE FROM tally_totals; INSERT INTO tally_totals ${sums};`;

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
    "SELECT min(amount, 9007199254740991) AS total FROM tally_totals WHERE name = ? AND day = ?",
  );

  return {
    add(threadNum, at, counted) {
      for (const { name, amount } of counted) insert.run(name, columnText(dayOf(at)), threadNum, amount);
    },
    refuse(limits, rows) {
      const day = columnText(dayOf(rows.at(-1)?.at ?? ""));
      for (const { name, max } of limits) {
        const total = firstRow<{ total: number }>(select, columnText(name), day)?.total ?? 0;
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
