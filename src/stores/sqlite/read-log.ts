import type { DatabaseSync } from "node:sqlite";
import { decodeEvent, eventFrom } from "../../core/codec.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { ThreadEvent } from "../../core/events.ts";
import { type HeadRow, selectHead } from "./head-cache.ts";
import { allRows, firstRow } from "./rows.ts";

type LogRow = [seq: number, body: string];

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
  const walkAtOnce = database.prepare(`${walkLog} SELECT group_concat(
    iif(seq = ?, '[', '') || seq || ',' || body || iif(seq = ?, ']', '')) AS text FROM log`);

  /**
   * One text and one parse for the whole log: `[3,{…},2,{…},1,{…}]`, newest first. The brackets come from SQL, since
   * putting them on here would copy the text. `null` where anything about it is odd.
   */
  function readAtOnce(threadId: string, afterSeq: number, head: HeadRow): ThreadEvent[] | null {
    const count = head.seq - afterSeq;
    if (count > mostAtOnce) return null;
    try {
      const place = [head.eventId, afterSeq, head.threadNum] as const;
      const row = firstRow<{ text: string }>(walkAtOnce, ...place, head.seq, afterSeq + 1);
      const parts: readonly unknown[] = JSON.parse(row?.text ?? "");
      return parts.length === 2 * count ? eventsOf(parts, threadId, head.seq) : null;
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

/** @returns the events, oldest first; `null` when one is not where it should be. */
function eventsOf(parts: readonly unknown[], threadId: string, headSeq: number): ThreadEvent[] | null {
  const events: ThreadEvent[] = [];
  for (let index = parts.length - 2; index >= 0; index -= 2) {
    const seq = headSeq - index / 2;
    if (parts[index] !== seq) return null;
    events.push(eventFrom(parts[index + 1], seq, threadId));
  }
  return events;
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
