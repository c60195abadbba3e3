import type { DatabaseSync } from "node:sqlite";
import { decodeEvent, eventFrom } from "../../core/codec.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { ThreadEvent } from "../../core/events.ts";
import { type HeadRow, selectHead } from "./head.ts";
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
    SELECT id, prev, seq, body FROM events WHERE id = ? AND thread_num = ?
    UNION ALL
    SELECT e.id, e.prev, e.seq, e.body FROM log JOIN events e ON e.id = log.prev
    WHERE log.seq > ? + 1 AND e.id < log.id AND e.thread_num = ?
  )`;

/** A piece of a log, newest first, as the text of one list: `[3,{…},2,{…},1,{…}]`. `prev` is the event before it. */
interface Piece {
  readonly text: string;
  readonly prev: number;
}

/**
 * One text and one parse for many events take half the time. Not for all of a log: each piece can use the memory of
 * the one before, and fresh memory is what reading costs in a new process (800 events: 580 page faults at once, 340 so).
 */
const pieceLength = 64;

export function createReadLog(database: DatabaseSync): ReadLog {
  const headOf = database.prepare(selectHead);
  const walk = database.prepare(`${walkLog} SELECT seq, body FROM log`);
  walk.setReturnArrays(true);
  const walkPiece = database.prepare(`${walkLog} SELECT min(prev) AS prev, group_concat(
    iif(seq = ?, '[', '') || seq || ',' || body || iif(seq = ?, ']', '')) AS text FROM log`);

  /** `null` where anything is odd: read event by event, the one that is damaged is named. */
  function readInPieces(threadId: string, afterSeq: number, head: HeadRow): ThreadEvent[] | null {
    const { threadNum } = head;
    const newestFirst: ThreadEvent[] = [];
    let { seq, eventId } = head;
    try {
      while (seq > afterSeq) {
        const stop = Math.max(afterSeq, seq - pieceLength);
        const piece = firstRow<Piece>(walkPiece, eventId, threadNum, stop, threadNum, seq, stop + 1);
        if (!piece || !addPiece(newestFirst, piece.text, { threadId, from: seq, to: stop + 1 })) return null;
        seq = stop;
        eventId = piece.prev;
      }
    } catch {
      return null;
    }
    return newestFirst.reverse();
  }

  function readOneByOne(threadId: string, afterSeq: number, head: HeadRow): ThreadEvent[] {
    const rows = allRows<LogRow>(walk, head.eventId, head.threadNum, afterSeq, head.threadNum).reverse();
    checkComplete(threadId, rows, afterSeq, head.seq);
    return rows.map(([seq, body]) => decodeEvent(body, seq, threadId));
  }

  return (threadId, afterSeq) => {
    const head = firstRow<HeadRow>(headOf, threadId);
    if (!head || head.seq <= afterSeq) return [];
    return readInPieces(threadId, afterSeq, head) ?? readOneByOne(threadId, afterSeq, head);
  };
}

/** @returns false when an event is not where it should be. */
function addPiece(
  events: ThreadEvent[],
  text: string,
  { threadId, from, to }: { threadId: string; from: number; to: number },
): boolean {
  const parts: readonly unknown[] = JSON.parse(text);
  for (let seq = from, index = 0; seq >= to; seq--, index += 2) {
    if (parts[index] !== seq) return false;
    events.push(eventFrom(parts[index + 1], seq, threadId));
  }
  return parts.length === 2 * (from - to + 1);
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
