// The embedded store: one SQLite file, shared by the processes of one machine, each with one connection.
import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { sha256 } from "../../core/digest.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { EventFeed } from "../../ports/event-feed.ts";
import type { NumbersStore } from "../../ports/numbers-store.ts";
import type { OutboxStore } from "../../ports/outbox.ts";
import type { ScheduleStore } from "../../ports/schedule-store.ts";
import type { Store } from "../../ports/store.ts";
import type { TokenStore } from "../../ports/token-store.ts";
import { createAccess } from "./access.ts";
import { createAppender, prepareAppend } from "./append.ts";
import { openDatabase } from "./database.ts";
import { createFeed } from "./feed.ts";
import { createLeases, type LeasedThread } from "./leases.ts";
import { createOutbox } from "./outbox.ts";
import { createPages } from "./pages.ts";
import { createReadLog } from "./read-log.ts";
import { createNumbersStore } from "./read-numbers.ts";
import { createRebuild } from "./rebuild.ts";
import { firstRow } from "./rows.ts";
import { createSchedules } from "./schedules.ts";
import { toStoreError } from "./sqlite-error.ts";
import { createTokens } from "./tokens.ts";
import { createVerify } from "./verify.ts";

export interface SqliteStoreOptions {
  /** The file. It and its folder are created when missing; a second and a third file appear beside it while it is open. */
  readonly path: string;
  /** Opens without writing anything: every call that would write rejects with `store_read_only`. Default false. */
  readonly readOnly?: boolean;
  /** How long a call waits for other processes before it rejects with `store_busy`, in milliseconds. Default 10,000. */
  readonly busyMs?: number;
  /** For tests of a failing disk. */
  readonly hooks?: SqliteStoreHooks;
}

export interface SqliteStoreHooks {
  /** Called with the connection when the file is open, to set limits on it. */
  readonly opened?: (database: DatabaseSync) => void;
  /** Called before each COMMIT with the number of operations in it. What it throws counts as the commit's error. */
  readonly beforeCommit?: (operations: number) => void;
}

/** A store with what lies beside the log in the same file. */
export interface SqliteStore extends Store {
  readonly tokens: TokenStore;
  readonly feed: EventFeed;
  readonly outbox: OutboxStore;
  readonly schedules: ScheduleStore;
  readonly numbers: NumbersStore;
  /** The open threads that are leased at `now` (milliseconds since the epoch), those that come free first before others. */
  leased(now: number): Promise<readonly LeasedThread[]>;
}

/**
 * Opens a store in a SQLite file. An operation is on the disk when its promise resolves (WAL, `synchronous=FULL`).
 *
 * @throws `store_corrupt`, `store_newer`, `store_read_only`, `store_busy`, `store_full`, `store_unavailable`, or `usage`
 *   for a path that cannot be a store's.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { path, readOnly = false, busyMs = 10_000, hooks = {} } = options;
  const database = await openDatabase({ path, readOnly, busyMs });
  hooks.opened?.(database);
  try {
    return createStore(database, { path: resolve(path), readOnly, busyMs, hooks });
  } catch (error) {
    database.close();
    throw toStoreError(error, resolve(path)) ?? error;
  }
}

interface StoreSettings {
  readonly path: string;
  readonly readOnly: boolean;
  readonly busyMs: number;
  readonly hooks: SqliteStoreHooks;
}

function createStore(database: DatabaseSync, settings: StoreSettings): SqliteStore {
  const appender = createAppender(database);
  const access = createAccess({ ...settings, database, appender });
  const leases = createLeases(database);
  const pages = onFirstUse(() => createPages(database));
  const readLog = createReadLog(database);
  const readArtifact = createReadArtifact(database);
  const tokens = onFirstUse(() => createTokens(database, access));
  const feed = onFirstUse(() => createFeed(database, access));
  const schedules = onFirstUse(() => createSchedules(database, access));
  const numbers = onFirstUse(() => createNumbersStore(database, access));
  const verify = onFirstUse(() => createVerify(database, settings.path, access.read));
  const rebuild = onFirstUse(() => createRebuild(database));
  const outbox = onFirstUse(() => createOutbox(database, access));

  return {
    get tokens() {
      return tokens();
    },
    get feed() {
      return feed();
    },
    get schedules() {
      return schedules();
    },
    get numbers() {
      return numbers();
    },
    get outbox() {
      return outbox();
    },
    append: (append) => {
      try {
        const prepared = prepareAppend(append);
        return access.write(() => appender.append(prepared));
      } catch (error) {
        return Promise.reject(error); // not `async`: a second promise per append costs 5 % of the grouped rate
      }
    },
    read: (threadId, options) => access.read(() => readLog(threadId, options?.afterSeq ?? 0, options?.limit)),
    lease: (request) => access.write(() => leases.lease(request)),
    release: (lease, options) => access.write(() => leases.release(lease, options)),
    due: (request) => access.read(() => leases.due(request)),
    leased: (now) => access.read(() => leases.leased(now)),
    threads: (query) => access.read(() => pages().threads(query)),
    requests: (query) => access.read(() => pages().requests(query)),
    artifact: (digest) => access.read(() => readArtifact(digest)),
    verify: async ({ threadId, rebuild: isRebuild = false }) => {
      const report = await (await access.read(verify))(threadId);
      let last: number | null = isRebuild ? 0 : null;
      while (last !== null) last = await access.write(rebuildAfter(last, threadId));
      return report;
    },
    close: access.close,
  };

  function rebuildAfter(last: number, threadId: string | undefined): () => number | null {
    return () => rebuild()(last, threadId);
  }
}

/** Preparing statements takes time at the start of every process; most need only some. */
function onFirstUse<T>(create: () => T): () => T {
  let created: T | undefined;
  return () => {
    created ??= create();
    return created;
  };
}

function createReadArtifact(database: DatabaseSync): (digest: string) => string {
  const select = database.prepare("SELECT text FROM artifacts WHERE digest = ?");
  return (digest) => {
    const text = firstRow<{ text: string }>(select, digest)?.text;
    if (text === undefined) throw new HoldpointError("artifact_missing", `there is no artifact ${digest}`);
    if (sha256(text) === digest) return text;
    throw new HoldpointError("store_corrupt", `the text of artifact ${digest} was changed`, {
      fix: "Restore the file from a backup.",
    });
  };
}
