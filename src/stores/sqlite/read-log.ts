import type { DatabaseSync } from "node:sqlite";
import { decodeEvent, eventFrom } from "../../core/codec.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { ThreadEvent } from "../../core/events.ts";
import { type HeadRow, selectHead } from "./head-cache.ts";
import { allRows, firstRow } from "./rows.ts";

type LogRow = [seq: number, body: string];

/** A log as two lists in JSON without their brackets, newest first. */
interface TextRow {
  readonly seqs: string;
  readonly bodies: string;
}

/**
 * Reads a thread's events after a `seq`, in order. It notices a missing event and one that is no event, but not one
 * that was changed into another: checking the chain would double the time of a load, and is left to `verify`.
 *
 * @throws `store_corrupt`
 */
export type ReadLog = (threadId: string, afterSeq: number) => ThreadEvent[];

/**
 * Events are found from the last one backwards (S1). A damaged `prev` cannot send the walk in a circle: it only goes
 * to older events of the same thread.
 */
const walkLog = `WITH RECURSIVE log (id, prev, seq, body) AS (
    SELECT id, prev, seq, body FROM events WHERE id = ?
    UNION ALL
    SELECT e.id, e.prev, e.seq, e.body FROM log JOIN events e ON e.id = log.prev
    WHERE log.seq > ? + 1 AND e.id < log.id AND e.thread_num = ?
  )`;

/** Longer logs are read event by event, so that no single text becomes too long. */
const mostAtOnce = 10_000;

export function createReadLog(database: DatabaseSync): ReadLog {
  const headOf = database.prepare(selectHead);
  const walk = database.prepare(`${walkLog} SELECT seq, body FROM log`);
  walk.setReturnArrays(true);
  const walkAtOnce = database.prepare(
    `${walkLog} SELECT group_concat(seq) AS seqs, group_concat(body) AS bodies FROM log`,
  );

  /** One text and one parse for the whole log take half the time. `null` where anything about it is odd. */
  function readAtOnce(threadId: string, afterSeq: number, head: HeadRow): ThreadEvent[] | null {
    if (head.seq - afterSeq > mostAtOnce) return null;
    try {
      const row = firstRow<TextRow>(walkAtOnce, head.eventId, afterSeq, head.threadNum);
      const seqs: readonly number[] = JSON.parse(`[${row?.seqs}]`);
      const bodies: readonly unknown[] = JSON.parse(`[${row?.bodies}]`);
      const isWhole = bodies.length === head.seq - afterSeq && seqs.length === bodies.length;
      if (!isWhole || !seqs.every((seq, index) => seq === head.seq - index)) return null;
      return bodies.map((body, index) => eventFrom(body, head.seq - index, threadId)).reverse();
    } catch {
      return null; // read event by event, the one that is damaged is named
    }
  }

  function readOneByOne(threadId: string, afterSeq: number, head: HeadRow): ThreadEvent[] {
    const rows = allRows<LogRow>(walk, head.eventId, afterSeq, head.threadNum).reverse();
    checkComplete(threadId, rows, afterSeq, head.seq);
    return rows.map(([seq, body]) => decodeEvent(body, seq, threadId));
  }

  return (threadId, afterSeq) => {
    const head = firstRow<HeadRow>(headOf, threadId);
    if (!head || head.seq <= afterSeq) return [];
    return readAtOnce(threadId, afterSeq, head) ?? readOneByOne(threadId, afterSeq, head);
  };
}

function checkComplete(threadId: string, rows: readonly LogRow[], afterSeq: number, headSeq: number): void {
  if (rows.length === headSeq - afterSeq && rows.every(([seq], index) => seq === afterSeq + index + 1))
    return;
  throw damaged(threadId, "some of its events are missing");
}

function damaged(threadId: string, what: string): HoldpointError {
  return new HoldpointError("store_corrupt", `the log of thread ${threadId} is damaged: ${what}`, {
    fix: "Run `holdpoint verify` to see which event it is; restore the file from a backup.",
  });
}
