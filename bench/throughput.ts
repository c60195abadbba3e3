import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Bench, openBench } from "./bench-runtime.ts";
import { type Floor, openFloor } from "./floor.ts";
import { median, type Row } from "./row.ts";

/** As large as the event of a trivial step. */
const stepBytes = "x".repeat(130);

/** Durable steps per second, of one thread and of 64, each beside bare SQLite in turns, so that both have the same weather. */
export async function benchThroughput(folder: string): Promise<readonly Row[]> {
  const bench = await openBench(join(folder, "throughput.db"));
  const floor = openFloor(join(folder, "throughput-floor.db"));
  const heap = openFloor(join(folder, "throughput-heap.db"), "heap");
  const rows = [await oneThread(bench, floor), await manyThreads(bench, floor), heapRow(heap)];
  floor.close();
  heap.close();
  await bench.close();
  return rows;
}

async function oneThread(bench: Bench, floor: Floor): Promise<Row> {
  const count = 3_000;
  const rounds = await compare(
    count,
    async () => {
      for (let step = 0; step < count; step++) floor.commit(stepBytes);
    },
    async () => bench.settle(await bench.start("steps", count)),
  );
  return {
    what: "durable steps, one thread",
    ...rounds,
    unit: "per second",
    target: "≥ 60 % of floor",
    reached: rounds.value >= 0.6 * rounds.floor,
  };
}

async function manyThreads(bench: Bench, floor: Floor): Promise<Row> {
  const [threads, count] = [64, 300];
  const group = Array.from({ length: threads }, () => stepBytes);
  const rounds = await compare(
    threads * count,
    async () => {
      for (let step = 0; step < count; step++) floor.commitAll(group);
    },
    async () => bench.settle(...(await Promise.all(group.map(() => bench.start("steps", count))))),
  );
  return {
    what: "durable steps, 64 threads",
    ...rounds,
    unit: "per second",
    target: "≥ 40 % of floor",
    reached: rounds.value >= 0.4 * rounds.floor,
  };
}

/** How fast rows go that nothing has to find again: told for comparison, since no log can be made of them. */
function heapRow(heap: Floor): Row {
  const group = Array.from({ length: 64 }, () => stepBytes);
  const rates = Array.from({ length: 5 }, () => {
    const startedAt = performance.now();
    for (let step = 0; step < 300; step++) heap.commitAll(group);
    return ((64 * 300) / (performance.now() - startedAt)) * 1_000;
  });
  const what = "(for comparison: bare rows without a key, 64 a commit)";
  return { what, value: median(rates), unit: "per second", target: "none", reached: true };
}

/** Medians of seven turns each, the first of which only warms up. Per second. */
async function compare(
  count: number,
  floorWork: () => Promise<void>,
  ourWork: () => Promise<void>,
): Promise<{ value: number; floor: number }> {
  const [floors, ours]: [number[], number[]] = [[], []];
  for (let round = 0; round < 7; round++) {
    const [floorMs, ourMs] = [await timed(floorWork), await timed(ourWork)];
    if (round === 0) continue;
    floors.push((count / floorMs) * 1_000);
    ours.push((count / ourMs) * 1_000);
  }
  return { value: median(ours), floor: median(floors) };
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** The whole loop: decide and act, results of 1 KB, at three lengths, and with many threads. */
export async function benchLoop(folder: string): Promise<readonly Row[]> {
  const path = join(folder, "loop.db");
  const bench = await openBench(path);
  const floor = openFloor(join(folder, "loop-floor.db"));
  await bench.settle(await bench.start("loop", { turns: 300 })); // warm
  const rows: Row[] = [];
  for (const turns of [10, 200, 1_000]) rows.push(await loopRow(bench, floor, turns));
  rows.push(await storedRow(bench, path), await manyLoops(bench));
  floor.close();
  await bench.close();
  return rows;
}

async function loopRow(bench: Bench, floor: Floor, turns: number): Promise<Row> {
  const repeats = Math.max(3, Math.round(600 / turns));
  const [ours, floors]: [number[], number[]] = [[], []];
  for (let repeat = 0; repeat < repeats; repeat++) {
    floors.push((await timed(async () => commitLoop(floor, turns))) / turns);
    const threadId = await bench.start("loop", { turns });
    ours.push((await timed(() => bench.settle(threadId))) / turns);
  }
  const value = median(ours);
  return {
    what: `agent loop, per step at ${turns} steps`,
    value,
    unit: "ms",
    floor: median(floors),
    target: "≤ 1 ms",
    reached: value <= 1,
  };
}

/** What a loop cannot do without: a decision and a result, each durable before the next. */
function commitLoop(floor: Floor, turns: number): void {
  for (let turn = 0; turn < turns; turn++) {
    floor.commit("d".repeat(500));
    floor.commit("r".repeat(1_500));
  }
}

async function storedRow(bench: Bench, path: string): Promise<Row> {
  const turns = 1_000;
  checkpoint(path);
  const before = statSync(path).size;
  await bench.settle(await bench.start("loop", { turns }));
  checkpoint(path);
  const value = (statSync(path).size - before) / turns;
  return {
    what: "stored per step of the loop",
    value,
    unit: "bytes",
    target: "≤ 4,096 B",
    reached: value <= 4_096,
  };
}

/** Moves the write-ahead log into the file, so that the file's size is all there is. */
function checkpoint(path: string): void {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}

/** The first of seven rounds only warms up, as in `compare`. */
async function manyLoops(bench: Bench): Promise<Row> {
  const [threads, turns] = [200, 10];
  const rates: number[] = [];
  for (let round = 0; round < 7; round++) {
    const ms = await timed(async () => {
      const threadIds = await Promise.all(
        Array.from({ length: threads }, () => bench.start("loop", { turns })),
      );
      await bench.settle(...threadIds);
    });
    if (round > 0) rates.push(((threads * turns) / ms) * 1_000);
  }
  const value = median(rates);
  return {
    what: "agent loop, 200 threads × 10 steps",
    value,
    unit: "per second",
    target: "≥ 6,000/s",
    reached: value >= 6_000,
  };
}
