// Operations that arrive in one turn of the event loop are committed in one transaction: the disk is waited for once.
import type { DatabaseSync } from "node:sqlite";
import type { HoldpointError } from "../../core/errors.ts";
import { busyDelayMs } from "./busy.ts";
import { isBusy, isEnvironmental, storeBusy, toStoreError } from "./sqlite-error.ts";

/** An operation's answer when it declines, having written nothing. Its promise rejects; its group goes on. */
export class Refusal {
  readonly error: HoldpointError;

  constructor(error: HoldpointError) {
    this.error = error;
  }
}

export interface GroupCommitOptions {
  readonly database: DatabaseSync;
  readonly path: string;
  /** How long a group waits for other processes, in milliseconds, before it is rejected with `store_busy`. */
  readonly busyMs: number;
  /** Called at the start of each transaction. */
  readonly onBegin: () => void;
  /** Called before a group's COMMIT. What it throws counts as the commit's error. */
  readonly beforeCommit: (operations: number) => void;
  /** Called after a rollback, when nothing that was read or written in the transaction may be remembered. */
  readonly onRollback: () => void;
}

export interface GroupCommit {
  /**
   * Runs `operation` in the next group's transaction. It may run again, after a rollback. One that throws is rolled
   * back and rejected alone, unless the disk was at fault: then its whole group is.
   */
  run<T>(operation: () => T | Refusal): Promise<T>;
  /** Resolves when nothing is queued. */
  drain(): Promise<void>;
}

interface Entry {
  readonly operation: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  result: unknown;
}

/** A transaction's length is what other processes wait for. */
const maxGroup = 512;
/** More waiting operations than this are a caller that does not wait. */
const maxQueued = 100_000;

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  const { database, path } = options;
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const drained: (() => void)[] = [];
  let queue: Entry[] = [];
  let scheduled = false;
  let busySince: number | null = null;

  function run<T>(operation: () => T | Refusal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (queue.length >= maxQueued) return reject(storeBusy(path, undefined));
      queue.push({ operation, resolve, reject, result: undefined });
      schedule();
    });
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  }

  function flush(): void {
    scheduled = false;
    if (beginGroup()) {
      const group = takeGroup();
      if (performGroup(group)) settle(group);
    }
    if (queue.length > 0) schedule();
    else for (const resolve of drained.splice(0)) resolve();
  }

  /** Other operations may join the queue while it waits for another process. */
  function beginGroup(): boolean {
    try {
      begin.run();
      busySince = null;
      return true;
    } catch (error) {
      if (isBusy(error)) waitForOthers(error);
      else {
        rollBack();
        rejectAll(takeGroup(), error);
      }
      return false;
    }
  }

  function waitForOthers(error: unknown): void {
    busySince ??= performance.now();
    if (performance.now() - busySince < options.busyMs) {
      scheduled = true;
      setTimeout(flush, busyDelayMs());
      return;
    }
    busySince = null;
    rejectAll(queue.splice(0), error);
  }

  function takeGroup(): Entry[] {
    if (queue.length > maxGroup) return queue.splice(0, maxGroup);
    const group = queue;
    queue = [];
    return group;
  }

  function performGroup(group: readonly Entry[]): boolean {
    let current: Entry | null = null;
    try {
      options.onBegin();
      for (const entry of group) {
        current = entry;
        entry.result = entry.operation();
      }
      current = null;
      options.beforeCommit(group.length);
      commit.run();
      return true;
    } catch (error) {
      rollBack();
      if (current === null || isEnvironmental(error)) rejectAll(group, error);
      else retryWithout(current, group, error);
      return false;
    }
  }

  function rollBack(): void {
    options.onRollback();
    try {
      if (database.isTransaction) database.exec("ROLLBACK"); // SQLite rolls back by itself after some errors
    } catch {
      // The error that led here is the one to tell; BEGIN will tell if the connection is of no more use.
    }
  }

  function retryWithout(culprit: Entry, group: readonly Entry[], error: unknown): void {
    rejectAll([culprit], error);
    queue = [...group.filter((entry) => entry !== culprit), ...queue];
  }

  function rejectAll(entries: readonly Entry[], error: unknown): void {
    const reason = toStoreError(error, path) ?? error;
    for (const entry of entries) entry.reject(reason);
  }

  function drain(): Promise<void> {
    if (queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => drained.push(resolve));
  }

  return { run, drain };
}

function settle(group: readonly Entry[]): void {
  for (const { result, resolve, reject } of group) {
    if (result instanceof Refusal) reject(result.error);
    else resolve(result as never); // `run` paired this entry's operation with its own promise
  }
}
