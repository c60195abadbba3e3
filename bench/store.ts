// What the SQLite store costs over bare SQLite on the same disk, measured in turns so that a noisy machine hurts both.
// Run it: `node bench/store.ts`.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { EventBody } from "../src/core/events.ts";
import type { NewEvent, Store } from "../src/ports/store.ts";
import { openSqliteStore } from "../src/stores/sqlite/store.ts";

export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: "per second" | "of bare SQLite" | "ms" | "MB";
}

const rounds = 5;
const roundMs = 1_000;
const appenders = 64;
const parkedThreads = 100_000;

/** Measures appends beside their floors, then a store with 100,000 parked threads. Takes about a minute. */
export async function benchStore(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "holdpoint-bench-"));
  try {
    return [...(await benchAppends(folder)), ...(await benchReads(folder)), ...(await benchParked(folder))];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function benchAppends(folder: string): Promise<BenchRow[]> {
  const bare = openBare(join(folder, "bare.db"));
  const store = await openSqliteStore({ path: join(folder, "store.db") });
  const rates = {
    bareSingle: [] as number[],
    single: [] as number[],
    bareGrouped: [] as number[],
    grouped: [] as number[],
  };
  for (let round = 0; round < rounds; round++) {
    rates.bareSingle.push(rateOfBare(bare, 1));
    rates.single.push(await rateOfStore(store, 1, `single_${round}`));
    rates.bareGrouped.push(rateOfBare(bare, appenders));
    rates.grouped.push(await rateOfStore(store, appenders, `grouped_${round}`));
  }
  bare.close();
  await store.close();
  return [
    { name: "bare SQLite, one row per commit", value: median(rates.bareSingle), unit: "per second" },
    { name: "store, one thread, one event per append", value: median(rates.single), unit: "per second" },
    { name: "store, one thread", value: medianRatio(rates.single, rates.bareSingle), unit: "of bare SQLite" },
    {
      name: `bare SQLite, ${appenders} rows per commit`,
      value: median(rates.bareGrouped),
      unit: "per second",
    },
    {
      name: `store, ${appenders} threads, one event per append`,
      value: median(rates.grouped),
      unit: "per second",
    },
    {
      name: `store, ${appenders} threads`,
      value: medianRatio(rates.grouped, rates.bareGrouped),
      unit: "of bare SQLite",
    },
  ];
}

function openBare(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE events (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  return database;
}

function rateOfBare(database: DatabaseSync, rowsPerCommit: number): number {
  const insert = database.prepare("INSERT INTO events (body) VALUES (?)");
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const text = JSON.stringify(newEvent());
  const start = performance.now();
  let rows = 0;
  for (; performance.now() - start < roundMs; rows += rowsPerCommit) {
    if (rowsPerCommit > 1) begin.run();
    for (let row = 0; row < rowsPerCommit; row++) insert.run(text);
    if (rowsPerCommit > 1) commit.run();
  }
  return (rows / (performance.now() - start)) * 1_000;
}

async function rateOfStore(store: Store, threads: number, name: string): Promise<number> {
  const ids = Array.from({ length: threads }, (_, index) => `th_${name}_${index}`);
  await Promise.all(
    ids.map((threadId) => store.append({ threadId, expectedSeq: 0, events: [startOf(threadId)] })),
  );
  const start = performance.now();
  const counts = await Promise.all(ids.map((threadId) => appendUntil(store, threadId, start + roundMs)));
  return (counts.reduce((sum, count) => sum + count, 0) / (performance.now() - start)) * 1_000;
}

async function appendUntil(store: Store, threadId: string, end: number): Promise<number> {
  let head = 1;
  while (performance.now() < end)
    head = await store.append({ threadId, expectedSeq: head, events: [newEvent()] });
  return head - 1;
}

/** Loads a log of 800 events and 500 KB, then one of 4,000 events, through a store that was just opened. */
async function benchReads(folder: string): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [events, padding] of [
    [800, 430],
    [4_000, 40],
  ] as const) {
    const path = join(folder, `log-${events}.db`);
    await writeLog(path, events, padding);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push(await timeToRead(path));
    rows.push({ name: `loading a log of ${events} events`, value: median(times), unit: "ms" });
  }
  return rows;
}

async function writeLog(path: string, count: number, padding: number): Promise<void> {
  const store = await openSqliteStore({ path });
  const rest = Array.from({ length: count - 1 }, () => newEvent("y".repeat(padding)));
  await store.append({ threadId: "th_log", expectedSeq: 0, events: [startOf("th_log"), ...rest] });
  await store.close();
}

async function timeToRead(path: string): Promise<number> {
  const store = await openSqliteStore({ path });
  const start = performance.now();
  await store.read("th_log");
  const time = performance.now() - start;
  await store.close();
  return time;
}

