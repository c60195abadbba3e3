// I2. Applies what `projectionDelta` says of an event to the projections, in the transaction that appends it.
// `fold.ts` says the same without SQL; `verify` compares the two.
//
// P1. An ended thread waits for nothing: its waits are cleared, its open requests withdrawn, and later ones never open.
// P2. A signal that no open wait takes is kept for the next wait for it, which then never opens.
import type { DatabaseSync } from "node:sqlite";
import type { EventOf } from "../../core/events.ts";
import type { Delta } from "../../core/projection.ts";
import { threadColumns } from "./columns.ts";
import { readySince, toMs } from "./dispatch-time.ts";
import { firstRow } from "./rows.ts";
import { createTallies } from "./tallies.ts";

/** The place of an event, and what it changes. */
interface PlacedEvent {
  readonly threadNum: number;
  readonly eventId: number;
  readonly seq: number;
  readonly at: string;
  readonly delta: Delta;
}

export interface Projector {
  /** Adds the row of a new thread. @returns its `thread_num`. */
  addThread(threadId: string, started: EventOf<"thread_started">): number;
  apply(event: PlacedEvent): void;
}

export function createProjector(database: DatabaseSync): Projector {
  const insertThread = database.prepare(`INSERT INTO threads
    (thread_id, agent, agent_version, title, parent_id, created_at, status) VALUES (?, ?, ?, ?, ?, ?, 'running')`);
  const selectEnded = database.prepare("SELECT ended FROM heads WHERE thread_num = ?");
  const addToTotals = database.prepare(`UPDATE threads SET decisions = decisions + ?,
    input_tokens = input_tokens + ?, output_tokens = output_tokens + ? WHERE thread_num = ?`);
  const refreshStatus = database.prepare(`UPDATE threads SET status = CASE
    WHEN EXISTS (SELECT 1 FROM waits WHERE thread_num = ?) THEN 'waiting'
    WHEN EXISTS (SELECT 1 FROM requests WHERE thread_num = ? AND status = 'open') THEN 'waiting'
    ELSE 'running' END WHERE thread_num = ?`);
  const waits = createWaits(database);
  const requests = createRequests(database);
  const end = createThreadEnd(database);
  const tallies = createTallies(database);

  function addThread(threadId: string, started: EventOf<"thread_started">): number {
    const { agent, agentVersion, title, parentId, createdAt } = threadColumns(started);
    const row = insertThread.run(threadId, agent, agentVersion, title, parentId, createdAt);
    return Number(row.lastInsertRowid);
  }

  function apply(event: PlacedEvent): void {
    const { threadNum, delta } = event;
    addTotals(threadNum, delta);
    if (delta.counted) tallies.add(threadNum, event.at, delta.counted);
    if (!changesWaiting(delta)) return;
    const ended = firstRow<{ ended: number }>(selectEnded, threadNum)?.ended === 1;
    requests.apply(event, ended);
    if (ended) return;
    waits.apply(event);
    if (delta.outcome) end.apply(event, delta.outcome);
    else refreshStatus.run(threadNum, threadNum, threadNum);
  }

  function addTotals(threadNum: number, { decisions = 0, inputTokens = 0, outputTokens = 0 }: Delta): void {
    if (decisions || inputTokens || outputTokens)
      addToTotals.run(decisions, inputTokens, outputTokens, threadNum);
  }

  return { addThread, apply };
}

function changesWaiting(delta: Delta): boolean {
  return (
    delta.outcome !== undefined ||
    delta.waitOpened !== undefined ||
    delta.waitClosed !== undefined ||
    delta.signalled !== undefined ||
    delta.requestOpened !== undefined ||
    delta.requestChanged !== undefined ||
    delta.requestClosed !== undefined
  );
}

