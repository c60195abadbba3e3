// I1. The one place that writes events. A head moves only from the `seq` that the caller expects, and only for the
// holder of the lease when one is given; the events follow in the same transaction.
import type { DatabaseSync } from "node:sqlite";
import { chainNext, chainStart, encodeEvent } from "../../core/codec.ts";
import { sha256 } from "../../core/digest.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { EventOf } from "../../core/events.ts";
import type { Delta } from "../../core/projection.ts";
import type { Append, NewEvent } from "../../ports/store.ts";
import { columnDelta, columnText } from "./columns.ts";
import { readySince } from "./dispatch-time.ts";
import { Refusal } from "./group-commit.ts";
import { type Head, type HeadRow, selectHead } from "./head.ts";
import { createNumbers } from "./numbers.ts";
import { createProjector } from "./project.ts";
import { RecentMap } from "./recent-map.ts";
import { firstRow } from "./rows.ts";
import { createTallies } from "./tallies.ts";

/** An append with all that can be computed before its transaction. */
export interface PreparedAppend {
  readonly append: Append;
  readonly rows: readonly PreparedEvent[];
}

interface PreparedEvent {
  readonly text: string;
  readonly at: string;
  /** `null` for the many events that change no projection. */
  readonly delta: Delta | null;
}

/** @throws `usage` for an append that could not stand in any log. */
export function prepareAppend(append: Append): PreparedAppend {
  const { threadId, expectedSeq, events, artifacts = [] } = append;
  const [first] = events;
  if (!first) throw misuse(threadId, "an append needs at least one event");
  if (expectedSeq === 0) checkStart(threadId, first);
  for (const { digest, text } of artifacts) {
    if (sha256(text) !== digest || text !== columnText(text))
      throw misuse(threadId, `artifact ${digest} has another digest`);
  }
  return { append, rows: events.map(prepareEvent) };
}

function prepareEvent({ body, at }: NewEvent): PreparedEvent {
  return { text: encodeEvent(body, at), at, delta: columnDelta(body) };
}

/** Two ids must not become one in their column. */
function checkStart(threadId: string, first: NewEvent): void {
  if (threadId === "" || threadId !== columnText(threadId))
    throw misuse(threadId, "a thread's id is well-formed text, without NUL");
  const { body } = first;
  if (body.type !== "thread_started") throw misuse(threadId, "a log begins with thread_started");
  if (body.threadId !== threadId)
    throw misuse(threadId, `its thread_started names ${JSON.stringify(body.threadId)}`);
}

export interface Appender {
  /** To be called first in each transaction. */
  begin(): void;
  /** Forgets what a transaction did that was rolled back. */
  rollBack(): void;
  /** @returns the thread's new last `seq`. */
  append(prepared: PreparedAppend): number | Refusal;
}

/** How many threads' heads are remembered, twice: some 300 bytes each. */
const cachedHeads = 8_192;

