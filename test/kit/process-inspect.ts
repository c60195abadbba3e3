// The invariants, read from outside: what processes were told is durable, what the ledger says took place, what the
// books hold, and what the log says. None of it uses the runtime that is under test; the log is read with plain SQL.
import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { LedgerLine } from "../../examples/support-desk/ledger.ts";
import { actionDigest, type EventOf, openSqliteStore, type ThreadEvent } from "../../src/index.ts";
import type { CalledLine } from "./process-places.ts";
import type { Report } from "./process-report.ts";
import { type Books, ledgerPath, openBooks, storePath, type WorldOptions } from "./process-world.ts";

/** What is wrong, by invariant. All empty is what every test ends with. */
export interface Findings {
  /** Events that a process was told are durable, and that are not there, byte for byte. */
  readonly lost: string[];
  /** Actions that ran again after they had taken place, or that share an approval. */
  readonly twice: string[];
  /** Actions that ran without an intent in the log, or risky ones without a verdict for exactly what ran. */
  readonly unapproved: string[];
  /** Actions of which the log says something else than the books. */
  readonly untrue: string[];
  /** Threads that did not complete, though people answer and nobody stops one. */
  readonly stuck: string[];
  /** What `verify` and SQLite find. */
  readonly broken: string[];
}

export const nothing: Findings = { lost: [], twice: [], unapproved: [], untrue: [], stuck: [], broken: [] };

/** Every event that some process was told is durable, with its text as the store keeps it. */
export class Acknowledged {
  readonly #texts = new Map<string, Map<number, string>>();
  /** Two processes were told different things of one place. */
  readonly conflicts: string[] = [];
  count = 0;

  take(reports: readonly Report[]): void {
    for (const report of reports)
      if (report.kind === "appended") for (const event of report.events) this.add(report.threadId, event);
  }

  add(threadId: string, event: ThreadEvent): void {
    const thread = this.#texts.get(threadId) ?? new Map<number, string>();
    this.#texts.set(threadId, thread);
    const { seq, ...stored } = event;
    const text = JSON.stringify(stored);
    const known = thread.get(seq);
    if (known !== undefined && known !== text)
      this.conflicts.push(`${threadId} ${seq}: ${known} and ${text}`);
    thread.set(seq, text);
    this.count += 1;
  }

