// The disk fails, or the machine dies, at the n-th call of a kind, for every n until a run is not touched any more. One
// process starts a few threads, runs them and answers for the person; a second one, without faults, goes on to the end.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { closeRuntime } from "../../src/index.ts";
import { type Child, type ChildEnd, startChild } from "../kit/process-child.ts";
import {
  Acknowledged,
  inspectNow,
  inspectWorld,
  nothing,
  readLedger,
  readLogs,
} from "../kit/process-inspect.ts";
import { progress, soakSeed } from "../kit/process-random.ts";
import { settleMails } from "../kit/process-settle.ts";
import { type Fault, straceWith, straceWrites, whyNoStrace } from "../kit/process-strace.ts";
import { openBooks, openWorld, type WorldOptions } from "../kit/process-world.ts";
import { tempFolder } from "../kit/runtime.ts";

const seed = soakSeed();
const mails = 3;
const why = whyNoStrace();
/** A stop of the machine is tried at every n; a file is written so often that every so-many-th write has to do. */
const writeStride = 9;

describe("a disk that fails", () => {
  it("is told of every event before anybody else is, and of every intent before its effect", async ({
    skip,
  }) => {
    skip(why !== null, why ?? "");
    const folder = tempFolder();
    const logPath = join(folder.path, "strace.log");
    onTestFinished(folder.remove);
    const child = startChild(processOptions(folder.path), straceWrites(logPath));
    expect(await child.ended).toEqual({ code: 0, signal: null });
    const { early, told } = unsynchronised(readFileSync(logPath, "utf8").split("\n"));
    expect(early).toEqual([]);
    expect(told).toBeGreaterThan(20);
  });

  it("kills the process at any fsync: nothing is lost or done twice", async ({ skip }) => {
    skip(why !== null, why ?? "");
    const hits = await untilUntouched((n) => ({ call: "fsync", does: "SIGKILL", at: n }));
    expect(hits).toBeGreaterThan(40);
  });

  it("fails any fsync of the log: nothing is lost or done twice", async ({ skip }) => {
    skip(why !== null, why ?? "");
    const hits = await untilUntouched((n) => ({ call: "fsync", does: "EIO", at: n }));
    expect(hits).toBeGreaterThan(20);
  });

  it("fails reads of the log: nothing is lost or done twice", async ({ skip }) => {
    skip(why !== null, why ?? "");
    const hits = await untilUntouched((n) => ({ call: "pread64", does: "EIO", at: n }));
    expect(hits).toBeGreaterThan(1);
  });

  it("fails writes of the log: nothing is lost or done twice", async ({ skip }) => {
    skip(why !== null, why ?? "");
    const hits = await untilUntouched((n) => ({
      call: "pwrite64",
      does: "EIO",
      at: 1 + (n - 1) * writeStride,
    }));
    expect(hits).toBeGreaterThan(20);
  });

  it("is full for a while: nothing is lost or done twice", async ({ skip }) => {
    skip(why !== null, why ?? "");
    const hits = await untilUntouched((n) => ({
      call: "pwrite64",
      does: "ENOSPC",
      at: 2 + (n - 1) * 3 * writeStride,
      times: 6,
    }));
    expect(hits).toBeGreaterThan(7);
  });

  it("stays full until the process is killed: nothing is lost or done twice", async ({ skip }) => {
    skip(why !== null, why ?? "");
    const hits = await untilUntouched((n) => ({
      call: "pwrite64",
      does: "ENOSPC",
      at: 2 + (n - 1) * 4 * writeStride,
      times: Number.POSITIVE_INFINITY,
    }));
    expect(hits).toBeGreaterThan(5);
  });
});

function processOptions(
  folder: string,
): WorldOptions & { readonly seed: number; readonly roles: readonly ["settle"]; readonly mails: number } {
  return { folder, agent: "support-desk", seed, roles: ["settle"], mails };
}

/** Tries n = 1, 2, 3 … in two lanes until a run is not hit. @returns how many were. */
async function untilUntouched(faultAt: (n: number) => Fault): Promise<number> {
  const startedAt = performance.now();
  const { call, does } = faultAt(1);
  progress(`${does} at ${call}: HOLDPOINT_SOAK_SEED=${seed}`);
  let next = 1;
  let hits = 0;
  let isUntouched = false;
  async function lane(): Promise<void> {
    while (!isUntouched) {
      if (await runWithFault(faultAt(next++))) hits += 1;
      else isUntouched = true;
      if (hits % 20 === 0)
        progress(
          `${does} at ${call}: ${hits} runs hit, ${Math.round((performance.now() - startedAt) / 1_000)} s`,
        );
    }
  }
  await Promise.all([lane(), lane()]);
  progress(
    `${does} at ${call}: ${hits} runs hit, then one was not; ${Math.round((performance.now() - startedAt) / 1_000)} s`,
  );
  return hits;
}

