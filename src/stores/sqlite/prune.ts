// I1. A log is removed as a whole or not at all, and with it the logs of its parent and its children: what stays tells
// its whole story.
//
// R1. A tree goes in one transaction: all events, and every row that is computed from them.
// R2. Values go after the trees, by what the events that stay say, however the run before ended. They are looked for as
//     text: what only looks like a reference keeps a value, and no reference is missed. Events that were appended after
//     the look are looked at in the transaction that removes.
// R3. The newest event and the newest thread of the file stay. Their numbers would be given away again, and other
//     processes remember heads by number.
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isHoldpointError } from "../../core/errors.ts";
import { retryWhileBusy } from "./busy.ts";
import { openDatabase } from "./database.ts";
import { createRemoveTree, type KeptTree } from "./remove-tree.ts";
import { allRows } from "./rows.ts";
import { toStoreError } from "./sqlite-error.ts";
import { createValueSweep, type SweptValues } from "./sweep-values.ts";

export interface PruneOptions {
  /** The store's file. Other processes may use it meanwhile. */
  readonly path: string;
  /** Removed are trees of threads that all ended, and took their last event, before this time. */
  readonly endedBefore: Date;
  /** What leases are held against. */
  readonly now: Date;
  /** Counts and changes nothing. Default false. */
  readonly dryRun?: boolean;
  /** Ends the run between two transactions: what was removed stays removed, and a later run goes on. */
  readonly signal: AbortSignal;
  /** Told after every transaction, and while events are read. What it throws ends the run. */
  readonly onProgress?: (progress: PruneProgress) => void;
  /** How long to wait for other processes before `store_busy`, in milliseconds. Default 10,000. */
  readonly busyMs?: number;
}

export type PruneProgress =
  | { readonly phase: "threads"; readonly threads: number }
  /** The number of the event that was read last, to find which values it refers to, and of the newest. */
  | { readonly phase: "events"; readonly at: number; readonly of: number }
  | { readonly phase: "artifacts"; readonly artifacts: number };

export interface PruneReport {
  readonly threads: number;
  readonly events: number;
  readonly artifacts: number;
  /** Of the artifacts' text. */
  readonly artifactBytes: number;
  /** Trees with a thread that ended before the time given, which stay. */
  readonly kept: readonly KeptTree[];
}

/**
 * Removes old threads from a store, and the artifacts that no remaining event refers to. It runs beside workers: each
 * transaction holds one tree of threads, or some 20 ms of artifacts. After a crash it is run again. The room in the
 * file is used again; the file does not get smaller.
 *
 * @throws what opening a store throws; the signal's reason when aborted.
 */
export async function pruneSqliteStore(options: PruneOptions): Promise<PruneReport> {
  const { path, dryRun = false, busyMs = 10_000 } = options;
  const database = await openDatabase({ path, readOnly: dryRun, busyMs });
  try {
    return await prune(database, options);
  } catch (error) {
    throw isHoldpointError(error) ? error : (toStoreError(error, path) ?? error);
  } finally {
    database.close();
  }
}

async function prune(database: DatabaseSync, options: PruneOptions): Promise<PruneReport> {
  const { onProgress = () => {}, signal, dryRun = false } = options;
  const inTransaction = transactions(database, options);
  const endedBefore = options.endedBefore.toISOString();
  const removeTree = createRemoveTree(database, { endedBefore, nowMs: options.now.getTime(), dryRun });
  const kept = new Map<number, KeptTree>();
  const removedNums = new Set<number>(); // of a dry run, which leaves them there
  let [threads, events] = [0, 0];

  for (const candidate of candidates(database, endedBefore)) {
    signal.throwIfAborted();
    if (removedNums.has(candidate)) continue;
    const outcome = await inTransaction(() => removeTree(candidate, (rootNum) => kept.has(rootNum)));
    if (outcome.kind === "kept") kept.set(outcome.rootNum, outcome.tree);
    if (outcome.kind !== "removed") continue;
    threads += outcome.threadNums.length;
    events += outcome.events;
    if (dryRun) for (const num of outcome.threadNums) removedNums.add(num);
    onProgress({ phase: "threads", threads });
    await nextTurn();
  }

  const sweep = createValueSweep(database, { dryRun, without: removedNums });
  const swept = await sweepValues(sweep, inTransaction, options);
  return { threads, events, ...swept, kept: [...kept.values()] };
}

type Transaction = <T>(action: () => T) => Promise<T>;

/** Runs an action in a transaction; other processes may hold it up. */
function transactions(
  database: DatabaseSync,
  { path, busyMs = 10_000, dryRun = false }: PruneOptions,
): Transaction {
  const begin = dryRun ? "BEGIN" : "BEGIN IMMEDIATE";
  return (action) =>
    retryWhileBusy(path, busyMs, () => {
      database.exec(begin);
      try {
        const result = action();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    });
}

/** Numbers of the threads that ended in time, a page at a time. */
function* candidates(database: DatabaseSync, endedBefore: string): Generator<number> {
  const page = database.prepare(`SELECT thread_num AS num FROM heads
    WHERE thread_num > ? AND ended = 1 AND updated_at < ? ORDER BY thread_num LIMIT 500`);
  for (let last = 0; ; ) {
    const rows = allRows<{ num: number }>(page, last, endedBefore);
    for (const { num } of rows) yield num;
    const end = rows.at(-1)?.num ?? last;
    if (end <= last) return;
    last = end;
  }
}

async function sweepValues(
  sweep: ReturnType<typeof createValueSweep>,
  inTransaction: Transaction,
  { path, busyMs = 10_000, signal, onProgress = () => {} }: PruneOptions,
): Promise<SweptValues> {
  const total = { artifacts: 0, artifactBytes: 0 };
  while (sweep.nextPass()) {
    for (let isMore = true; isMore; ) {
      signal.throwIfAborted();
      isMore = await retryWhileBusy(path, busyMs, sweep.look);
      onProgress({ phase: "events", ...sweep.looked() });
      await nextTurn();
    }
    for (let isMore = true; isMore; ) {
      signal.throwIfAborted();
      const swept = await inTransaction(sweep.remove);
      total.artifacts += swept.artifacts;
      total.artifactBytes += swept.artifactBytes;
      isMore = swept.isMore;
      onProgress({ phase: "artifacts", artifacts: total.artifacts });
      await nextTurn();
    }
  }
  return total;
}