  /** Events of these logs, after `afterSeq`, of which no process spoke. They speak of what they append, and of what they find. */
  unmentioned(logs: ReadonlyMap<string, Log>, afterSeq = 0): readonly string[] {
    return [...logs.values()].flatMap(({ threadId, texts }) =>
      [...texts.keys()]
        .filter((seq) => seq > afterSeq && !this.#texts.get(threadId)?.has(seq))
        .map((seq) => `${threadId} ${seq}`),
    );
  }

  threadIds(): Iterable<string> {
    return this.#texts.keys();
  }

  entries(): Iterable<readonly [string, ReadonlyMap<number, string>]> {
    return this.#texts;
  }
}

export type Line = CalledLine | (LedgerLine & { readonly pid: number });

export function readLedger(folder: string): readonly Line[] {
  if (!existsSync(ledgerPath(folder))) return [];
  const lines = readFileSync(ledgerPath(folder), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Line); // our own processes wrote it, whole lines at a time
}

/** One thread's log, as anyone with SQLite reads it. */
interface Log {
  readonly threadId: string;
  readonly status: string;
  readonly texts: ReadonlyMap<number, string>;
  readonly events: readonly ThreadEvent[];
}

/** All logs of a world, or those of some threads. */
export function readLogs(folder: string, threadIds?: ReadonlySet<string>): ReadonlyMap<string, Log> {
  if (!existsSync(storePath(folder))) return new Map();
  const db = new DatabaseSync(storePath(folder), { timeout: 10_000 });
  try {
    return logsIn(db, threadIds);
  } finally {
    db.close();
  }
}

function logsIn(db: DatabaseSync, threadIds: ReadonlySet<string> | undefined): ReadonlyMap<string, Log> {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'thread_events'").all().length === 0)
    return new Map();
  const logs = new Map<
    string,
    { threadId: string; status: string; texts: Map<number, string>; events: ThreadEvent[] }
  >();
  for (const { thread_id, status } of db.prepare("SELECT thread_id, status FROM threads").iterate()) {
    const threadId = String(thread_id);
    if (threadIds?.has(threadId) ?? true)
      logs.set(threadId, { threadId, status: String(status), texts: new Map(), events: [] });
  }
  for (const { thread_id, seq, body } of db
    .prepare("SELECT thread_id, seq, body FROM thread_events ORDER BY seq")
    .iterate()) {
    const log = logs.get(String(thread_id));
    log?.texts.set(Number(seq), String(body));
    log?.events.push({ ...JSON.parse(String(body)), seq: Number(seq) } as ThreadEvent);
  }
  return logs;
}

/** Threads that have not ended. */
export function openThreads(folder: string): number {
  const db = new DatabaseSync(storePath(folder), { readOnly: true, timeout: 10_000 });
  const row = db.prepare("SELECT count(*) AS open FROM threads WHERE status IN ('running', 'waiting')").get();
  db.close();
  return Number(row?.open);
}

/** What must hold at any moment, also while processes run. The ledger is to be read before the log. */
export function inspectNow(
  acknowledged: Acknowledged,
  ledger: readonly Line[],
  logs: ReadonlyMap<string, Log>,
): Findings {
  return {
    ...nothing,
    lost: lostIn(acknowledged, logs),
    unapproved: ledger.flatMap((line) => problemOfCall(line, logs)),
  };
}

export interface InspectOptions extends WorldOptions {
  readonly acknowledged: Acknowledged;
  /** Processes that were stopped past their lease in the middle of an effect: what they still do is for the key to absorb. */
  readonly zombies?: readonly number[];
}

/** Everything, once all work is done and no process is left. */
export async function inspectWorld(options: InspectOptions): Promise<Findings> {
  const ledger = readLedger(options.folder);
  const logs = readLogs(options.folder);
  const books = openBooks(options);
  try {
    return {
      ...inspectNow(options.acknowledged, ledger, logs),
      twice: [...runTwice(ledger, options.zombies ?? []), ...approvedOnceRunTwice(ledger, logs)],
      untrue: [...logs.values()].flatMap((log) => untrueIn(log, books)),
      stuck: [...logs.values()]
        .filter(({ status }) => status !== "completed")
        .map(({ threadId }) => threadId),
      broken: await brokenIn(options.folder),
    };
  } finally {
    books.close();
  }
}

function lostIn(acknowledged: Acknowledged, logs: ReadonlyMap<string, Log>): string[] {
  const lost = [...acknowledged.conflicts];
  for (const [threadId, texts] of acknowledged.entries()) {
    for (const [seq, text] of texts) {
      const stored = logs.get(threadId)?.texts.get(seq);
      if (stored !== text)
        lost.push(`${threadId} ${seq}: ${text.slice(0, 200)}; in the log: ${stored?.slice(0, 200)}`);
    }
  }
  return lost;
}

/** I3, I5. What a tool was called with must be what an intent in the log names, and what a person approved. */
function problemOfCall(line: Line, logs: ReadonlyMap<string, Log>): string[] {
  if (line.phase !== "called") return [];
  const [threadId = "", key = ""] = splitKey(line.idempotencyKey);
  const events = logs.get(threadId)?.events ?? [];
  const say = (what: string): string[] => [`${line.idempotencyKey}, attempt ${line.attempt}: ${what}`];
  const start = events.find(
    (event) => event.type === "action_started" && event.key === key && event.attempt === line.attempt,
  );
  if (start?.type !== "action_started") return say("it ran without an intent in the log");
  if (start.digest !== line.digest) return say("it ran with other arguments than its intent names");
  const proposal = events.findLast(
    (event) => event.type === "action_proposed" && event.key === key && event.seq < start.seq,
  );
  if (proposal?.type !== "action_proposed") return say("it was never proposed");
  if (actionDigest(proposal) !== line.digest) return say("its digest is not that of its proposal");
  if (!isRisky(proposal)) return [];
  return isApproved(events, key, line.digest, start.seq)
    ? []
    : say("no person approved exactly this before it started");
}

function splitKey(idempotencyKey: string): readonly [string, string] {
  const slash = idempotencyKey.indexOf("/");
  return [idempotencyKey.slice(0, slash), idempotencyKey.slice(slash + 1)];
}

/** By the shops' rules, not by what the log says of the gate. */
function isRisky({ tool, args }: EventOf<"action_proposed">): boolean {
  const { cents = 0 } = args as { readonly cents?: number }; // validated by the tool's input
  return (
    tool === "send_email" ||
    tool === "delete_account" ||
    (tool === "issue_refund" && cents > 2_000) ||
    (tool === "pay" && cents > 100)
  );
}

function isApproved(events: readonly ThreadEvent[], key: string, digest: string, before: number): boolean {
  const verdict = events.findLast(
    (event) => event.type === "request_decided" && event.key === key && event.seq < before,
  );
  return (
    verdict?.type === "request_decided" &&
    isApproval(verdict) &&
    verdict.digest === digest &&
    verdict.by !== ""
  );
}

function isApproval({ verdict }: EventOf<"request_decided">): boolean {
  return verdict.kind === "approve" || verdict.kind === "edit";
}

const repeatable = "add_note";

/** I4. A tool that may run once never runs again after it took place. */
function runTwice(ledger: readonly Line[], zombies: readonly number[]): string[] {
  const happened = new Map<string, Line>();
  const twice: string[] = [];
  for (const line of ledger) {
    const before = happened.get(line.idempotencyKey);
    if (line.tool === repeatable || zombies.includes(line.pid)) continue;
    if (before || line.phase === "absorbed")
      twice.push(`${line.idempotencyKey}: ${JSON.stringify(line)} after ${JSON.stringify(before)}`);
    if (line.phase === "happened") happened.set(line.idempotencyKey, line);
  }
  return [...twice, ...happenedAgain(ledger)];
}

/** In the world, whoever did it. */
function happenedAgain(ledger: readonly Line[]): string[] {
  const keys = ledger.filter((line) => line.phase === "happened").map((line) => line.idempotencyKey);
  return keys.filter((key, index) => keys.indexOf(key) !== index).map((key) => `${key} happened twice`);
}

/** One approval, one start: within a thread, no more actions took place for a digest than were approved. */
function approvedOnceRunTwice(ledger: readonly Line[], logs: ReadonlyMap<string, Log>): string[] {
  const calls = ledger.filter((line) => line.phase === "called");
  return [...logs.values()].flatMap(({ threadId, events }) => {
    const verdicts = events.filter((event) => event.type === "request_decided").filter(isApproval);
    return [...new Set(verdicts.map((verdict) => verdict.digest))].flatMap((digest) => {
      const approvals = verdicts.filter((verdict) => verdict.digest === digest).length;
      const keys = new Set(
        calls
          .filter((line) => line.digest === digest && line.idempotencyKey.startsWith(`${threadId}/`))
          .map((line) => line.idempotencyKey),
      );
      return keys.size > approvals
        ? [`${threadId}: ${keys.size} actions for ${approvals} approvals of ${digest}`]
        : [];
    });
  });
}

/** No silent loss: what the log says happened is in the books, and nothing else is. */
function untrueIn({ threadId, events }: Log, books: Books): string[] {
  const tools = new Map(
    events.flatMap((event) =>
      event.type === "action_proposed" && event.effect === "once" ? [[event.key, event.tool] as const] : [],
    ),
  );
  return [...tools].flatMap(([key, tool]) => {
    const said = events.some((event) => event.type === "action_completed" && event.key === key);
    const isThere = books.has(tool, `${threadId}/${key}`);
    return said === isThere
      ? []
      : [
          `${threadId}/${key}: the log says ${said ? "done" : "not done"}, the books say ${isThere ? "done" : "not done"}`,
        ];
  });
}

async function brokenIn(folder: string): Promise<string[]> {
  const store = await openSqliteStore({ path: storePath(folder) });
  try {
    const { problems } = await store.verify({});
    return [...problems.map((problem) => JSON.stringify(problem)), ...integrityOf(folder)];
  } finally {
    await store.close();
  }
}

function integrityOf(folder: string): string[] {
  const db = new DatabaseSync(storePath(folder));
  const rows = db.prepare("PRAGMA integrity_check").all();
  db.close();
  return rows.map((row) => String(row.integrity_check)).filter((line) => line !== "ok");
}