export function createAppender(database: DatabaseSync): Appender {
  const lastEventId = database.prepare("SELECT max(id) AS id FROM events");
  const insertEvent = database.prepare(
    "INSERT INTO events (id, thread_num, seq, prev, body, link) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const insertArtifact = database.prepare("INSERT OR IGNORE INTO artifacts (digest, text) VALUES (?, ?)");
  const heads = createHeads(database);
  const projector = createProjector(database);
  const tallies = createTallies(database);
  const numbers = createNumbers(database);
  let eventId = 0;

  function append(prepared: PreparedAppend): number | Refusal {
    const { threadId, expectedSeq, lease, limits } = prepared.append;
    const refusal = limits ? tallies.refuse(limits, prepared.rows) : null;
    if (refusal) return refusal;
    const known = heads.find(threadId, expectedSeq);
    if (!known) return expectedSeq === 0 && !lease ? createThread(prepared) : heads.refuse(prepared.append);
    const lastId = eventId + prepared.rows.length;
    const isNewest = heads.move(prepared.append, known, lastId);
    return isNewest ? writeEvents(prepared, known) : heads.refuse(prepared.append);
  }

  function createThread(prepared: PreparedAppend): number {
    const { threadId, events, isQuiet = false } = prepared.append;
    const [first] = events as readonly [NewEvent]; // `prepareAppend` checked it
    const started = { ...first.body, at: first.at, seq: 1 } as EventOf<"thread_started">; // and its type
    const threadNum = projector.addThread(threadId, started);
    const at = events.at(-1)?.at ?? first.at;
    heads.insert({ threadNum, seq: events.length, lastId: eventId + events.length, at, isQuiet });
    return writeEvents(prepared, { threadNum, seq: 0, eventId: 0, link: chainStart(threadId) });
  }

  function writeEvents({ append, rows }: PreparedAppend, head: Head): number {
    const { threadId, artifacts } = append;
    const { threadNum } = head;
    let { seq, link, eventId: prev } = head;
    for (const { text, at, delta } of rows) {
      seq += 1;
      eventId += 1;
      link = chainNext(link, seq, text);
      insertEvent.run(eventId, threadNum, seq, prev, text, link);
      prev = eventId;
      if (delta) projector.apply({ threadNum, eventId, seq, at, delta });
    }
    numbers.count(head, append.events);
    if (artifacts) for (const { digest, text } of artifacts) insertArtifact.run(digest, text);
    heads.remember(threadId, { threadNum, seq, eventId, link });
    return seq;
  }

  function begin(): void {
    eventId = firstRow<{ id: number | null }>(lastEventId)?.id ?? 0;
  }

  function rollBack(): void {
    heads.forget();
    numbers.forget();
  }

  return { begin, rollBack, append };
}

interface NewHead {
  readonly threadNum: number;
  readonly seq: number;
  readonly lastId: number;
  readonly at: string;
  readonly isQuiet: boolean;
}

function createHeads(database: DatabaseSync) {
  const cache = new RecentMap<string, Head>(cachedHeads); // hints only: other processes append too
  const select = database.prepare(selectHead);
  const selectLease = database.prepare(`SELECT head_seq AS seq, lease_number AS number, lease_owner AS owner
    FROM threads JOIN heads USING (thread_num) WHERE thread_id = ?`);
  const insertHead = database.prepare(
    "INSERT INTO heads (thread_num, head_seq, head_id, updated_at, due_at) VALUES (?, ?, ?, ?, ?)",
  );
  const moveLeased = database.prepare(`UPDATE heads SET head_seq = ?, head_id = ?, updated_at = ?
    WHERE thread_num = ? AND head_seq = ? AND lease_number = ? AND lease_owner = ?`);
  const moveQuietly = database.prepare(`UPDATE heads SET head_seq = ?, head_id = ?, updated_at = ?
    WHERE thread_num = ? AND head_seq = ?`);
  const moveDue = database.prepare(`UPDATE heads SET head_seq = ?, head_id = ?, updated_at = ?
    WHERE thread_num = ? AND head_seq = ? AND (due_at < 0 OR lease_owner IS NOT NULL OR ended = 1)`);
  const moveAndWake = database.prepare(`UPDATE heads SET head_seq = ?, head_id = ?, updated_at = ?, due_at = ?
    WHERE thread_num = ? AND head_seq = ?`);

  /** A remembered head of the right `seq` needs no look: `move` notices when it is no longer the newest. */
  function find(threadId: string, expectedSeq: number): Head | undefined {
    const known = cache.get(threadId);
    if (known?.seq === expectedSeq) return known;
    const row = firstRow<HeadRow>(select, threadId);
    if (row?.link === null) throw headMissing(threadId);
    return row as Head | undefined; // its link is there: see the line before
  }

  function move(
    { expectedSeq, events, lease, isQuiet }: Append,
    { threadNum }: Head,
    lastId: number,
  ): boolean {
    const seq = expectedSeq + events.length;
    const at = events.at(-1)?.at ?? "";
    if (lease) {
      return moveLeased.run(seq, lastId, at, threadNum, expectedSeq, lease.number, lease.owner).changes === 1;
    }
    if (isQuiet) return moveQuietly.run(seq, lastId, at, threadNum, expectedSeq).changes === 1;
    if (moveDue.run(seq, lastId, at, threadNum, expectedSeq).changes === 1) return true;
    return moveAndWake.run(seq, lastId, at, readySince(Date.parse(at)), threadNum, expectedSeq).changes === 1;
  }

  function refuse({ threadId, expectedSeq, lease }: Append): Refusal {
    cache.delete(threadId); // it may be of a thread of the same id that was removed
    const row = firstRow<{ seq: number; number: number; owner: string | null }>(selectLease, threadId);
    if (!row && expectedSeq !== 0) return new Refusal(threadNotFound(threadId));
    const isHeld = !lease || (row?.number === lease.number && row.owner === lease.owner);
    if (!isHeld) return new Refusal(leaseLost(threadId, lease.number));
    return new Refusal(conflict(threadId, expectedSeq, row?.seq ?? 0));
  }

  return {
    find,
    move,
    refuse,
    insert: ({ threadNum, seq, lastId, at, isQuiet }: NewHead) =>
      insertHead.run(threadNum, seq, lastId, at, isQuiet ? null : readySince(Date.parse(at))),
    remember: (threadId: string, head: Head) => cache.set(threadId, head),
    forget: () => cache.clear(),
  };
}

function misuse(threadId: string, what: string): HoldpointError {
  return new HoldpointError("usage", `nothing was appended to thread ${JSON.stringify(threadId)}: ${what}`);
}

function headMissing(threadId: string): HoldpointError {
  return new HoldpointError("store_corrupt", `the last event of thread ${threadId} is missing`, {
    fix: "Run `holdpoint verify` to see what else is wrong; restore the file from a backup.",
  });
}

function threadNotFound(threadId: string): HoldpointError {
  return new HoldpointError("thread_not_found", `there is no thread ${threadId}`);
}

function leaseLost(threadId: string, number: number): HoldpointError {
  return new HoldpointError("lease_lost", `lease ${number} of thread ${threadId} is no longer held`, {
    fix: "Stop running the thread: another worker has it.",
  });
}

function conflict(threadId: string, expected: number, actual: number): HoldpointError {
  return new HoldpointError("append_conflict", `thread ${threadId} is at event ${actual}, not ${expected}`, {
    fix: "Read the thread again and decide anew.",
  });
}
