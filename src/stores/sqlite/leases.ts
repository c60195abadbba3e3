// Leases and dispatch: who runs a thread, and when it next needs a turn. The number of a lease grows with every change
// of hands and is never lowered, so an append by a former holder is refused (see `append.ts`).
//
// D1. A lease is held until it is given back, or its time is over and another owner takes it. Time alone ends nothing:
//     its holder may append and renew until somebody took it.
// D2. A clock that was set back wedges nothing. A lease that was taken or renewed more than `clockToleranceMs` after
//     now comes from such a clock, and counts as over. A live holder renews within its own time, and so repairs it.
// D3. `lease_until` of a thread that nobody has is up to when it had seen its timers as it parked; null when it did not
//     park. With it `verify` tells a timer that was seen from one that nobody is to be woken for.
import type { DatabaseSync } from "node:sqlite";
import type { Lease, Store } from "../../ports/store.ts";
import { dueTime, readySince } from "./dispatch-time.ts";
import { allRows, firstRow } from "./rows.ts";

type LeaseRequest = Parameters<Store["lease"]>[0];
type ReleaseOptions = Parameters<Store["release"]>[1];
type DueRequest = Parameters<Store["due"]>[0];
type Due = Awaited<ReturnType<Store["due"]>>;

/** How far the clocks of two processes, or of one at two times, may differ before a lease is taken for lost. */
const clockToleranceMs = 5 * 60_000;

interface DispatchRow {
  readonly threadNum: number;
  readonly agent: string;
  readonly headSeq: number;
  readonly ended: number;
  readonly nudged: number;
  readonly crashes: number;
  readonly number: number;
  readonly owner: string | null;
  readonly takenAt: number | null;
  readonly until: number | null;
  readonly leaseSeq: number | null;
}

/** A thread that a worker has, or had when it died. */
export interface LeasedThread {
  readonly threadId: string;
  readonly agent: string;
  /** From when on, in milliseconds since the epoch, another may take it; its worker may renew it until then. */
  readonly until: number;
}

export interface Leases {
  lease(request: LeaseRequest): Lease | null;
  release(lease: Lease, options: ReleaseOptions): void;
  due(request: DueRequest): Due;
  leased(now: number): readonly LeasedThread[];
}

export function createLeases(database: DatabaseSync): Leases {
  const select =
    database.prepare(`SELECT thread_num AS threadNum, agent, head_seq AS headSeq, ended, nudged, crashes,
    lease_number AS number, lease_owner AS owner, lease_at AS takenAt, lease_until AS until, lease_seq AS leaseSeq
    FROM threads JOIN heads USING (thread_num) WHERE thread_id = ?`);
  const take =
    database.prepare(`UPDATE heads SET lease_number = ?, lease_owner = ?, lease_at = ?, lease_until = ?,
    lease_seq = head_seq, crashes = ?, nudged = 0, due_at = ? WHERE thread_num = ?`);
  const renew = database.prepare(
    "UPDATE heads SET lease_at = ?, lease_until = ?, due_at = ? WHERE thread_num = ?",
  );
  const giveBack = database.prepare(`UPDATE heads SET lease_owner = NULL, lease_at = NULL, lease_until = ?,
    lease_seq = NULL, due_at = ? WHERE thread_num = ?`);
  const earliest = database.prepare(`SELECT min(at) AS at FROM (
    SELECT min(due_at) AS at FROM waits WHERE thread_num = ? AND due_at > ? UNION ALL
    SELECT min(expires_at) FROM requests WHERE thread_num = ? AND status = 'open' AND expires_at > ?)`);

  function lease(request: LeaseRequest): Lease | null {
    const row = firstRow<DispatchRow>(select, request.threadId);
    if (!row) return null;
    return request.number === undefined ? takeLease(row, request) : renewLease(row, request);
  }

  function takeLease(row: DispatchRow, { threadId, owner, ttlMs, now, agents }: LeaseRequest): Lease | null {
    if (row.ended || isHeld(row, now) || agents?.includes(row.agent) === false) return null;
    const taken = {
      threadId,
      owner,
      number: row.number + 1,
      until: now + ttlMs,
      crashes: crashesOf(row, now),
    };
    take.run(taken.number, owner, now, taken.until, taken.crashes, taken.until, row.threadNum);
    return taken;
  }

  function renewLease(row: DispatchRow, { threadId, owner, ttlMs, now, number }: LeaseRequest): Lease | null {
    if (row.owner !== owner || row.number !== number) return null;
    const until = now + ttlMs;
    renew.run(now, until, row.ended ? null : until, row.threadNum);
    return { threadId, owner, number, until, crashes: row.crashes };
  }

  function release({ threadId, owner, number }: Lease, options: ReleaseOptions): void {
    const row = firstRow<DispatchRow>(select, threadId);
    if (row?.owner !== owner || row.number !== number) return;
    const { now, retryAt } = options;
    if (row.ended) giveBack.run(null, null, row.threadNum);
    else if (options.parkedAt !== row.headSeq || row.nudged)
      giveBack.run(null, retryAt ?? readySince(now), row.threadNum);
    else giveBack.run(now, earliestAfter(row, now), row.threadNum);
  }

  function earliestAfter(row: DispatchRow, now: number): number | null {
    return firstRow<{ at: number | null }>(earliest, row.threadNum, now, row.threadNum, now)?.at ?? null;
  }

  const held =
    database.prepare(`SELECT thread_id AS threadId, agent, lease_at AS takenAt, lease_until AS until
    FROM heads CROSS JOIN threads USING (thread_num) WHERE lease_at IS NOT NULL AND NOT ended AND lease_until > ?
    ORDER BY lease_until`);

  function leased(now: number): readonly LeasedThread[] {
    return allRows<LeasedThread & { takenAt: number }>(held, now)
      .filter(({ takenAt }) => !isFromTheFuture(takenAt, now))
      .map(({ threadId, agent, until }) => ({ threadId, agent, until }));
  }

  return { lease, release, due: createDue(database), leased };
}

