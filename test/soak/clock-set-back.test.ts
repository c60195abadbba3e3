// The machine's clock is set back: between two processes, or under one that runs. Leases taken by the wrong clock wedge
// nothing, what is due stays due, and timers fire when their time comes by the clock that then is.
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { closeRuntime, type Runtime, startThread } from "../../src/index.ts";
import { type Child, startChild } from "../kit/process-child.ts";
import type { Job } from "../kit/process-clerk.ts";
import { Acknowledged, inspectWorld, nothing, readLogs } from "../kit/process-inspect.ts";
import type { ProcessOptions } from "../kit/process-main.ts";
import { until } from "../kit/process-wait.ts";
import { openWorld, storePath, type WorldOptions } from "../kit/process-world.ts";
import { tempFolder } from "../kit/runtime.ts";

const hourMs = 3_600_000;
const leaseMs = 2_000;

it("a worker that died with its clock an hour ahead leaves no lease that wedges", async () => {
  const world = await openClockWorld();
  const ahead = world.start({ clockOffsetMs: hourMs, holdAt: "effect:before" });
  const ids = await world.startJobs({ cents: 5 }, { cents: 5 }, { cents: 5 });
  await ahead.until("an effect under way", (report) => (report.kind === "at" ? true : undefined));
  expect(world.leased()).toBeGreaterThan(0);
  ahead.kill("SIGKILL");
  await ahead.ended;
  const right = world.start({});
  await until("all threads end", () => world.ended() === ids.length, 10_000); // not in an hour
  await world.end(ahead, right);
});

it("what an hour-ahead process made due is due by the right clock as well", async () => {
  const world = await openClockWorld(hourMs);
  const ids = await world.startJobs({ cents: 5 }, { cents: 5 });
  const right = world.start({});
  await until("all threads end", () => world.ended() === ids.length, 10_000);
  await world.end(right);
});

it("timers set by an hour-ahead clock fire when that hour has passed, and others meanwhile when they are due", async () => {
  const world = await openClockWorld();
  const ahead = world.start({ clockOffsetMs: hourMs });
  const [late = ""] = await world.startJobs({ cents: 5, sleepMs: 1_000 });
  await until("the timer is set", () => world.has(late, "timer_set"));
  ahead.kill("SIGKILL");
  await ahead.ended;
  const right = world.start({});
  const [soon = ""] = await world.startJobs({ cents: 5, sleepMs: 300 });
  await until("the other timer fires", () => world.has(soon, "thread_completed"), 10_000);
  expect(world.has(late, "timer_fired")).toBe(false); // it is for a time that has not come
  await right.command({ do: "shiftClock", ms: hourMs }); // an hour later
  await until("the late timer fires", () => world.has(late, "thread_completed"), 10_000);
  await world.end(ahead, right);
});

it("a clock that is set back an hour under a running worker stops nothing", async () => {
  const world = await openClockWorld();
  const worker = world.start({ holdAt: "effect:before" });
  const [first = ""] = await world.startJobs({ cents: 5, times: 3 });
  await worker.until("an effect under way", (report) => (report.kind === "at" ? true : undefined));
  await worker.command({ do: "shiftClock", ms: -hourMs });
  await worker.command({ do: "release" });
  await until("the thread under way ends", () => world.has(first, "thread_completed"), 10_000);
  const [second = ""] = await world.startJobs({ cents: 5 });
  await until("a thread of now ends", () => world.has(second, "thread_completed"), 10_000);
  await world.end(worker);
});

it("within the tolerance of clocks a lease is waited for, no longer than it was for", async () => {
  const behindMs = 60_000;
  const world = await openClockWorld();
  const first = world.start({ holdAt: "effect:before" });
  const [threadId = ""] = await world.startJobs({ cents: 5 });
  await first.until("an effect under way", (report) => (report.kind === "at" ? true : undefined));
  first.kill("SIGKILL");
  await first.ended;
  const behind = world.start({ clockOffsetMs: -behindMs });
  await behind.ready();
  await behind.command({ do: "shiftClock", ms: behindMs + leaseMs }); // the lease is over, also by this clock
  await until("the thread ends", () => world.has(threadId, "thread_completed"), 10_000);
  await world.end(first, behind);
});

it("a clock that is set back under two running workers takes no thread from the one that runs it", async () => {
  const world = await openClockWorld();
  const one = world.start({ holdAt: "effect:before" });
  const [threadId = ""] = await world.startJobs({ cents: 5 });
  await one.until("an effect under way", (report) => (report.kind === "at" ? true : undefined));
  const other = world.start({ seed: 2 });
  await other.ready();
  await one.command({ do: "shiftClock", ms: -hourMs });
  await until("its lease is by the new clock", () => world.leasedUntil(threadId) < Date.now());
  await other.command({ do: "shiftClock", ms: -hourMs });
  await sleep(2 * leaseMs); // time for the other one to look for work, more than once
  await one.command({ do: "release" });
  await until("the thread ends", () => world.has(threadId, "thread_completed"), 10_000);
  expect(other.reports.filter((report) => report.kind === "appended")).toEqual([]);
  await world.end(one, other);
});

interface ClockWorld {
  start(options: Partial<ProcessOptions>): Child;
  startJobs(...jobs: readonly Job[]): Promise<readonly string[]>;
  has(threadId: string, type: string): boolean;
  ended(): number;
  leased(): number;
  leasedUntil(threadId: string): number;
  end(...children: readonly Child[]): Promise<void>;
}

/** A world whose threads are started by a process with the clock given. */
async function openClockWorld(clockOffsetMs = 0): Promise<ClockWorld> {
  const folder = tempFolder();
  const options: WorldOptions = { folder: folder.path, agent: "clerk", leaseMs };
  const acknowledged = new Acknowledged();
  const runtime: Runtime = await openWorld(
    { ...options, clockOffsetMs },
    { observe: (hint) => hint.kind === "appended" && acknowledged.take([hint]) },
  );
  onTestFinished(async () => {
    await closeRuntime(runtime);
    folder.remove();
  });
  return {
    start: (own) => startChild({ ...options, seed: 1, roles: ["work"], ...own }),
    startJobs: (...jobs) =>
      Promise.all(
        jobs.map(async (job) => (await startThread(runtime, "clerk", job, { by: "test" })).threadId),
      ),
    has: (threadId, type) =>
      readLogs(folder.path, new Set([threadId]))
        .get(threadId)
        ?.events.some((event) => event.type === type) ?? false,
    ended: () => [...readLogs(folder.path).values()].filter((log) => log.status === "completed").length,
    leased: () => numberIn(folder.path, "SELECT count(*) AS number FROM heads WHERE lease_owner IS NOT NULL"),
    leasedUntil: (threadId) =>
      numberIn(
        folder.path,
        "SELECT lease_until AS number FROM heads JOIN threads USING (thread_num) WHERE thread_id = ?",
        threadId,
      ),
    async end(...children) {
      for (const child of children) {
        child.kill("SIGTERM");
        await child.ended;
        acknowledged.take(child.reports);
      }
      expect(await inspectWorld({ ...options, acknowledged })).toEqual(nothing);
    },
  };
}

function numberIn(folder: string, sql: string, ...values: readonly string[]): number {
  const db = new DatabaseSync(storePath(folder), { readOnly: true });
  const row = db.prepare(sql).get(...values);
  db.close();
  return Number(row?.number);
}
