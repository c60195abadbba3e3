import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decideRequest } from "../src/index.ts";
import { openBench } from "./bench-runtime.ts";
import { openFloor } from "./floor.ts";
import { median, type Row } from "./row.ts";

const child = new URL("./resume-child.ts", import.meta.url);
const floorChild = new URL("./resume-floor-child.ts", import.meta.url);

/** A thread is parked at an approval; it is approved, and a fresh process opens the file and goes on. */
export async function benchResume(folder: string): Promise<readonly Row[]> {
  return [
    await resumeRow(folder, { steps: 200, what: "resume in a fresh process at 200 steps", maxMs: 5 }),
    await resumeRow(folder, { steps: 500, what: "resume of a log of 1,000 operations", maxMs: 20 }),
  ];
}

async function resumeRow(
  folder: string,
  { steps, what, maxMs }: { steps: number; what: string; maxMs: number },
): Promise<Row> {
  const path = join(folder, `resume-${steps}.db`);
  const floorPath = join(folder, `resume-floor-${steps}.db`);
  const times: number[] = [];
  const floors: number[] = [];
  for (let repeat = 0; repeat < 9; repeat++) {
    const { threadId, bodies } = await approvedThread(path, steps);
    if (repeat === 0) writeFloor(floorPath, bodies);
    times.push(childMs(folder, child, path, threadId));
    floors.push(childMs(folder, floorChild, floorPath));
  }
  const value = median(times);
  const target = `≤ ${maxMs} ms beyond process start`;
  return { what, value, unit: "ms", floor: median(floors), target, reached: value <= maxMs };
}

async function approvedThread(
  path: string,
  steps: number,
): Promise<{ readonly threadId: string; readonly bodies: readonly string[] }> {
  const bench = await openBench(path);
  const threadId = await bench.start("loop", { turns: steps, thenSend: true });
  await bench.settle(threadId);
  const [request] = (await bench.runtime.store.requests({ threadId, status: "open" })).rows;
  const verdict = { verdict: { kind: "approve" }, by: "bench", via: "bench" } as const;
  await decideRequest(bench.runtime, request?.requestId ?? "", verdict);
  const bodies = (await bench.runtime.store.read(threadId)).map((event) => JSON.stringify(event));
  await bench.close();
  return { threadId, bodies };
}

function writeFloor(path: string, bodies: readonly string[]): void {
  const floor = openFloor(path);
  for (const body of bodies) floor.commit(body);
  floor.close();
}

/** Compiled code is kept between runs, as the command line does. */
function childMs(folder: string, script: URL, ...args: readonly string[]): number {
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", fileURLToPath(script), ...args],
    { encoding: "utf8", env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "compiled") } },
  );
  if (status !== 0) throw new Error(`${script.pathname} failed: ${stderr}`);
  return Number(stdout);
}
