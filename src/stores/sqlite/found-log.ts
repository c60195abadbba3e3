import type { DatabaseSync } from "node:sqlite";
import { decodeEvent } from "../../core/codec.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { EventRow, FoundLog } from "./check-log.ts";
import { allRows, firstRow } from "./rows.ts";

/** A thread by its head. `threadId` is `null` when its row in `threads` is gone. */
export interface ThreadHead {
  readonly threadNum: number;
  readonly threadId: string | null;
  readonly headSeq: number;
  readonly headId: number;
}

export interface LogFinder {
  /** The next head after `afterNum`; of one thread only, when `threadId` names it. */
  next(afterNum: number, threadId?: string): ThreadHead | null;
  /** Whether there still is such a head: a thread may be removed while others are checked. */
  has(head: ThreadHead): boolean;
  /** What can be reached from a head, damaged or not. */
  find(head: ThreadHead): FoundLog;
}

export function createLogFinder(database: DatabaseSync): LogFinder {
  const columns = `SELECT thread_num AS threadNum, thread_id AS threadId, head_seq AS headSeq, head_id AS headId
    FROM heads LEFT JOIN threads USING (thread_num)`;
  const nextHead = database.prepare(`${columns} WHERE thread_num > ? ORDER BY thread_num LIMIT 1`);
  const headOf = database.prepare(`${columns} WHERE thread_num > ? AND thread_id = ?`);
  const walk = database.prepare(`WITH RECURSIVE log (id, seq, prev, body, link) AS (
    SELECT id, seq, prev, body, link FROM events WHERE id = ? AND thread_num = ?
    UNION ALL
    SELECT e.id, e.seq, e.prev, e.body, e.link FROM log JOIN events e ON e.id = log.prev
    WHERE e.id < log.id AND e.thread_num = ?
  ) SELECT id, seq, prev, body, link FROM log`);

  function next(afterNum: number, threadId?: string): ThreadHead | null {
    const row =
      threadId === undefined
        ? firstRow<ThreadHead>(nextHead, afterNum)
        : firstRow<ThreadHead>(headOf, afterNum, threadId);
    if (row && row.threadNum <= afterNum) throw outOfOrder("heads"); // or a walk over all heads might never end
    return row ?? null;
  }

  function find({ threadNum, threadId, headSeq, headId }: ThreadHead): FoundLog {
    const rows = allRows<EventRow>(walk, headId, threadNum, threadNum).reverse();
    return { threadId: threadId ?? startedAs(rows[0]), headSeq, rows };
  }

  function has({ threadNum }: ThreadHead): boolean {
    return next(threadNum - 1)?.threadNum === threadNum;
  }

  return { next, has, find };
}

/** Rows of a damaged page may come in any order. */
export function outOfOrder(table: string): HoldpointError {
  return new HoldpointError("store_corrupt", `the rows of ${table} are out of order`, {
    fix: "Restore the file from a backup.",
  });
}

/** The id that a thread's first event gives it. */
function startedAs(first: EventRow | undefined): string {
  if (first?.seq !== 1) return "";
  try {
    const event = decodeEvent(first.body, 1, "");
    return event.type === "thread_started" ? event.threadId : "";
  } catch {
    return ""; // whoever checks the log reports the event
  }
}