function isHeld({ owner, takenAt, until }: DispatchRow, now: number): boolean {
  return owner !== null && now < (until ?? 0) && !isFromTheFuture(takenAt, now);
}

function isFromTheFuture(takenAt: number | null, now: number): boolean {
  return (takenAt ?? 0) > now + clockToleranceMs; // D2
}

/** Counts leases in a row that ran out without an event. One that a clock ended (D2) proves nothing. */
function crashesOf(row: DispatchRow, now: number): number {
  if (row.owner === null) return 0;
  if (isFromTheFuture(row.takenAt, now)) return row.crashes;
  return row.headSeq === row.leaseSeq ? row.crashes + 1 : 0;
}

interface DueRow {
  readonly threadId: string;
  readonly at: number;
}

// D3. Threads of other agents cost a worker nothing while they are parked, whatever they wait for: those that are due are
//     found by the index of times, up to `now`, and only then by agent. CROSS JOIN keeps SQLite at this order.
function createDue(database: DatabaseSync): (request: DueRequest) => Due {
  const columns =
    "SELECT thread_id AS threadId, due_at AS at FROM heads CROSS JOIN threads USING (thread_num)";
  const ofAgents = "(? IS NULL OR agent IN (SELECT value FROM json_each(?)))";
  const ready = database.prepare(`${columns} WHERE due_at < 0 AND ${ofAgents} ORDER BY due_at LIMIT ?`);
  const timed = database.prepare(
    `${columns} WHERE due_at >= 0 AND due_at <= ? AND ${ofAgents} ORDER BY due_at LIMIT ?`,
  );
  const later = database.prepare(`${columns} WHERE due_at > max(?, -1) ORDER BY due_at LIMIT ?`);
  const futureLeases = database.prepare(
    `${columns} WHERE lease_at > ? AND due_at IS NOT NULL AND ${ofAgents} ORDER BY lease_at LIMIT ?`,
  );

  return ({ now, limit, agents }) => {
    const names = agents === undefined ? null : JSON.stringify(agents);
    const lost = allRows<DueRow>(futureLeases, now + clockToleranceMs, names, names, limit).map((row) => ({
      ...row,
      at: now,
    }));
    const lostIds = new Set(lost.map((row) => row.threadId));
    const isOther = (row: DueRow): boolean => !lostIds.has(row.threadId);
    const dueRows = [
      ...allRows<DueRow>(ready, names, names, limit + 1).map(({ threadId, at }) => ({
        threadId,
        at: Math.min(dueTime(at), now),
      })),
      ...allRows<DueRow>(timed, now, names, names, limit + 1).filter(isOther),
      ...lost,
    ].sort((one, other) => one.at - other.at);
    const next =
      dueRows.length > limit ? now : allRows<DueRow>(later, now, lost.length + 1).find(isOther)?.at;
    return { threadIds: dueRows.slice(0, limit).map((row) => row.threadId), nextDueAt: next ?? null };
  };
}
