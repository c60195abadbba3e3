// One thread per tick: over two processes, after downtime, crashes, changes, and whatever a clock does.
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { agent } from "../../src/core/agent.ts";
import type { ScheduleStore } from "../../src/ports/schedule-store.ts";
import { openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/store.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { type Fired, fireSchedules } from "../../src/triggers/fire-schedules.ts";
import { type Schedule, type ScheduleDefinition, schedule } from "../../src/triggers/schedule.ts";
import { registerSchedules, startSchedules } from "../../src/triggers/start-schedules.ts";
import { openTestRuntime, type TestRuntime, tempFolder } from "../kit/runtime.ts";

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.UTC(2026, 5, 1);
const never = new AbortController().signal;

const report = agent({
  name: "report",
  input: z.object({ day: z.string() }).optional(),
  flow: async (_t, input) => input ?? null,
});

/** Processes that share a file, each with a clock of its own. */
function newWorld() {
  const folder = tempFolder();
  const opened: TestRuntime[] = [];
  onTestFinished(async () => {
    for (const runtime of opened) await runtime.close();
    folder.remove();
  });
  return {
    async open(
      startMs = start,
      options: { readonly unready?: ReadonlyMap<string, readonly string[]> } = {},
    ): Promise<Worker> {
      const store = await openSqliteStore({ path: join(folder.path, "holdpoint.db") });
      const clock = manualClock(startMs);
      const runtime = await openTestRuntime({ folder, store, clock, agents: [report], ...options });
      opened.push(runtime);
      return workerOf(runtime, store);
    },
  };
}

interface Worker {
  readonly test: TestRuntime;
  readonly store: SqliteStore;
  register(...schedules: readonly Schedule[]): Promise<void>;
  fire(...schedules: readonly Schedule[]): Promise<Fired>;
  /** Ticks of which there is a thread, in order of their start. */
  started(): Promise<readonly string[]>;
}

function workerOf(test: TestRuntime, store: SqliteStore): Worker {
  return {
    test,
    store,
    register: (...schedules) => registerSchedules(test.runtime, { schedules, store: store.schedules }),
    fire: (...schedules) => fireSchedules(test.runtime, { schedules, store: store.schedules, signal: never }),
    started: async () => {
      const rows = [...(await store.threads({ limit: 1_000 })).rows].reverse();
      return rows.map(({ title }) => title.replace(/^.*?(2026[^"]*).*$/, "$1"));
    },
  };
}

function nightly(changes: Partial<ScheduleDefinition> = {}): Schedule {
  return schedule({
    name: "nightly",
    agent: "report",
    cron: "0 2 * * *",
    input: ({ at }: { readonly at: string }) => ({ day: at }),
    ...changes,
  });
}

describe("a tick", () => {
  test("starts one thread, in the schedule's name, when it is due and not before", async () => {
    const worker = await newWorld().open();
    await worker.register(nightly());
    expect(await worker.fire(nightly())).toEqual({ started: [], problems: [], nextAt: start + 2 * hour });
    worker.test.clock.set(start + 2 * hour);
    const { started } = await worker.fire(nightly());
    expect(started).toEqual([
      { schedule: "nightly", tick: "2026-06-01T02:00:00.000Z", threadId: expect.any(String) },
    ]);
    const [event] = await worker.test.events(started[0]?.threadId ?? "");
    expect(event).toMatchObject({
      by: "schedule:nightly",
      input: { value: { day: "2026-06-01T02:00:00.000Z" } },
    });
    expect((await worker.fire(nightly())).started).toEqual([]);
    expect(await worker.store.schedules.list()).toMatchObject([
      { lastTick: start + 2 * hour, lastThreadId: started[0]?.threadId, waiting: 0, problem: null },
    ]);
  });

  test("starts one thread over five processes that all look at once, night after night", async () => {
    const world = newWorld();
    const workers = await Promise.all(Array.from({ length: 5 }, () => world.open()));
    for (const worker of workers) await worker.register(nightly());
    for (let night = 0; night < 10; night++) {
      for (const [index, { test }] of workers.entries())
        test.clock.set(start + night * day + 2 * hour + index * 300); // their clocks differ a little
      await Promise.all(workers.map((worker) => worker.fire(nightly())));
    }
    const started = (await workers[0]?.started()) ?? [];
    expect(started).toHaveLength(10);
    expect(new Set(started).size).toBe(10);
  });

  test("that is claimed by a process which dies is started by another, once", async () => {
    const world = newWorld();
    const dying = await world.open();
    const other = await world.open();
    await dying.register(nightly());
    for (const { test } of [dying, other]) test.clock.set(start + 2 * hour);
    const dead = new Error("killed");
    const crashing: ScheduleStore = { ...dying.store.schedules, waiting: () => Promise.reject(dead) };
    const fired = await fireSchedules(dying.test.runtime, {
      schedules: [nightly()],
      store: crashing,
      signal: never,
    });
    expect(fired.problems).toEqual([{ schedule: "nightly", error: dead }]);
    expect(await other.store.schedules.list()).toMatchObject([{ waiting: 1, cursor: start + 2 * hour }]);
    expect((await other.fire(nightly())).started).toHaveLength(1);
    expect(await other.started()).toEqual(["2026-06-01T02:00:00.000Z"]);
  });

  test("that was started by a process which dies before it says so is not started again", async () => {
    const world = newWorld();
    const dying = await world.open();
    const other = await world.open();
    await dying.register(nightly());
    for (const { test } of [dying, other]) test.clock.set(start + 2 * hour);
    const crashing: ScheduleStore = {
      ...dying.store.schedules,
      started: () => Promise.reject(new Error("killed")),
    };
    await fireSchedules(dying.test.runtime, { schedules: [nightly()], store: crashing, signal: never });
    await other.fire(nightly());
    expect(await other.started()).toEqual(["2026-06-01T02:00:00.000Z"]);
    expect(await other.store.schedules.list()).toMatchObject([{ waiting: 0 }]);
  });

  test("whose input is made by a promise that fails is told of, and ends no process", async () => {
    const worker = await newWorld().open();
    const late = nightly({ input: async () => Promise.reject(new Error("late")) });
    await worker.register(late);
    worker.test.clock.set(start + 2 * hour);
    expect((await worker.fire(late)).problems).toMatchObject([{ error: { code: "invalid_input" } }]);
  });

  test("whose input the agent does not take is told of and left, and the next one comes", async () => {
    const worker = await newWorld().open();
    const broken = nightly({
      input: ({ at }: { at: string }) => (at.includes("06-01") ? { day: 7 } : { day: at }),
    });
    await worker.register(broken);
    worker.test.clock.set(start + 2 * hour);
    expect((await worker.fire(broken)).problems).toMatchObject([{ error: { code: "invalid_input" } }]);
    expect(await worker.store.schedules.list()).toMatchObject([
      { waiting: 0, problem: expect.stringContaining("tick 2026-06-01T02:00:00.000Z: ") },
    ]);
    worker.test.clock.set(start + day + 2 * hour);
    expect((await worker.fire(broken)).started).toHaveLength(1);
    expect(await worker.store.schedules.list()).toMatchObject([{ problem: null }]);
  });
});

describe("ticks that were missed", () => {
  test.each([
    { missed: "skip" as const, expected: [] },
    { missed: "once" as const, expected: ["2026-06-04T02:00:00.000Z"] },
    {
      missed: "all" as const,
      expected: ["01", "02", "03", "04"].map((day) => `2026-06-${day}T02:00:00.000Z`),
    },
  ])("with $missed", async ({ missed, expected }) => {
    const world = newWorld();
    const before = await world.open();
    await before.register(nightly({ missed }));
    const after = await world.open(start + 3 * day + 5 * hour); // nobody was there for four nights
    await after.register(nightly({ missed }));
    await after.fire(nightly({ missed }));
    expect(await after.started()).toEqual(expected);
    after.test.clock.set(start + 4 * day + 2 * hour);
    await after.fire(nightly({ missed }));
    expect(await after.started()).toEqual([...expected, "2026-06-05T02:00:00.000Z"]);
  });

  test("by thousands: the newest thousand are started, and it is said", async () => {
    const worker = await newWorld().open();
    const minutely = nightly({ cron: "* * * * *", missed: "all" });
    await worker.register(minutely);
    worker.test.clock.set(start + 3 * day);
    const first = await worker.fire(minutely);
    expect(first.problems).toMatchObject([{ error: { code: "limit_reached" } }]);
    expect(await worker.store.schedules.list()).toMatchObject([
      { problem: expect.stringContaining("more than 1000") },
    ]);
    let total = first.started.length;
    for (let more = total; more > 0; total += more) more = (await worker.fire(minutely)).started.length;
    expect(total).toBe(1_000);
    expect((await worker.started()).at(-1)).toBe("2026-06-04T00:00:00.000Z");
  });
});

describe("a clock", () => {
  test("that is set back brings no tick twice", async () => {
    const worker = await newWorld().open();
    await worker.register(nightly({ missed: "all" }));
    for (const at of [2 * hour, hour, 2 * hour, 2 * hour + 1, day + 2 * hour, 2 * hour, day + 2 * hour]) {
      worker.test.clock.set(start + at);
      await worker.fire(nightly({ missed: "all" }));
    }
    expect(await worker.started()).toEqual(["2026-06-01T02:00:00.000Z", "2026-06-02T02:00:00.000Z"]);
  });

  test("that ran far ahead silences a schedule until it is paused and resumed, and then brings no tick twice", async () => {
    const worker = await newWorld().open();
    await worker.register(nightly());
    worker.test.clock.set(start + 2 * hour);
    await worker.fire(nightly());
    worker.test.clock.set(start + 200 * day);
    await worker.fire(nightly());
    worker.test.clock.set(start + hour);
    expect((await worker.fire(nightly())).nextAt).toBeGreaterThan(start + 199 * day);
    await worker.store.schedules.pause({ name: "nightly", by: "dana@example.com", now: start + hour });
    await worker.store.schedules.resume({ name: "nightly", now: start + hour });
    worker.test.clock.set(start + 2 * hour);
    await worker.fire(nightly());
    expect(await worker.started()).toEqual(["2026-06-01T02:00:00.000Z", "2026-12-17T02:00:00.000Z"]);
  });
});

describe("a schedule", () => {
  test("whose expression changed goes on from now", async () => {
    const world = newWorld();
    const worker = await world.open();
    await worker.register(nightly({ missed: "all" }));
    worker.test.clock.set(start + 3 * day);
    const hourly = nightly({ cron: "0 * * * *", missed: "all" });
    await worker.register(hourly);
    expect((await worker.fire(hourly)).started).toEqual([]);
    worker.test.clock.set(start + 3 * day + hour);
    await worker.fire(hourly);
    expect(await worker.started()).toEqual(["2026-06-04T01:00:00.000Z"]);
  });

  test("whose input or agent changed goes on where it was", async () => {
    const worker = await newWorld().open();
    await worker.register(nightly());
    worker.test.clock.set(start + 2 * hour);
    const other = nightly({ input: { day: "2026" } });
    await worker.register(other);
    expect((await worker.fire(other)).started).toHaveLength(1);
  });

  test("that another process defined otherwise is left to it", async () => {
    const world = newWorld();
    const old = await world.open();
    const fresh = await world.open();
    const hourly = nightly({ cron: "0 * * * *" });
    await old.register(nightly());
    await fresh.register(hourly);
    for (const { test } of [old, fresh]) test.clock.set(start + 2 * hour);
    expect((await old.fire(nightly())).problems).toMatchObject([{ error: { code: "usage" } }]);
    await fresh.fire(hourly);
    expect(await fresh.started()).toEqual(["2026-06-01T02:00:00.000Z"]);
  });

  test("that is paused starts nothing, and makes up for nothing when it is resumed", async () => {
    const worker = await newWorld().open();
    const { schedules } = worker.store;
    const all = nightly({ missed: "all" });
    await worker.register(all);
    expect(await schedules.pause({ name: "nightly", by: "dana@example.com", now: start })).toBe(true);
    expect(await schedules.pause({ name: "nightly", by: "lee@example.com", now: start + 1 })).toBe(true);
    expect(await schedules.list()).toMatchObject([{ pausedAt: start, pausedBy: "dana@example.com" }]);
    worker.test.clock.set(start + 2 * day + 3 * hour);
    await worker.register(all); // a restart resumes nothing
    expect(await worker.fire(all)).toMatchObject({ started: [], nextAt: null });
    expect(await schedules.resume({ name: "nightly", now: worker.test.clock.now() })).toBe(true);
    expect((await worker.fire(all)).started).toEqual([]);
    worker.test.clock.set(start + 3 * day + 2 * hour);
    await worker.fire(all);
    expect(await worker.started()).toEqual(["2026-06-04T02:00:00.000Z"]);
    expect(await schedules.pause({ name: "none", by: "dana@example.com", now: start })).toBe(false);
    expect(await schedules.resume({ name: "none", now: start })).toBe(false);
  });

  test("goes by its time zone: each night once, also when the clocks are changed", async () => {
    const world = newWorld();
    const berlin = nightly({ cron: "30 2 * * *", timezone: "Europe/Berlin", missed: "all" });
    const worker = await world.open(Date.UTC(2026, 9, 23, 12));
    await worker.register(berlin);
    for (let at = Date.UTC(2026, 9, 23, 12); at < Date.UTC(2026, 9, 26, 12); at += 10 * 60_000) {
      worker.test.clock.set(at);
      await worker.fire(berlin);
    }
    expect(await worker.started()).toEqual([
      "2026-10-24T00:30:00.000Z",
      "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z",
    ]);
  });

  test("is recorded as failed where its agent is not ready, and the next one starts where it is", async () => {
    const world = newWorld();
    const worker = await world.open(start, { unready: new Map([["report", ["prompt_secret"]]]) });
    await worker.register(nightly());
    worker.test.clock.set(start + 2 * hour);
    const { started, problems } = await worker.fire(nightly());
    expect({ started, problems }).toMatchObject({
      started: [],
      problems: [{ schedule: "nightly", error: { code: "check_failed" } }],
    });
    expect(await worker.store.schedules.list()).toMatchObject([
      { problem: expect.stringContaining("prompt_secret") },
    ]);
    const mended = await world.open(start + day + 2 * hour);
    expect((await mended.fire(nightly())).started).toMatchObject([{ tick: "2026-06-02T02:00:00.000Z" }]);
  });

  test("is checked before it starts: its agent, its input, its name", async () => {
    const worker = await newWorld().open();
    await expect(worker.register(nightly({ agent: "nobody" }))).rejects.toMatchObject({
      code: "agent_not_found",
    });
    await expect(worker.register(nightly({ input: { day: 7 } }))).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("schedule nightly: its input is not valid for agent report: day: "),
    });
    await expect(worker.register(nightly(), nightly())).rejects.toMatchObject({ code: "usage" });
    expect(() => nightly({ name: "a b" })).toThrow(expect.objectContaining({ code: "usage" }));
    expect(() => nightly({ missed: "some" as never })).toThrow(/missed is "some"/);
    expect(() => nightly({ cron: "at noon" })).toThrow(/schedule "nightly": "at noon" is no cron expression/);
  });
});

describe("startSchedules", () => {
  test("starts ticks as they come, and none after it was closed", async () => {
    const worker = await newWorld().open();
    const secondly = nightly({ cron: "* * * * * *" });
    const schedules = await startSchedules(worker.test.runtime, {
      schedules: [secondly],
      store: worker.store.schedules,
    });
    for (let seconds = 1; seconds <= 3; seconds++) {
      await worker.test.clock.advance(1_000);
      await expect.poll(async () => (await worker.started()).length).toBe(seconds);
      await expect.poll(() => worker.test.clock.pending).toBe(1);
    }
    await schedules.close();
    await worker.test.clock.advance(5_000);
    expect(await worker.started()).toHaveLength(3);
    expect(worker.test.clock.pending).toBe(0);
  });

  test("tells of what stays wrong once, and goes on when it is mended", async () => {
    const problems: unknown[] = [];
    const folder = tempFolder();
    const store = await openSqliteStore({ path: join(folder.path, "holdpoint.db") });
    const opened = await openTestRuntime({
      folder,
      store,
      agents: [report],
      clock: manualClock(start),
      observe: (hint) => hint.kind === "problem" && problems.push(hint.error),
    });
    onTestFinished(async () => {
      await opened.close();
      folder.remove();
    });
    let isBroken = true;
    const list = (): ReturnType<ScheduleStore["list"]> =>
      isBroken ? Promise.reject(new Error("the disk is away")) : store.schedules.list();
    const schedules = await startSchedules(opened.runtime, {
      schedules: [nightly({ cron: "* * * * * *" })],
      store: { ...store.schedules, list },
    });
    for (let seconds = 0; seconds < 5; seconds++) await opened.clock.advance(1_000);
    expect(problems).toMatchObject([{ message: "the disk is away" }]);
    isBroken = false;
    await opened.clock.advance(1_000);
    await expect.poll(async () => (await store.threads({})).rows.length).toBeGreaterThan(0);
    await schedules.close();
  });
});
