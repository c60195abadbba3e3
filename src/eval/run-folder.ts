// The folder of a run: `run.json` says what it is of, `eval.db` holds its threads, `trials/` the worlds of trials that have
// one, `report.json` what it came to. One process at a time works in it.
import { existsSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HoldpointError } from "../core/errors.ts";
import { makeFolder } from "../runtime/make-folder.ts";
import { differences, type RunIdentity, runIdentitySchema } from "./run-identity.ts";

export interface RunFolder {
  readonly path: string;
  readonly storePath: string;
  /** The run's own: of a run that goes on, as it was begun. */
  readonly identity: RunIdentity;
  readonly isNew: boolean;
  close(): void;
}

/**
 * Begins a run in a folder, or goes on with the one that is there.
 *
 * @throws `store_busy` while another process works in it; `usage` when the run there is of something else, or the folder
 * holds something else; `store_unavailable` when it cannot be written.
 */
export async function openRunFolder(path: string, given: RunIdentity): Promise<RunFolder> {
  await writable(path, () => makeRunFolder(path));
  const unlock = lock(path);
  try {
    const known = await readIdentity(path);
    if (known) assertSame(path, known, given);
    else await writeWhole(join(path, "run.json"), jsonText({ v: 1, ...given }));
    const storePath = join(path, "eval.db");
    return { path, storePath, identity: known ?? given, isNew: known === null, close: unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Its owner's alone, as a store's folder is: it holds what agents were told and did. One that is there stays as it is. */
export async function makeRunFolder(path: string): Promise<void> {
  await makeFolder(path, 0o700);
}

/** Where a trial's world is: a name made of its case, readable and one of a kind by its number. */
export function trialFolder(path: string, caseIndex: number, caseName: string, trial: number): string {
  const ofCase = `${String(caseIndex + 1).padStart(3, "0")}-${readableName(caseName)}`;
  return join(path, "trials", ofCase, String(trial));
}

/** What is left of a name in the name of a folder; maybe nothing. */
export function readableName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 40);
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A file is there as a whole, also after a crash, or not at all. @throws `store_unavailable` */
export async function writeWhole(path: string, text: string): Promise<void> {
  await writable(path, async () => {
    await makeFolder(dirname(path));
    await rm(`${path}.new`, { force: true }); // of a process that was killed, or a link to somewhere else
    const file = await open(`${path}.new`, "wx");
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path).catch(async (error: unknown) => {
      await rm(`${path}.new`, { force: true });
      throw error;
    });
  });
}

async function writable<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw new HoldpointError("store_unavailable", `${path} cannot be written`, {
      fix: "Check the path, its permissions and the space that is left; then start again with --resume.",
      retryable: true,
      cause,
    });
  }
}

/** The system gives the lock back however the process ends, which a file with a process's number would not. */
function lock(path: string): () => void {
  const file = join(path, "lock.db");
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (cause) {
    database?.close();
    throw isBusy(cause) ? takenByAnother(path, cause) : notLocked(file, cause);
  }
  return () => database.close();
}

/** SQLite's `SQLITE_BUSY`, of which the low byte is 5. */
function isBusy(cause: unknown): boolean {
  return cause instanceof Error && "errcode" in cause && (Number(cause.errcode) & 0xff) === 5;
}

function takenByAnother(path: string, cause: unknown): HoldpointError {
  return new HoldpointError("store_busy", `another process runs an evaluation in ${path}`, {
    fix: "Wait until it has ended, or take another folder.",
    retryable: true,
    cause,
  });
}

function notLocked(file: string, cause: unknown): HoldpointError {
  return new HoldpointError("store_unavailable", `${file} cannot be locked`, {
    fix: "Check the folder's permissions; a lock.db that is damaged can be removed while nobody uses the folder.",
    cause,
  });
}

/** What the run in a folder is of; `null` when there is none. @throws `usage` when it cannot be read. */
async function readIdentity(path: string): Promise<RunIdentity | null> {
  const file = join(path, "run.json");
  if (!existsSync(file)) {
    if (!existsSync(join(path, "eval.db"))) return null;
    throw new HoldpointError("usage", `${path} holds a store, and no run.json that says what it is of`, {
      fix: "Take another folder, or remove this one.",
    });
  }
  const known = runIdentitySchema.safeParse(await readJsonFile(file));
  if (known.success) return known.data;
  throw new HoldpointError("usage", `${file} is damaged: it does not say what the run is of`, {
    fix: "Take another folder, or remove this one.",
    cause: known.error,
  });
}

/** @throws `usage` for a file that is not of this version. */
export async function readJsonFile(file: string): Promise<object> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new HoldpointError("usage", `${file} cannot be read`, { fix: "Take another folder.", cause });
  }
  if (typeof value === "object" && value !== null && "v" in value && value.v === 1) return value;
  throw new HoldpointError("usage", `${file} is of another version of Holdpoint`, {
    fix: "Use that version, or take another folder.",
  });
}

function assertSame(path: string, known: RunIdentity, given: RunIdentity): void {
  const different = differences(known, given);
  if (different.length === 0) return;
  throw new HoldpointError(
    "usage",
    `the run in ${path} is of something else: ${different.join("; ")} differ`,
    {
      fix: "Leave --resume out (or name a new folder) for a new run, and compare the two with --compare.",
    },
  );
}
