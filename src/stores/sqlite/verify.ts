// Reads everything and trusts nothing: the file's pages, each log, each projection against its events, each artifact.
// One thread is checked at a time, in one read transaction, so memory holds one log and writers never wait.
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { artifactDigests } from "../../core/artifact-digests.ts";
import { sha256 } from "../../core/digest.ts";
import { HoldpointError, isHoldpointError } from "../../core/errors.ts";
import type { Problem, ProblemKind, VerifyReport } from "../../ports/store.ts";
import { checkLog } from "./check-log.ts";
import { createDueCheck } from "./due-check.ts";
import { foldProjections } from "./fold.ts";
import { createLogFinder, outOfOrder, type ThreadHead } from "./found-log.ts";
import { allRows, firstRow } from "./rows.ts";
import { toStoreError } from "./sqlite-error.ts";
import { createStoredProjections, differences } from "./stored-projections.ts";
import { wrongTotals } from "./tallies.ts";

/** Runs one read; other processes may hold it up. */
type Reading = <T>(read: () => T) => Promise<T>;

interface Found {
  readonly threads?: number;
  readonly events?: number;
  readonly problems: readonly Problem[];
}

type Check = () => Found;

/** How long `verify` keeps the event loop at a time, in milliseconds. A single check may take longer. */
const sliceMs = 10;

/** @returns what `Store.verify` does without `rebuild`. */
export function createVerify(
  database: DatabaseSync,
  path: string,
  reading: Reading,
): (threadId: string | undefined) => Promise<VerifyReport> {
  const checks = createChecks(database, path);

  return async (threadId) => {
    const report = { threads: 0, events: 0, problems: [] as Problem[] };
    let sliceEnd = performance.now() + sliceMs;
    for (const check of checks(threadId)) {
      const found = await reading(() => inSnapshot(database, check));
      report.threads += found.threads ?? 0;
      report.events += found.events ?? 0;
      for (const problem of found.problems) report.problems.push(problem);
      if (performance.now() < sliceEnd) continue;
      await nextTurn();
      sliceEnd = performance.now() + sliceMs;
    }
    if (threadId !== undefined && report.threads === 0) throw threadNotFound(threadId);
    return report;
  };
}

/** One state of the file for the whole check, whatever other processes append meanwhile. */
function inSnapshot<T>(database: DatabaseSync, read: () => T): T {
  database.exec("BEGIN");
  try {
    return read();
  } finally {
    if (database.isTransaction) database.exec("COMMIT");
  }
}

function createChecks(database: DatabaseSync, path: string) {
  const logs = createLogFinder(database);
  const checkThread = createThreadCheck(database);
  const artifacts = createArtifactChecks(database);

  return function* checks(threadId: string | undefined): Generator<Check> {
    if (threadId === undefined)
      yield* [guarded(() => checkFile(database)), guarded(() => checkStrays(database))];
    try {
      for (let head = logs.next(0, threadId); head; head = logs.next(head.threadNum, threadId)) {
        const found = head;
        yield guarded(() => checkThread(found, threadId !== undefined), head.threadId);
      }
      if (threadId === undefined) for (const check of artifacts.all()) yield guarded(check);
    } catch (error) {
      yield guarded(() => rethrow(error)); // a list of what to check next cannot be read
    }
  };

  /** Damaged pages are a finding, not a failure. */
  function guarded(check: Check, threadId: string | null = null): Check {
    return () => {
      try {
        return check();
      } catch (error) {
        const damage = isHoldpointError(error) ? error : toStoreError(error, path);
        if (damage?.code !== "store_corrupt") throw error;
        return { problems: [problem("file", threadId, `its pages cannot be read: ${String(error)}`)] };
      }
    };
  }
}