/** Threads parked on an approval, days from their deadline, and a few that are due. */
async function benchParked(folder: string): Promise<BenchRow[]> {
  const store = await openSqliteStore({ path: join(folder, "parked.db") });
  await parkThreads(store);
  await store.close();
  const heapBefore = usedHeap();
  const reopened = await openSqliteStore({ path: join(folder, "parked.db") });
  const pageTimes = await timesOf(50, () => reopened.threads({}));
  const waitingTimes = await timesOf(50, () => reopened.threads({ status: "waiting" }));
  const runningTimes = await timesOf(50, () => reopened.threads({ status: "running" }));
  const inboxTimes = await timesOf(50, () => reopened.requests({ status: "open" }));
  const idleTimes = await timesOf(200, () => reopened.due({ now: parkedUntil - 1, limit: 64 }));
  const leaseTimes = await timesOf(500, async () => {
    const { threadIds } = await reopened.due({ now: parkedUntil, limit: 1 });
    await reopened.lease({ threadId: threadIds[0] ?? "", owner: "bench", ttlMs: 30_000, now: parkedUntil });
  });
  const heap = usedHeap() - heapBefore;
  await reopened.close();
  const size = `of ${parkedThreads.toLocaleString("en")} parked threads`;
  return [
    { name: `first page ${size}`, value: median(pageTimes), unit: "ms" },
    { name: `first page of those waiting ${size}`, value: median(waitingTimes), unit: "ms" },
    { name: `first page of those running ${size}`, value: median(runningTimes), unit: "ms" },
    { name: `first page of the inbox ${size}`, value: median(inboxTimes), unit: "ms" },
    { name: `due, when none ${size} is`, value: median(idleTimes), unit: "ms" },
    { name: `due and lease, one ${size}`, value: median(leaseTimes), unit: "ms" },
    { name: `heap held for a store ${size}`, value: heap / 1e6, unit: "MB" },
  ];
}

const parkedAt = Date.parse("2026-11-23T08:00:00.000Z");
const parkedUntil = parkedAt + 4 * 3_600_000;

async function parkThreads(store: Store): Promise<void> {
  for (let done = 0; done < parkedThreads; done += 500) {
    const ids = Array.from({ length: 500 }, (_, index) => `th_${done + index}`);
    await Promise.all(ids.map((threadId) => parkThread(store, threadId)));
  }
}

async function parkThread(store: Store, threadId: string): Promise<void> {
  const events = [startOf(threadId), newEvent(), { at: newEvent().at, body: requestOf(threadId) }];
  const head = await store.append({ threadId, expectedSeq: 0, events });
  const lease = await store.lease({ threadId, owner: "bench", ttlMs: 30_000, now: parkedAt });
  if (lease) await store.release(lease, { now: parkedAt, parkedAt: head });
}

async function timesOf(count: number, action: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    await action();
    times.push(performance.now() - start);
  }
  return times;
}

/** About 250 bytes of JSON, plus `padding`. */
function newEvent(padding = ""): NewEvent {
  const value = {
    orderId: "A7",
    cents: 4200,
    customer: "dana@example.com",
    items: ["x", "y"],
    note: "y".repeat(40),
    padding,
  };
  const body: EventBody = {
    type: "step_completed",
    v: 1,
    key: "step:load order#12",
    attempt: 1,
    durationMs: 12,
    result: { value },
  };
  return { at: "2026-11-23T08:00:00.000Z", body };
}

function startOf(threadId: string): NewEvent {
  const input = { value: { ticket: threadId } };
  const body: EventBody = {
    type: "thread_started",
    v: 1,
    threadId,
    agent: "bench",
    agentVersion: "1",
    input,
    by: "bench",
  };
  return { at: "2026-11-23T08:00:00.000Z", body };
}

function requestOf(threadId: string): EventBody {
  return {
    type: "request_opened",
    v: 1,
    requestId: `r_${threadId}`,
    key: "act:issue_refund#1",
    kind: "approval",
    question: "Refund 42.00 to dana@example.com?",
    choices: ["approve", "edit", "reject"],
    approvers: ["role:support-lead"],
    expiresAt: new Date(parkedUntil).toISOString(),
    why: "risk is high",
    action: {
      tool: "issue_refund",
      toolVersion: "1",
      args: { orderId: "A7", cents: 4200 },
      digest: "9".repeat(64),
      risk: "high",
    },
  };
}

function usedHeap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function medianRatio(values: readonly number[], floors: readonly number[]): number {
  return median(values.map((value, index) => value / (floors[index] ?? Number.NaN)));
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

if (import.meta.main) {
  for (const { name, value, unit } of await benchStore()) {
    console.log(`${value.toFixed(value < 100 ? 2 : 0).padStart(10)} ${unit.padEnd(15)} ${name}`);
  }
}
