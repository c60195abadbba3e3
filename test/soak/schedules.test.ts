// Processes are killed (SIGKILL) between claiming a tick, starting its thread and saying so, alone and beside another one
// that looks at the same time. Whatever the place, each tick has one thread in the end.
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { openSqliteStore } from "../../src/index.ts";
import { progress, seededRandom, soakSeed } from "../kit/process-random.ts";
import type { Place, SchedulesProcess } from "../kit/process-schedules.ts";
import { tempFolder } from "../kit/runtime.ts";

const program = fileURLToPath(new URL("../kit/process-schedules.ts", import.meta.url));
const kills = Number(process.env.HOLDPOINT_SOAK_SCHEDULE_KILLS ?? 60);
const places: readonly Place[] = ["claimed", "listed", "appended", "started", "registered"];
const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 9, 24, 12); // the clocks are set back in the first night

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly stderr: string;
}

it(`${kills} kills between claim and start leave one thread per tick`, async () => {
  const folder = tempFolder();
  onTestFinished(folder.remove);
  const path = join(folder.path, "holdpoint.db");
  const seed = soakSeed();
  const random = seededRandom(seed);
  progress(`schedules: HOLDPOINT_SOAK_SEED=${seed}`);
  expect(await run({ path, nowMs: startMs, place: null, pass: 1 })).toMatchObject({ code: 0 });

  const hits = new Map<string, number>();
  let nowMs = startMs;
  for (let killed = 0; killed < kills; ) {
    nowMs += hourMs; // three ticks more
    const place = places[killed % places.length] ?? "claimed";
    const victim = run({ path, nowMs, place, pass: 1 + random.below(3) });
    const isAlone = random.percent(60);
    const other = isAlone ? null : run({ path, nowMs, place: null, pass: 1 });
    const ends = await Promise.all([victim, other]);
    for (const end of ends)
      if (end) expect(end, end.stderr).toMatchObject(end.signal ? { signal: "SIGKILL" } : { code: 0 });
    if (ends[0]?.signal === "SIGKILL") {
      killed += 1;
      hits.set(place, (hits.get(place) ?? 0) + 1);
    } else if (isAlone) continue; // it came by fewer times than it was to wait for
  }
  const last = await run({ path, nowMs, place: null, pass: 1 });
  expect(last, last.stderr).toMatchObject({ code: 0 });

  const store = await openSqliteStore({ path });
  onTestFinished(() => store.close());
  const titles = await titlesOf(store);
  const expected = Array.from({ length: ((nowMs - startMs) / hourMs) * 3 }, (_, index) =>
    JSON.stringify({ tick: new Date(startMs + (index + 1) * 20 * 60_000).toISOString() }),
  );
  expect(titles.toSorted()).toEqual(expected);
  expect(await store.schedules.list()).toMatchObject([{ waiting: 0, cursor: nowMs }]);
  expect(await store.verify({})).toMatchObject({ problems: [] });
  progress(
    `schedules, seed ${seed}: ${kills} kills ${JSON.stringify([...hits])}, ${titles.length} ticks, each one thread`,
  );
});

/** Runs it to its end, or kills it where it stands still. */
function run(options: SchedulesProcess): Promise<Ended> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", program, JSON.stringify(options)],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { NODE_COMPILE_CACHE: join(tmpdir(), "holdpoint-test-compiled") },
    },
  );
  let stderr = "";
  child.stdout.on("data", () => child.kill("SIGKILL"));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stderr }));
  });
}

async function titlesOf(store: Awaited<ReturnType<typeof openSqliteStore>>): Promise<readonly string[]> {
  const titles: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Awaited<ReturnType<typeof store.threads>> = await store.threads({
      limit: 1_000,
      ...(cursor && { cursor }),
    });
    titles.push(...page.rows.map(({ title }) => title));
    cursor = page.nextCursor;
  }
  return titles;
}
