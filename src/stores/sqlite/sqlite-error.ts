import { HoldpointError } from "../../core/errors.ts";

// Primary result codes of SQLite (https://sqlite.org/rescode.html). Extended codes carry them in the lowest byte.
const perm = 3;
const busy = 5;
const locked = 6;
const outOfMemory = 7;
const readOnly = 8;
const ioError = 10;
const corrupt = 11;
const full = 13;
const cantOpen = 14;
const protocol = 15;
const tooBig = 18;
const notDatabase = 26;
const environmental: readonly number[] = [
  perm,
  busy,
  locked,
  outOfMemory,
  readOnly,
  ioError,
  corrupt,
  full,
  cantOpen,
  protocol,
  notDatabase,
];
/** Extended: the file was moved or deleted while it was open. */
const movedAway = 1032;

/** SQLite's extended result code of an error that `node:sqlite` threw; `null` for any other error. */
function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !("errcode" in error)) return null;
  return typeof error.errcode === "number" ? error.errcode : null;
}

/** Another connection holds the lock; the same statement may work in a moment. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === busy || code === locked || code === protocol;
}

/** True when the disk or the file is at fault, false when only this one statement is. */
export function isEnvironmental(error: unknown): boolean {
  const code = primaryCode(error);
  return code !== null && environmental.includes(code);
}

/**
 * What an error of SQLite means to users of a store, told by its code, never by its text.
 *
 * @returns `null` for an error that is not SQLite's.
 */
export function toStoreError(error: unknown, path: string): HoldpointError | null {
  switch (primaryCode(error)) {
    case null:
      return null;
    case busy:
    case locked:
    case protocol:
      return storeBusy(path, error);
    case full:
      return new HoldpointError("store_full", `no space left for ${path}`, {
        fix: "Free some disk space; the store goes on by itself.",
        retryable: true,
        cause: error,
      });
    case readOnly:
    case perm:
      return sqliteCode(error) === movedAway ? unavailable(path, error) : storeReadOnly(path, error);
    case ioError:
    case cantOpen:
    case outOfMemory:
      return unavailable(path, error);
    case tooBig:
      return new HoldpointError(
        "usage",
        `a value is too large for ${path}: SQLite takes a gigabyte at most`,
        {
          cause: error,
        },
      );
    default:
      return storeCorrupt(path, error); // our statements fit our tables, so these are not, or hold what they cannot
  }
}

export function storeBusy(path: string, cause: unknown): HoldpointError {
  return new HoldpointError("store_busy", `another process keeps ${path} locked`, {
    fix: "Try again; if it stays so, look for a process that holds a transaction open on the file.",
    retryable: true,
    cause,
  });
}

export function storeCorrupt(path: string, cause?: unknown): HoldpointError {
  return new HoldpointError("store_corrupt", `${path} is damaged, or no SQLite database`, {
    fix: "Run `holdpoint verify` to see what is wrong; restore the file from a backup.",
    cause,
  });
}

export function storeReadOnly(path: string, cause?: unknown): HoldpointError {
  return new HoldpointError("store_read_only", `${path} cannot be written`, {
    fix: "Give this user write permission on the file and on its folder, where SQLite keeps two more files.",
    cause,
  });
}

function unavailable(path: string, cause: unknown): HoldpointError {
  return new HoldpointError("store_unavailable", `${path} cannot be opened, read or written`, {
    fix: "Check that its disk works and that the file is still there, then read again what was written.",
    retryable: true,
    cause,
  });
}

function primaryCode(error: unknown): number | null {
  const code = sqliteCode(error);
  return code === null ? null : code & 0xff;
}
