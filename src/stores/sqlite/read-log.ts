import type { DatabaseSync } from "node:sqlite";
import { decodeEvent, eventFrom } from "../../core/codec.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { ThreadEvent } from "../../core/events.ts";
import { type HeadRow, selectHead } from "./head.ts";
import { RecentMap } from "./recent-map.ts";
import { allRows, firstRow } from "./rows.ts";

type LogRow = [seq: number, body: string];

/**
 * Reads a thread's events after a `seq`, in order. It notices a missing event and one that is no event, but not one
 * that was changed into another: checking the chain would double the time of a load, and is left to `verify`.
 *
 * @throws `store_corrupt`
 */
export type ReadLog = (threadId: string, afterSeq: number, limit?: number) => ThreadEvent[];

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

/** The same walk down to an event in the middle, over keys alone: no body is read into memory. */
const walkDown = `WITH RECURSIVE log (id, prev, seq) AS (
    SELECT id, prev, seq FROM events WHERE id = ? AND thread_num = ?
    UNION ALL
    SELECT e.id, e.prev, e.seq FROM log JOIN events e ON e.id = log.prev
    WHERE log.seq > ? AND e.id < log.id AND e.thread_num = ?
  ) SELECT id AS eventId, seq FROM log WHERE seq % ? = 0 OR seq = ?`;

/** Of a log whose pages are read one after the other, the places at every so many events: a page walks no further. */
const placeEvery = 512;
/** Logs whose places are kept. */
const mostPlaces = 100;

interface Place {
  readonly eventId: number;
  readonly seq: number;
}

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

  const down = database.prepare(walkDown);
  const placesOf = new RecentMap<number, ReadonlyMap<number, Place>>(mostPlaces);

  /** The log up to an event, as if it ended there. `null` when it is not found from here. */
  function headAt(head: HeadRow, seq: number): HeadRow | null {
    const { threadNum } = head;
    if (seq >= head.seq) return head;
    const known = placesOf.get(threadNum);
    const above = known?.get(Math.ceil(seq / placeEvery) * placeEvery);
    const from = above && above.seq < head.seq ? above : head;
    const found = allRows<Place>(down, from.eventId, threadNum, seq, threadNum, placeEvery, seq);
    if (from === head) {
      const places = [...(known ?? []), ...found.map((place) => [place.seq, place] as const)];
      placesOf.set(threadNum, new Map(places));
    }
    const place = found.find((one) => one.seq === seq);
    return place ? { ...head, ...place } : null;
  }

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

  return (threadId, afterSeq, limit = Number.POSITIVE_INFINITY) => {
    const newest = firstRow<HeadRow>(headOf, threadId);
    if (!newest || newest.seq <= afterSeq || limit <= 0) return [];
    const head = headAt(newest, afterSeq + limit);
    if (head === null) return readOneByOne(threadId, afterSeq, newest).slice(0, limit); // it names what is damaged
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
