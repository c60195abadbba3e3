import type { DatabaseSync } from "node:sqlite";
import { dayOf } from "../../core/cumulative.ts";
import { checkLog } from "./check-log.ts";
import { createLogFinder } from "./found-log.ts";
import { allRows, firstRow } from "./rows.ts";

export type KeptReason =
  /** A thread of the tree has not ended. */
  | "open"
  /** A thread of the tree took an event after the time given. */
  | "later"
  /** A worker still holds a thread of the tree. */
  | "held"
  /** An action of the tree counts towards a limit of today. */
  | "counted"
  /** It holds the newest event or thread of the file, and goes as soon as there is a newer one. */
  | "newest"
  /** A log is not what was appended, and stays as evidence: `verify` tells more. */
  | "damaged";

export interface KeptTree {
  /** The outermost parent. */
  readonly rootId: string;
  /** Threads in the tree. */
  readonly threads: number;
  readonly why: KeptReason;
  /** The first thread that keeps it. */
  readonly threadId: string;
}

type TreeOutcome =
  | { readonly kind: "gone" }
  | { readonly kind: "kept"; readonly rootNum: number; readonly tree: KeptTree }
  | { readonly kind: "removed"; readonly threadNums: readonly number[]; readonly events: number };

export interface RemoveTreeOptions {
  /** ISO 8601, UTC. */
  readonly endedBefore: string;
  readonly nowMs: number;
  readonly dryRun: boolean;
}

/** Removes the tree of a thread, or says what keeps it. To be run in a transaction. */
export type RemoveTree = (threadNum: number, isKnown: (rootNum: number) => boolean) => TreeOutcome;

interface Member {
  readonly num: number;
  readonly id: string;
  readonly headSeq: number | null;
  readonly headId: number | null;
  readonly ended: number | null;
  readonly updatedAt: string | null;
  readonly leaseUntil: number | null;
  /** The last day on which it counts. */
  readonly countedOn: string | null;
}

export function createRemoveTree(database: DatabaseSync, options: RemoveTreeOptions): RemoveTree {
  const parents = database.prepare(`WITH RECURSIVE up (num, parent_id) AS (
    SELECT thread_num, parent_id FROM threads WHERE thread_num = ?
    UNION SELECT t.thread_num, t.parent_id FROM up JOIN threads t ON t.thread_id = up.parent_id
  ) SELECT num FROM up`);
  const members = database.prepare(`WITH RECURSIVE tree (num, id) AS (
    SELECT thread_num, thread_id FROM threads WHERE thread_num = ?
    UNION SELECT t.thread_num, t.thread_id FROM tree JOIN threads t ON t.parent_id = tree.id
  ) SELECT num, id, head_seq AS headSeq, head_id AS headId, ended, updated_at AS updatedAt,
    iif(lease_owner IS NULL, NULL, lease_until) AS leaseUntil,
    (SELECT max(day) FROM tallies WHERE thread_num = num) AS countedOn
    FROM tree LEFT JOIN heads ON thread_num = num`);
  const newest = database.prepare(
    "SELECT (SELECT max(id) FROM events) AS eventId, (SELECT max(thread_num) FROM heads) AS num",
  );
  const isDamaged = createDamageCheck(database);
  const removeLog = createRemoveLog(database);

  return (threadNum, isKnown) => {
    const rootNum = allRows<{ num: number }>(parents, threadNum).at(-1)?.num;
    if (rootNum === undefined || isKnown(rootNum)) return { kind: "gone" };
    const tree = allRows<Member>(members, rootNum);
    const { eventId, num } = firstRow<{ eventId: number; num: number }>(newest) ?? { eventId: 0, num: 0 };
    const keptBy = (why: KeptReason, { id }: Member): TreeOutcome => ({
      kind: "kept",
      rootNum,
      tree: { rootId: tree[0]?.id ?? id, threads: tree.length, why, threadId: id },
    });
    for (const member of tree) {
      const isNewest = member.headId === eventId || member.num === num;
      const why = whyKept(member, options) ?? (isNewest ? "newest" : null);
      if (why !== null) return keptBy(why, member);
    }
    const damaged = tree.find(isDamaged);
    if (damaged) return keptBy("damaged", damaged);
    if (!options.dryRun) for (const member of tree) removeLog.remove(member);
    const events = tree.reduce((sum, { headSeq }) => sum + (headSeq ?? 0), 0);
    return { kind: "removed", threadNums: tree.map((member) => member.num), events };
  };
}

function whyKept(
  { headSeq, ended, updatedAt, leaseUntil, countedOn }: Member,
  { endedBefore, nowMs }: RemoveTreeOptions,
): KeptReason | null {
  if (headSeq === null) return "damaged";
  if (ended !== 1) return "open";
  if (updatedAt === null || updatedAt >= endedBefore) return "later";
  if (leaseUntil !== null && leaseUntil > nowMs) return "held";
  return countedOn !== null && countedOn >= dayOf(new Date(nowMs).toISOString()) ? "counted" : null;
}

/** Whether a log lacks events, or one that is not what was appended: its chain is computed anew. */
function createDamageCheck(database: DatabaseSync) {
  const logs = createLogFinder(database);
  return ({ num, id, headSeq, headId }: Member): boolean => {
    if (headSeq === null || headId === null) return true;
    const log = logs.find({ threadNum: num, threadId: id, headSeq, headId });
    return checkLog(log).problems.length > 0;
  };
}

function createRemoveLog(database: DatabaseSync) {
  const walk = `WITH RECURSIVE log (id, prev) AS (
    SELECT id, prev FROM events WHERE id = ? AND thread_num = ?
    UNION ALL SELECT e.id, e.prev FROM log JOIN events e ON e.id = log.prev
    WHERE e.id < log.id AND e.thread_num = ?
  )`;
  const removeEvents = database.prepare(`${walk} DELETE FROM events WHERE id IN (SELECT id FROM log)`);
  const removeRows = [
    "deliveries",
    "requests",
    "waits",
    "untaken_signals",
    "tallies",
    "thread_numbers",
    "thread_facts",
    "threads",
    "heads",
  ].map((table) => database.prepare(`DELETE FROM ${table} WHERE thread_num = ?`));

  return {
    remove({ headId, num }: Member): void {
      removeEvents.run(headId, num, num);
      for (const statement of removeRows) statement.run(num);
    },
  };
}
