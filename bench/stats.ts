import { join } from "node:path";
import { openSqliteStore, readStats } from "../src/index.ts";
import { appendThreads } from "../test/kit/append-threads.ts";
import { lastDay, randomThreads } from "../test/kit/random-threads.ts";
import { median, type Row } from "./row.ts";
import { timed } from "./throughput.ts";

/** How long the statistics of a store with 10,000 threads take, all of it in the period. */
export async function benchStats(folder: string): Promise<readonly Row[]> {
  const store = await openSqliteStore({ path: join(folder, "stats.db") });
  await appendThreads([store], randomThreads("bench", 10_000));
  const now = lastDay + 30 * 86_400_000;
  const rows: Row[] = [];
  for (const by of [undefined, "version", "day"] as const) {
    const times: number[] = [];
    for (let repeat = 0; repeat < 15; repeat++)
      times.push(await timed(() => readStats(store.numbers, { since: "90d", by }, now)));
    const value = median(times);
    const what = `statistics of 10,000 threads${by ? ` by ${by}` : ""}, p50`;
    rows.push({ what, value, unit: "ms", target: "≤ 200 ms", reached: value <= 200 });
    rows.push({
      what: "  the first one, which finds nothing prepared",
      value: times[0] ?? Number.NaN,
      unit: "ms",
      target: "≤ 200 ms",
      reached: (times[0] ?? 0) <= 200,
    });
  }
  const sums: number[] = [];
  for (let repeat = 0; repeat < 15; repeat++) sums.push(await timed(() => store.numbers.totals()));
  const value = median(sums);
  rows.push({
    what: "sums of 10,000 threads for /metrics, p50",
    value,
    unit: "ms",
    target: "≤ 200 ms",
    reached: value <= 200,
  });
  await store.close();
  return rows.filter(({ what }, index) => index < 2 || !what.startsWith("  "));
}