/** @returns whether the fault hit anything. */
async function runWithFault(fault: Fault): Promise<boolean> {
  const folder = tempFolder();
  try {
    return await runIn(folder.path, fault);
  } finally {
    folder.remove();
  }
}

async function runIn(folder: string, fault: Fault): Promise<boolean> {
  const options = processOptions(folder);
  const logPath = join(folder, "strace.log");
  const acknowledged = new Acknowledged();
  if (fault.call === "pread64") await goOn(options, acknowledged, 1); // a process has to find something that it can read
  const child = startChild(options, straceWith(fault, folder, logPath));
  if (fault.times === Number.POSITIVE_INFINITY) await killAfterProblems(child);
  const end = await child.ended;
  acknowledged.take(child.reports);
  const after = inspectNow(acknowledged, readLedger(folder), readLogs(folder));
  expect({ fault, seed, end: endOf(child, fault, end), ...after }).toEqual({
    fault,
    seed,
    end: "as it should",
    ...nothing,
  });
  await goOn(options, acknowledged);
  const findings = await inspectWorld({ ...options, acknowledged });
  expect({ fault, seed, ...findings }).toEqual({ fault, seed, ...nothing });
  return fault.does === "SIGKILL"
    ? end.signal === "SIGKILL"
    : readFileSync(logPath, "utf8").includes("(INJECTED)");
}

/** It is given the time to try again, and to see that this does not help. */
async function killAfterProblems(child: Child): Promise<void> {
  const problem = child.until("a problem", (report) => (report.kind === "problem" ? true : undefined));
  await Promise.race([problem.then(() => sleep(1_000)).catch(() => {}), child.ended]);
  child.kill("SIGKILL");
}

/** It ended its work, was killed, or gave up and says that trying again may help; nothing else. */
function endOf(child: Child, { call }: Fault, { code, signal }: ChildEnd): string {
  const expected = ["store_unavailable", "store_full"];
  // SQLite takes a read that fails for a sign of a damaged file (`SQLITE_IOERR_CORRUPTFS`), and so do we: it ends with 1.
  if (call === "pread64") expected.push("store_corrupt");
  const codes = child.reports.flatMap((report) => (report.kind === "problem" ? [report.code] : []));
  const strange = codes.filter((problem) => !expected.includes(problem));
  if (strange.length > 0) return `problems ${strange.join(", ")}`;
  const mayEnd =
    code === 0 || code === 3 || signal === "SIGKILL" || (code === 1 && codes.includes("store_corrupt"));
  return mayEnd ? "as it should" : `ended with ${signal ?? code}: ${child.stderr()}`;
}

/** A process without faults, whose clock says that the leases of those before it are over; to the end, or for some rounds. */
async function goOn(options: WorldOptions, acknowledged: Acknowledged, rounds?: number): Promise<void> {
  const runtime = await openWorld(
    { ...options, clockOffsetMs: 60_000 },
    { observe: (hint) => hint.kind === "appended" && acknowledged.take([hint]) },
  );
  const books = openBooks(options);
  try {
    await settleMails(runtime, { mails, seed, books, ...(rounds === undefined ? {} : { rounds }) });
  } finally {
    books.close();
    await closeRuntime(runtime);
  }
}

/** Lines at which a process tells of an event while the log has writes that no fsync followed, or calls a tool of whose intent it has not told. */
function unsynchronised(lines: readonly string[]): {
  readonly early: readonly string[];
  readonly told: number;
} {
  const early: string[] = [];
  const intents = new Set<string | undefined>();
  let told = 0;
  let isDirty = false;
  for (const line of lines) {
    if (/ pwrite64\(\d+<[^>]*holdpoint\.db-wal>/.test(line)) isDirty = true;
    if (/ f(data)?sync\(\d+<[^>]*holdpoint\.db-wal>/.test(line)) isDirty = false;
    const isTold = / write\(3<[^>]*>, "\{\\"kind\\":\\"appended/.test(line);
    const isCall = / write\(\d+<[^>]*ledger\.jsonl>, "\{\\"phase\\":\\"called/.test(line);
    const keys = Array.from(line.matchAll(/\\"idempotencyKey\\":\\"([^"\\]+)\\"/g), ([, key]) => key);
    if (isTold) for (const key of keys) intents.add(key);
    if ((isTold && isDirty) || (isCall && (isDirty || !intents.has(keys[0])))) early.push(line);
    told += Number(isTold || isCall);
  }
  return { early, told };
}
