// B1. The copy is one moment of the store, whatever is written meanwhile: it is read in one transaction.
// B2. Under its name there is a whole and verified copy, or nothing: it is made beside it under a name of its own, checked,
//     flushed, and given its name. No file that is there is touched, also when several backups are made at once.
// B3. The copy is its owner's alone, as the store is.
import { randomBytes } from "node:crypto";
import { lstatSync } from "node:fs";
import { link, open, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { errorCode } from "../../core/error-code.ts";
import { HoldpointError, isHoldpointError } from "../../core/errors.ts";
import type { Problem } from "../../ports/store.ts";
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
 * @throws `usage` when there is a file of that name, or no such folder; `store_read_only` and `store_full` by its folder; `store_corrupt` when the copy, and so the store, is damaged; what
 *   opening a store throws; the signal's reason when aborted.
 */
export async function backupSqliteStore(options: BackupOptions): Promise<BackupReport> {
  const { path, signal, busyMs = 10_000 } = options;
  const to = resolve(options.to);
  if (isThere(to)) throw fileIsThere(options.to);
  assertNotBeside(resolve(path), to);
  const unfinished = `${to}.${randomBytes(6).toString("hex")}.unfinished`; // another's may be under way
  try {
    await copy({ path, busyMs, to: unfinished });
    signal.throwIfAborted();
    const { threads, events } = await verified(unfinished, path);
    signal.throwIfAborted();
    const bytes = (await stat(unfinished)).size;
    await flush(unfinished);
    await publish(unfinished, to);
    await flush(dirname(to));
    return { threads, events, bytes };
  } catch (error) {
    await rm(unfinished, { force: true });
    throw isHoldpointError(error) ? error : (toStoreError(error, to) ?? toFolderError(error, to) ?? error);
  }
}

async function copy(request: {
  readonly path: string;
  readonly busyMs: number;
  readonly to: string;
}): Promise<void> {
  const { path, busyMs, to } = request;
  const database = await openDatabase({ path, readOnly: true, busyMs });
  try {
    await (await open(to, "wx", 0o600)).close(); // B3: SQLite would make it for all to read
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
    if (problems.length > 0) throw damaged(path, problems);
    return counts;
  } finally {
    await store.close();
  }
}

/** A copy of a damaged store would pass for a sound one. What is damaged may be one thread of many, so it is named. */
function damaged(path: string, problems: readonly Problem[]): HoldpointError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems, the first`;
  const first = problems
    .slice(0, 1)
    .map(({ kind, threadId, message }) =>
      [kind, threadId, message].filter((part) => part !== null).join(" "),
    );
  const { code, fix } = storeCorrupt(path);
  return new HoldpointError(code, `${path} is damaged, so no copy was made. ${count}: ${first.join()}`, {
    fix,
  });
}

/** As `rename`, but what came to be there meanwhile stays; where the disk knows no links, all but that is checked. */
async function publish(unfinished: string, to: string): Promise<void> {
  try {
    await link(unfinished, to);
  } catch {
    if (isThere(to)) throw fileIsThere(to);
    return rename(unfinished, to);
  }
  await rm(unfinished);
}

/** Also a link that leads nowhere is a file of that name. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw toFolderError(error, path) ?? error; // it lies in a file
  }
}

/** SQLite takes these for its own, and removes what it does not understand. @throws `usage` */
function assertNotBeside(path: string, to: string): void {
  if (!["-wal", "-shm", "-journal"].some((end) => to === `${path}${end}`)) return;
  throw new HoldpointError("usage", `${to} is a name that SQLite keeps for the store's own files`, {
    fix: 'Name another file, such as backup-"$(date +%F)".db.',
  });
}

/** What the copy's folder refuses; `null` for what is no error of a file system. */
function toFolderError(error: unknown, to: string): HoldpointError | null {
  switch (errorCode(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return new HoldpointError("usage", `there is no folder ${dirname(to)}`, {
        fix: "Make the folder first, or name a file in one that is there.",
        cause: error,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new HoldpointError("store_read_only", `this user cannot write in ${dirname(to)}`, {
        fix: "Name a file in a folder that this user may write in.",
        cause: error,
      });
    case "ENOSPC":
    case "EDQUOT":
      return new HoldpointError("store_full", `no space left for ${to}`, {
        fix: "Free some disk space, or name a file on another disk.",
        retryable: true,
        cause: error,
      });
    default:
      return null;
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