function createThreadCheck(database: DatabaseSync) {
  const logs = createLogFinder(database);
  const projections = createStoredProjections(database);
  const dueCheck = createDueCheck(database);
  const artifacts = createArtifactChecks(database);

  return (head: ThreadHead, withArtifacts: boolean): Found => {
    if (!logs.has(head)) return { problems: [] }; // removed since it was listed
    const log = logs.find(head);
    const { problems, events } = checkLog(log);
    const found = { threads: 1, events: log.rows.length };
    if (problems.length > 0) return { ...found, problems }; // events that were changed may lack any member
    const folded = foldProjections(events);
    const messages = [
      ...differences(projections.read(head.threadNum), folded),
      ...dueCheck(head.threadNum, folded),
    ];
    const digests = new Set(events.flatMap(([, event]) => artifactDigests(event)));
    return {
      ...found,
      problems: [
        ...messages.map((message) => problem("projection", log.threadId, message)),
        ...[...digests].flatMap((digest) => artifacts.one(digest, log.threadId, withArtifacts)),
      ],
    };
  };
}

function checkFile(database: DatabaseSync): Found {
  const rows = allRows<{ integrity_check: string }>(database.prepare("PRAGMA integrity_check"));
  const messages = rows.map((row) => row.integrity_check).filter((message) => message !== "ok");
  return { problems: messages.map((message) => problem("file", null, message)) };
}

/** Each has rows of threads. */
const threadTables: readonly string[] = [
  ...["threads", "requests", "waits", "untaken_signals", "tallies", "thread_numbers", "thread_facts"],
];

/** Rows that no head leads to: events beside a log, and projections of no thread. */
function checkStrays(database: DatabaseSync): Found {
  const events = database.prepare(`SELECT thread_id AS threadId, found, head_seq AS expected
    FROM (SELECT thread_num, count(*) AS found FROM events GROUP BY thread_num)
    LEFT JOIN heads USING (thread_num) LEFT JOIN threads USING (thread_num)
    WHERE expected IS NULL OR found > expected`);
  const problems = allRows<{ threadId: string | null; found: number; expected: number | null }>(events).map(
    ({ threadId, found, expected }) =>
      problem(
        "sequence",
        threadId,
        `the file has ${found} events of this thread; its head counts ${expected ?? "none"}`,
      ),
  );
  for (const table of threadTables) {
    const strays = database.prepare(
      `SELECT count(*) AS strays FROM ${table} WHERE thread_num NOT IN (SELECT thread_num FROM heads)`,
    );
    const count = firstRow<{ strays: number }>(strays)?.strays ?? 0;
    if (count > 0)
      problems.push(problem("projection", null, `${table} has ${count} rows that belong to no log`));
  }
  const wrong = firstRow<{ wrong: number }>(database.prepare(wrongTotals))?.wrong ?? 0;
  if (wrong > 0)
    problems.push(
      problem("projection", null, `tally_totals has ${wrong} sums that are not those of tallies`),
    );
  return { problems };
}

function createArtifactChecks(database: DatabaseSync) {
  const next = database.prepare(
    "SELECT rowid, digest, text FROM artifacts WHERE rowid > ? ORDER BY rowid LIMIT 1",
  );
  const byDigest = database.prepare("SELECT text FROM artifacts WHERE digest = ?");
  const exists = database.prepare("SELECT 1 AS found FROM artifacts WHERE digest = ?");

  function* all(): Generator<Check> {
    let rowid = 0;
    for (let more = true; more; ) {
      more = false;
      yield () => {
        const row = firstRow<{ rowid: number; digest: string; text: string }>(next, rowid);
        if (row && row.rowid <= rowid) throw outOfOrder("artifacts");
        more = row !== undefined;
        rowid = row?.rowid ?? rowid;
        return { problems: row && sha256(row.text) !== row.digest ? [changed(row.digest, null)] : [] };
      };
    }
  }

  function one(digest: string, threadId: string, withText: boolean): Problem[] {
    if (!firstRow(exists, digest)) return [problem("artifact", threadId, `artifact ${digest} is missing`)];
    if (!withText) return [];
    const text = firstRow<{ text: string }>(byDigest, digest)?.text ?? "";
    return sha256(text) === digest ? [] : [changed(digest, threadId)];
  }

  return { all, one };
}

function changed(digest: string, threadId: string | null): Problem {
  return problem("artifact", threadId, `the text of artifact ${digest} was changed`);
}

function problem(kind: ProblemKind, threadId: string | null, message: string): Problem {
  return { kind, threadId, seq: null, message };
}

function threadNotFound(threadId: string): HoldpointError {
  return new HoldpointError("thread_not_found", `there is no thread ${threadId}`);
}

function rethrow(error: unknown): never {
  throw error;
}
