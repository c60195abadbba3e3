// B1. The copy is one moment of the store, whatever is written meanwhile: it is read in one transaction.
// B2. Under its name there is a whole and verified copy, or nothing: it is made beside it, checked, flushed, renamed.
import { existsSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { HoldpointError, isHoldpointError } from "../../core/errors.ts";
import { openDatabase } from "./database.ts";
import { storeCorrupt, toStoreError } from "./sqlite-error.ts";
import { openSqliteStore } from "./store.ts";

export interface BackupOptions {
  /** The store's file. Other processes may use it meanwhile; none of them waits for the copy. */
  readonly path: string;
  /** The copy: a file that does not exist, in a folder that does. */
  readonly to: string;
  /** Looked at between copying and verifying. An abort leaves no copy. */
  readonly signal: AbortSignal;
  /** How long to wait for other processes before `store_busy`, in milliseconds. Default 10,000. */
  readonly busyMs?: number;
}

export interface BackupReport {
  readonly threads: number;
  readonly events: number;
  /** Of the copy. */
  readonly bytes: number;
}

/** All pages in one step: a copy in several steps begins anew whenever another process writes. */
const allPages = 2 ** 31 - 1;

/**
 * Copies a store that is in use to one file, and verifies the copy as `holdpoint verify` does.
 *
 * @throws `usage` when there is a file of that name; `store_corrupt` when the copy, and so the store, is damaged; what
 *   opening a store throws; the signal's reason when aborted.
 */
export async function backupSqliteStore(options: BackupOptions): Promise<BackupReport> {
  const { path, signal, busyMs = 10_000 } = options;
  const to = resolve(options.to);
  if (existsSync(to)) throw fileIsThere(options.to);
  const unfinished = `${to}.unfinished`;
  try {
    await copy({ path, busyMs, to: unfinished });
    signal.throwIfAborted();
    const { threads, events } = await verified(unfinished, path);
    signal.throwIfAborted();
    const bytes = (await stat(unfinished)).size;
    await flush(unfinished);
    await rename(unfinished, to);
    await flush(dirname(to));
    return { threads, events, bytes };
  } catch (error) {
    await rm(unfinished, { force: true });
    throw isHoldpointError(error) ? error : (toStoreError(error, options.to) ?? error);
  }
}

async function copy(request: {
  readonly path: string;
  readonly busyMs: number;
  readonly to: string;
}): Promise<void> {
  const { path, busyMs, to } = request;
  await rm(to, { force: true }); // of a run that was killed
  const database = await openDatabase({ path, readOnly: true, busyMs });
  try {
    await backup(database, to, { rate: allPages });
  } finally {
    database.close();
  }
  const copied = new DatabaseSync(to);
  try {
    copied.exec("PRAGMA journal_mode = DELETE"); // one file, with no log beside it; whoever opens it as a store keeps one again
  } finally {
    copied.close();
  }
}

async function verified(
  copied: string,
  path: string,
): Promise<{ readonly threads: number; readonly events: number }> {
  const store = await openSqliteStore({ path: copied, readOnly: true });
  try {
    const { problems, ...counts } = await store.verify({});
    if (problems.length > 0) throw storeCorrupt(path);
    return counts;
  } finally {
    await store.close();
  }
}

/** A file's bytes, or a folder's names, on the disk. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function fileIsThere(to: string): HoldpointError {
  return new HoldpointError("usage", `${to} is there already, and no backup replaces a file`, {
    fix: 'Name a new file, such as backup-"$(date +%F)".db.',
  });
}
