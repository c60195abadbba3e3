import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { startWorker } from "../src/index.ts";
import { openBench } from "./bench-runtime.ts";
import { median, type Row } from "./row.ts";
import { timed } from "./throughput.ts";

const parkedThreads = 100_000;
const warmUpThreads = 20_000;
const batch = 2_000;
/** The runtime's default: a leased thread is due again when its lease ends. */
const leaseMs = 30_000;

/** What a hundred thousand threads that wait for people cost a worker that has other work. */
export async function benchParked(folder: string): Promise<readonly Row[]> {
  const bench = await openBench(join(folder, "parked.db"));
  const { store } = bench.runtime;
  const worker = startWorker(bench.runtime);
  await addThreads(() => bench.start("steps", 3), warmUpThreads); // heap and page cache as of a worker at work
  const before = memoryMegabytes();
  await addThreads(() => bench.start("asking", null), parkedThreads);
  await worker.close();
  const grown = memoryMegabytes() - before;

  const claims: number[] = [];
  const pages: number[] = [];
  for (let repeat = 0; repeat < 50; repeat++) {
    await bench.start("loop", { turns: 1 });
    claims.push(await timed(() => claimNext(bench.runtime.clock.now())));
    pages.push(await timed(() => store.threads({})));
  }
  await bench.close();

  /** Starts threads and waits until none is due or leased. */
  async function addThreads(start: () => Promise<string>, count: number): Promise<void> {
    for (let added = 0; added < count; added += batch) {
      await Promise.all(Array.from({ length: batch }, start));
      while ((await store.due({ now: Date.now() + leaseMs, limit: 1 })).threadIds.length > 0) await pause(10);
    }
  }

  async function claimNext(now: number): Promise<void> {
    const [threadId] = (await store.due({ now, limit: 1 })).threadIds;
    const lease = await store.lease({ threadId: threadId ?? "", owner: "bench", ttlMs: 60_000, now });
    if (!lease) throw new Error(`thread ${threadId} was due and could not be claimed`);
  }

  const [claim, page] = [median(claims), median(pages)];
  return [
    {
      what: "memory of a worker for 100,000 parked threads",
      value: Math.max(0, grown),
      unit: "MB",
      target: "≤ 20 MB",
      reached: grown <= 20,
    },
    {
      what: "claiming the next due thread among them, p50",
      value: claim,
      unit: "ms",
      target: "≤ 1 ms",
      reached: claim <= 1,
    },
    {
      what: "first page of threads among them, p50",
      value: page,
      unit: "ms",
      target: "≤ 50 ms",
      reached: page <= 50,
    },
  ];
}

/** Resident memory after a collection that also gives back what the heap keeps for later: 5 to 30 MB by chance. */
function memoryMegabytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as (options: object) => void)({ type: "major", flavor: "last-resort" });
  return process.memoryUsage().rss / 1024 / 1024;
}
