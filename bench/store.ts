// What the SQLite store costs over bare SQLite on the same disk, measured in turns so that a noisy machine hurts both.
// `node bench/store.ts` runs it alone.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { EventBody } from "../src/core/events.ts";
import type { NewEvent, Store } from "../src/ports/store.ts";
import { openSqliteStore } from "../src/stores/sqlite/store.ts";
import { median, type Row, table } from "./row.ts";

const rounds = 7;
const roundMs = 500;
const appenders = 64;
const parkedThreads = 100_000;

/** Measures appends beside their floors, loads, then a store with 100,000 parked threads. Takes half a minute. */
export async function benchStore(folder: string): Promise<readonly Row[]> {
  return [...(await benchAppends(folder)), ...(await benchLoads(folder)), ...(await benchParked(folder))];
}

async function benchAppends(folder: string): Promise<Row[]> {
  const bare = openBare(join(folder, "store-floor.db"));
  const store = await openSqliteStore({ path: join(folder, "store.db") });
  const one: Rates = { ours: [], floors: [] };
  const many: Rates = { ours: [], floors: [] };
  for (let round = 0; round < rounds; round++) {
    one.floors.push(rateOfBare(bare, 1));
    one.ours.push(await rateOfStore(store, 1, `one_${round}`));
    many.floors.push(rateOfBare(bare, appenders));
    many.ours.push(await rateOfStore(store, appenders, `many_${round}`));
  }
  bare.close();
  await store.close();
  return [
    rateRow("appends of one event, one thread", one, 0.6),
    rateRow(`appends, ${appenders} threads`, many, 0.4),
  ];
}

interface Rates {
  readonly ours: number[];
  readonly floors: number[];
}

/** The value is the floor's median times the median of the rounds' ratios: the machine's moods cancel out. */
function rateRow(what: string, { ours, floors }: Rates, share: number): Row {
  const ratio = median(ours.map((rate, round) => rate / (floors[round] ?? Number.NaN)));
  const floor = median(floors);
  const target = `≥ ${share * 100} % of bare SQLite`;
  return { what, value: ratio * floor, floor, unit: "per second", target, reached: ratio >= share };
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
async function benchLoads(folder: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [events, padding, limitMs] of [
    [800, 400, 3],
    [4_000, 10, 12],
  ] as const) {
    const path = join(folder, `store-log-${events}.db`);
    await writeLog(path, events, padding);
    const times: number[] = [];
    for (let round = 0; round < 3 * rounds; round++) times.push(await timeToLoad(path));
    rows.push(timeRow(`loading ${events} events`, times, limitMs));
  }
  return rows;
}

function timeRow(what: string, times: readonly number[], limitMs: number): Row {
  const value = median(times);
  return { what, value, unit: "ms", target: `≤ ${limitMs} ms`, reached: value <= limitMs };
}

async function writeLog(path: string, count: number, padding: number): Promise<void> {
  const store = await openSqliteStore({ path });
  const rest = Array.from({ length: count - 1 }, () => newEvent("y".repeat(padding)));
  await store.append({ threadId: "th_log", expectedSeq: 0, events: [startOf("th_log"), ...rest] });
  await store.close();
}

async function timeToLoad(path: string): Promise<number> {
  const store = await openSqliteStore({ path });
  const start = performance.now();
  await store.read("th_log");
  const time = performance.now() - start;
  await store.close();
  return time;
}

/** Threads parked on an approval, hours from their deadline. */
async function benchParked(folder: string): Promise<Row[]> {
  const path = join(folder, "store-parked.db");
  const writer = await openSqliteStore({ path });
  await parkThreads(writer);
  await writer.close();
  const heapBefore = usedHeap();
  const store = await openSqliteStore({ path });
  const of = `with ${parkedThreads.toLocaleString("en")} threads parked`;
  const rows = [
    timeRow(`first page, ${of}`, await timesOf(50, () => store.threads({})), 50),
    timeRow(
      `first page of those running, ${of}`,
      await timesOf(50, () => store.threads({ status: "running" })),
      50,
    ),
    timeRow(
      `first page of the inbox, ${of}`,
      await timesOf(50, () => store.requests({ status: "open" })),
      50,
    ),
    timeRow(`due, ${of}`, await timesOf(200, () => store.due({ now: parkedUntil - 1, limit: 64 })), 1),
    timeRow(`due and lease, ${of}`, await timesOf(500, () => leaseNext(store)), 1),
  ];
  const value = Math.max(0, usedHeap() - heapBefore) / 1e6;
  await store.close();
  return [...rows, { what: `heap, ${of}`, value, unit: "MB", target: "≤ 5 MB", reached: value <= 5 }];
}

async function leaseNext(store: Store): Promise<unknown> {
  const { threadIds } = await store.due({ now: parkedUntil, limit: 1 });
  return store.lease({ threadId: threadIds[0] ?? "", owner: "bench", ttlMs: 30_000, now: parkedUntil });
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

if (import.meta.main) {
  const folder = join(import.meta.dirname, ".data-store");
  mkdirSync(folder, { recursive: true });
  process.stdout.write(`${table(await benchStore(folder))}\n`);
  rmSync(folder, { recursive: true });
}
