// S3. Whether a thread is due when it should be: one that nobody would wake is damaged, though its log is sound.
import type { DatabaseSync } from "node:sqlite";
import { dueTime, toIso } from "./dispatch-time.ts";
import type { Folded } from "./fold.ts";
import { firstRow } from "./rows.ts";

interface DispatchRow {
  readonly dueAt: number | null;
  readonly owner: string | null;
  readonly until: number | null;
}

/** @returns what is wrong with a thread's `due_at`, one sentence or none; `folded` is what its events say. */
export type DueCheck = (threadNum: number, folded: Folded) => readonly string[];

export function createDueCheck(database: DatabaseSync): DueCheck {
  const select = database.prepare(`SELECT due_at AS dueAt, lease_owner AS owner, lease_until AS until
    FROM heads WHERE thread_num = ?`);

  return (threadNum, folded) => {
    const row = firstRow<DispatchRow>(select, threadNum);
    if (!row) return [];
    const { dueAt } = row;
    if (folded.thread.ended === 1)
      return dueAt === null ? [] : [`heads has it due at ${shown(dueAt)}, but it ended`];
    const latest = latestTurn(row, folded);
    if (latest === null || (dueAt !== null && dueAt <= latest)) return [];
    return [
      `heads has it due ${dueAt === null ? "never" : `at ${shown(dueAt)}`}, but it is at ${shown(latest)}`,
    ];
  };
}

/**
 * When an open thread needs a turn at the latest, in milliseconds since the epoch. `null` when nothing says: only people
 * or signals wake it, or it did not park (it may be quiet, or to be tried again later than its timers).
 */
function latestTurn({ owner, until }: DispatchRow, { waits, requests }: Folded): number | null {
  if (owner !== null || until === null) return until; // when a lease ends, another may take it
  const times = [
    ...[...waits.values()].map((wait) => wait.dueAt),
    ...[...requests.values()].map(({ status, expiresAt }) => (status === "open" ? expiresAt : null)),
  ];
  return times.reduce<number | null>((earliest, time) => {
    const isAhead = time !== null && time > until; // D3
    return isAhead && (earliest === null || time < earliest) ? time : earliest;
  }, null);
}

function shown(timeMs: number): string {
  return toIso(dueTime(timeMs)) ?? String(timeMs);
}