function createWaits(database: DatabaseSync) {
  const open =
    database.prepare(`INSERT INTO waits (thread_num, key, seq, signal, due_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET seq = excluded.seq, signal = excluded.signal, due_at = excluded.due_at`);
  const close = database.prepare("DELETE FROM waits WHERE thread_num = ? AND key = ?");
  const closeFor = database.prepare("DELETE FROM waits WHERE thread_num = ? AND signal = ?");
  const keep = database.prepare(`INSERT INTO untaken_signals (thread_num, signal, untaken) VALUES (?, ?, 1)
    ON CONFLICT DO UPDATE SET untaken = untaken + 1`);
  const take = database.prepare(
    "UPDATE untaken_signals SET untaken = untaken - 1 WHERE thread_num = ? AND signal = ?",
  );
  const forget = database.prepare(
    "DELETE FROM untaken_signals WHERE thread_num = ? AND signal = ? AND untaken = 0",
  );

  function apply({ threadNum, seq, delta }: PlacedEvent): void {
    if (delta.waitClosed !== undefined) close.run(threadNum, delta.waitClosed);
    if (delta.signalled !== undefined) receive(threadNum, delta.signalled);
    if (!delta.waitOpened) return;
    const { key, dueAt, signal } = delta.waitOpened;
    if (signal !== null && takeUntaken(threadNum, signal)) return;
    open.run(threadNum, key, seq, signal, toMs(dueAt));
  }

  function receive(threadNum: number, signal: string): void {
    if (closeFor.run(threadNum, signal).changes === 0) keep.run(threadNum, signal);
  }

  function takeUntaken(threadNum: number, signal: string): boolean {
    if (take.run(threadNum, signal).changes === 0) return false;
    forget.run(threadNum, signal);
    return true;
  }

  return { apply };
}

function createRequests(database: DatabaseSync) {
  const open =
    database.prepare(`INSERT INTO requests (event_id, thread_num, request_id, status, opened_at, expires_at)
    VALUES (?, ?, ?, ?, ?, ?)`);
  const change = database.prepare(
    "UPDATE requests SET closing_id = ? WHERE thread_num = ? AND status = 'open' AND request_id = ?",
  );
  const move = database.prepare(`UPDATE requests SET closing_id = ?, expires_at = ?
    WHERE thread_num = ? AND status = 'open' AND request_id = ?`);
  const close = database.prepare(`UPDATE requests SET status = ?, closing_id = ?
    WHERE thread_num = ? AND status = 'open' AND request_id = ?`);

  function apply({ threadNum, eventId, at, delta }: PlacedEvent, ended: boolean): void {
    const { requestOpened: opened, requestChanged: changed, requestClosed: closed } = delta;
    if (opened) {
      const status = ended ? "withdrawn" : "open";
      open.run(eventId, threadNum, opened.requestId, status, at, toMs(opened.expiresAt));
    }
    if (changed?.expiresAt === undefined) {
      if (changed) change.run(eventId, threadNum, changed.requestId);
    } else move.run(eventId, toMs(changed.expiresAt), threadNum, changed.requestId);
    if (closed) close.run(closed.status, eventId, threadNum, closed.requestId);
  }

  return { apply };
}

/** P1, and the wake-up of a parent: one that is being run is nudged, so that it does not park without looking. */
function createThreadEnd(database: DatabaseSync) {
  const statements = [
    "DELETE FROM waits WHERE thread_num = ?",
    "DELETE FROM untaken_signals WHERE thread_num = ?",
    "UPDATE requests SET status = 'withdrawn' WHERE thread_num = ? AND status = 'open'",
    "UPDATE heads SET ended = 1, due_at = NULL WHERE thread_num = ?",
  ].map((sql) => database.prepare(sql));
  const setOutcome = database.prepare("UPDATE threads SET status = ? WHERE thread_num = ?");
  const wakeParent = database.prepare(`UPDATE heads SET nudged = 1,
    due_at = CASE WHEN lease_owner IS NULL AND due_at IS NOT NULL AND due_at < 0 THEN due_at
                  WHEN lease_owner IS NULL THEN ? ELSE due_at END
    WHERE ended = 0 AND thread_num =
      (SELECT thread_num FROM threads WHERE thread_id = (SELECT parent_id FROM threads WHERE thread_num = ?))`);

  function apply({ threadNum, at }: PlacedEvent, outcome: string): void {
    for (const statement of statements) statement.run(threadNum);
    setOutcome.run(outcome, threadNum);
    wakeParent.run(readySince(Date.parse(at)), threadNum);
  }

  return { apply };
}
