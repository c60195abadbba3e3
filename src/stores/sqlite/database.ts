import { accessSync, closeSync, constants, mkdirSync, openSync, type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { errorCode } from "../../core/error-code.ts";
import { HoldpointError, isHoldpointError } from "../../core/errors.ts";
import { retryWhileBusy } from "./busy.ts";
import { applicationId, currentVersion, migrate, pragma, schemaVersion } from "./schema.ts";
import { storeCorrupt, storeReadOnly, toStoreError } from "./sqlite-error.ts";

export interface DatabaseOptions {
  readonly path: string;
  readonly readOnly: boolean;
  /** How long to wait for other processes, in milliseconds. */
  readonly busyMs: number;
}

/**
 * Opens a store's file, creating it and its folder unless `readOnly`.
 *
 * @throws `store_corrupt`, `store_newer`, `store_read_only`, `store_busy`, `store_full`, `store_unavailable`, or `usage`
 *   for a path that cannot be a store's.
 */
export async function openDatabase(options: DatabaseOptions): Promise<DatabaseSync> {
  const path = resolve(options.path);
  if (options.readOnly) checkReadable(path);
  else checkWritable(path);
  try {
    return await retryWhileBusy(path, options.busyMs, () => connect(path, options.readOnly));
  } catch (error) {
    throw isHoldpointError(error) ? error : (toStoreError(error, path) ?? error);
  }
}

function connect(path: string, readOnly: boolean): DatabaseSync {
  if (!readOnly) return configured(path, new DatabaseSync(path, settings), prepareForWriting);
  try {
    return configured(path, new DatabaseSync(path, { ...settings, readOnly }), checkVersion);
  } catch (error) {
    const unwritable = ["store_read_only", "store_unavailable"];
    if (!unwritable.includes(toStoreError(error, path)?.code ?? "")) throw error;
    return connectImmutable(path);
  }
}

// Waiting inside SQLite would stop the event loop (`timeout: 0`): `retryWhileBusy` waits instead.
const settings = { timeout: 0, enableForeignKeyConstraints: false } as const;

/** Reading needs no other file only if SQLite is told that nobody writes: a closed store on a read-only disk. */
function connectImmutable(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  return configured(path, new DatabaseSync(url, { ...settings, readOnly: true }), checkVersion);
}

function configured(
  path: string,
  database: DatabaseSync,
  configure: (database: DatabaseSync, path: string) => void,
): DatabaseSync {
  try {
    checkOwner(database, path);
    configure(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * The write-ahead log goes into the file every 16 MB (4,000 pages; SQLite's default is 1,000): a step's two commits
 * write some ten pages, and moving them less often takes 5 % off a step. A crash leaves no more than that to be read.
 */
const writerSettings = `PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;
  PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864`;

function prepareForWriting(database: DatabaseSync, path: string): void {
  const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
  if (mode !== "wal") throw noWal(path, String(mode));
  database.exec(writerSettings);
  migrate(database);
}

function checkVersion(database: DatabaseSync, path: string): void {
  database.exec("PRAGMA cache_size = -16000");
  if (statOf(path)?.size === 0)
    throw new HoldpointError("usage", `${path} is an empty file: there is no store in it yet`, {
      fix: "Start a thread, which makes one; if there were threads here, restore the file from a backup.",
    });
  if (schemaVersion(database) < currentVersion)
    throw storeReadOnly(`${path}, whose tables are of an older version,`);
}

/** One transaction, so that a file which another process is just creating is seen either before or after. */
function checkOwner(database: DatabaseSync, path: string): void {
  database.exec("BEGIN");
  const owner = pragma(database, "application_id");
  const version = schemaVersion(database);
  const tables = Number(database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.tables);
  database.exec("COMMIT");
  const isNew = owner === 0 && version === 0 && tables === 0;
  if (owner !== applicationId && !isNew) throw foreign(path);
  if (version > currentVersion) throw newer(path, version);
}

function checkReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    if (errorCode(error) === "EACCES") throw notReadable(path, error);
  }
  const size = saneSize(path);
  if (size === null) {
    throw new HoldpointError("usage", `there is no store at ${path}`, { fix: "Name the file of a store." });
  }
}

function checkWritable(path: string): void {
  try {
    makeFolder(dirname(path));
    const isThere = saneSize(path) !== null;
    if (isThere) accessSync(path, constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
    if (!isThere) makeFile(path);
  } catch (error) {
    throw isHoldpointError(error) ? error : fileError(path, error);
  }
}

/** Bytes of SQLite's smallest page. */
const smallestDatabase = 512;

/**
 * The size of the file, `null` when there is none. A file too small for what it was would be started anew by SQLite, and
 * what is left of it would be gone, so it is refused. An empty one alone is a new store.
 */
function saneSize(path: string): number | null {
  const logSize = sizeOf(`${path}-wal`); // first: the file has its first page before there is a log
  const size = sizeOf(path);
  const wasEmptied = size === 0 && logSize !== null && logSize > 0;
  if (wasEmptied || (size !== null && size > 0 && size < smallestDatabase)) throw storeCorrupt(path);
  return size;
}

/** @returns `null` when there is no such file. */
function sizeOf(path: string): number | null {
  const stats = statOf(path);
  if (stats?.isDirectory()) throw fileError(path, { code: "EISDIR" });
  return stats?.size ?? null;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw fileError(path, error);
  }
}

/** Its owner's alone, as are the files beside it, to which SQLite gives the rights of this one. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error; // another process made it just now
  }
}

/** Not `recursive`: where the parent cannot hold folders (`/proc`), Node 24.21 then never comes back. */
function makeFolder(folder: string, mode = 0o700): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) throw fileError(folder, { code: "ENOTDIR" });
  makeFolder(dirname(folder), 0o777); // only the store's own is closed to others
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error; // another process made it just now
  }
}

function fileError(path: string, cause: unknown): HoldpointError {
  switch (errorCode(cause)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return storeReadOnly(path, cause);
    case "ENOSPC":
    case "EDQUOT":
      return new HoldpointError("store_full", `no space left for ${path}`, { retryable: true, cause });
    case "EISDIR":
    case "ENOTDIR":
    case "EEXIST":
      return new HoldpointError("usage", `${path} is a folder, or lies in a file`, {
        fix: "Name a file, in a folder that exists or can be made.",
        cause,
      });
    default:
      return new HoldpointError("store_unavailable", `${path} cannot be opened`, { retryable: true, cause });
  }
}

function notReadable(path: string, cause: unknown): HoldpointError {
  return new HoldpointError("usage", `this user may not read ${path}`, {
    fix: "Run it as the user whose store it is, or have them give the right to read the file and to enter its folder.",
    cause,
  });
}

function foreign(path: string): HoldpointError {
  return new HoldpointError("usage", `${path} is the database of another program`, {
    fix: "Name another file.",
  });
}

function newer(path: string, version: number): HoldpointError {
  return new HoldpointError(
    "store_newer",
    `${path} has tables of version ${version}; this Holdpoint knows ${currentVersion}`,
    {
      fix: "Use the newer Holdpoint that wrote it.",
    },
  );
}

function noWal(path: string, mode: string): HoldpointError {
  return new HoldpointError(
    "store_unavailable",
    `SQLite cannot keep a write-ahead log for ${path} (journal mode ${mode})`,
    {
      fix: "Put the file on a local disk: network file systems do not share memory between processes.",
    },
  );
}
