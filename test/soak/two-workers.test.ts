// Two workers share one file, and one is told to end in the middle (SIGTERM). Leases are so long that whatever it does
// not hand over would be missed; tools have no `verify`, so that whatever it breaks off would wait for a person.
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { closeRuntime, startThread } from "../../src/index.ts";
import { newProject } from "../cli/command.ts";
import { type Child, startChild } from "../kit/process-child.ts";
import { Acknowledged, inspectWorld, nothing, readLedger, readLogs } from "../kit/process-inspect.ts";
import { progress } from "../kit/process-random.ts";
import { until } from "../kit/process-wait.ts";
import { openWorld, storePath, type WorldOptions } from "../kit/process-world.ts";
import { type Folder, tempFolder } from "../kit/runtime.ts";

const threads = 200;
const times = 3;
const longLease = { leaseMs: 600_000, graceMs: 10_000, withoutVerify: true } as const;

it(`${threads} threads over two workers: each ends once, also when one worker is told to end`, async () => {
  const folder = tempFolder();
  onTestFinished(folder.remove);
  const options: WorldOptions = { folder: folder.path, agent: "clerk", ...longLease };
  const acknowledged = new Acknowledged();
  const leaving = startChild({ ...options, seed: 1, roles: ["work"], pauseMs: 400 });
  const staying = startChild({ ...options, seed: 2, roles: ["work"], pauseMs: 400 });
  for (const child of [leaving, staying]) await child.ready();
  await Promise.all([leaving, staying].flatMap((child) => startJobs(child, threads / 2))); // whoever starts a thread runs it first
  await until("both have threads", () => [leaving, staying].every((child) => leases(folder, child) > 10));

  const handedOver = leases(folder, leaving);
  const stoppedAt = performance.now();
  leaving.kill("SIGTERM");
  expect(await leaving.ended).toEqual({ code: 0, signal: null });
  const stopMs = performance.now() - stoppedAt;
  expect(stopMs).toBeLessThan(longLease.graceMs);
  expect(leases(folder, leaving)).toBe(0);

  await until("all threads end", () => ended(folder) === threads);
  staying.kill("SIGTERM");
  expect(await staying.ended).toEqual({ code: 0, signal: null });
  for (const child of [leaving, staying]) {
    expect(child.reports.filter((report) => report.kind === "problem")).toEqual([]); // no `store_busy`, nor anything else
    expect(eventsOf(child)).toBeGreaterThan(threads / 10);
    acknowledged.take(child.reports);
  }
  checkEnds(folder);
  expect(acknowledged.unmentioned(readLogs(folder.path))).toEqual([]);
  expect(await inspectWorld({ ...options, acknowledged })).toEqual(nothing);
  progress(`two workers: ${handedOver} threads handed over in ${Math.round(stopMs)} ms`);
});

it("the command line's worker ends with 0 on SIGTERM, and the next one goes on at once", async () => {
  const project = newProject();
  const folder: Folder = { path: project.folder, remove: () => {} };
  const options: WorldOptions = { folder: folder.path, agent: "clerk", withoutVerify: true };
  const runtime = await openWorld(options);
  for (let number = 0; number < 40; number++)
    await startThread(runtime, "clerk", { cents: 50, times }, { by: "test" });
  await closeRuntime(runtime);
  const agentFile = fileURLToPath(new URL("../kit/process-cli-agent.ts", import.meta.url));
  const startWorker = () =>
    project.start(["worker", "--store", storePath(folder.path), "--agent", agentFile], {
      env: { HOLDPOINT_TEST_FOLDER: folder.path },
    });

  const first = startWorker();
  onTestFinished(() => void first.child.kill("SIGKILL"));
  await until("effects are under way", () => readLedger(folder.path).length > 20);
  first.child.kill("SIGTERM");
  expect(await first.ended).toMatchObject({ code: 0, signal: null });
  expect(ended(folder)).toBeLessThan(40); // it was in the middle

  const second = startWorker();
  onTestFinished(() => void second.child.kill("SIGKILL"));
  await until("all threads end", () => ended(folder) === 40, 20_000); // its leases would have been for 30 s
  second.child.kill("SIGTERM");
  expect(await second.ended).toMatchObject({ code: 0, signal: null });
  checkEnds(folder);
  expect(await inspectWorld({ ...options, acknowledged: new Acknowledged() })).toEqual(nothing);
});

function leases(folder: Folder, { reports }: Child): number {
  const ready = reports.find((report) => report.kind === "ready");
  const db = new DatabaseSync(storePath(folder.path), { readOnly: true });
  const row = db
    .prepare("SELECT count(*) AS leases FROM heads WHERE lease_owner = ?")
    .get(ready?.owner ?? "");
  db.close();
  return Number(row?.leases);
}

function startJobs(child: Child, count: number): readonly Promise<unknown>[] {
  return Array.from({ length: count }, (_, number) =>
    child.command({ do: "start", input: { cents: 50, times }, key: `${child.pid} ${number}` }),
  );
}

function ended(folder: Folder): number {
  return [...readLogs(folder.path).values()].filter((log) => log.status === "completed").length;
}

function eventsOf({ reports }: Child): number {
  return reports.reduce((sum, report) => sum + (report.kind === "appended" ? report.events.length : 0), 0);
}

/** One end each, all paid, nothing broken off. */
function checkEnds(folder: Folder): void {
  for (const { threadId, events } of readLogs(folder.path).values()) {
    const types = events.map((event) => event.type);
    const count = (type: string): number => types.filter((one) => one === type).length;
    expect({
      threadId,
      ends: count("thread_completed"),
      paid: count("action_completed"),
      doubts: count("action_in_doubt"),
      last: types.at(-1),
    }).toEqual({
      threadId,
      ends: 1,
      paid: times,
      doubts: 0,
      last: "thread_completed",
    });
  }
}
