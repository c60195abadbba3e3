import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decideRequest } from "../src/index.ts";
import { openBench } from "./bench-runtime.ts";
import { median, type Row } from "./row.ts";

const child = fileURLToPath(new URL("./resume-child.ts", import.meta.url));

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
  const times: number[] = [];
  for (let repeat = 0; repeat < 9; repeat++) {
    const bench = await openBench(path);
    const threadId = await bench.start("loop", { turns: steps, thenSend: true });
    await bench.settle(threadId);
    const [request] = (await bench.runtime.store.requests({ threadId, status: "open" })).rows;
    const verdict = { verdict: { kind: "approve" }, by: "bench", via: "bench" } as const;
    await decideRequest(bench.runtime, request?.requestId ?? "", verdict);
    await bench.close();
    times.push(resumeMs(path, threadId));
  }
  const value = median(times);
  return { what, value, unit: "ms", target: `≤ ${maxMs} ms beyond process start`, reached: value <= maxMs };
}

function resumeMs(path: string, threadId: string): number {
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", child, path, threadId],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the resuming process failed: ${stderr}`);
  return Number(stdout);
}
