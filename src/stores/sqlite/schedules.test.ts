import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ScheduleClaim } from "../../ports/schedule-store.ts";
import { migrate, migrations, schemaVersion } from "./schema.ts";
import { openSqliteStore, type SqliteStore } from "./store.ts";

let folder: string;
let path: string;
let open: SqliteStore[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "holdpoint-schedules-"));
  path = join(folder, "holdpoint.db");
  open = [];
});
afterEach(async () => {
  for (const store of open) await store.close();
  rmSync(folder, { recursive: true });
});

async function openStore(readOnly = false): Promise<SqliteStore> {
  const store = await openSqliteStore({ path, readOnly });
  open.push(store);
  return store;
}

const nightly = { name: "nightly", definition: "d1" };

function claimOf(changes: Partial<ScheduleClaim> = {}): ScheduleClaim {
  return { ...nightly, from: 100, to: 200, ticks: [150, 200], agent: "a", problem: null, ...changes };
}

test("S1. of claims of the same ticks one is granted, over two connections, in any mixture", async () => {
  const [one, other] = [await openStore(), await openStore()];
  await one.schedules.register({ ...nightly, now: 0 });
  for (let from = 0; from < 20; from++) {
    const claims = [one, other, one, other].map(({ schedules }) =>
      schedules.claim(claimOf({ from, to: from + 1, ticks: [from + 1] })),
    );
    expect((await Promise.all(claims)).filter((granted) => granted)).toHaveLength(1);
  }
  expect(await other.schedules.list()).toMatchObject([{ cursor: 20, waiting: 20 }]);
});

test.each<[string, Partial<ScheduleClaim>]>([
  ["from another place", { from: 99 }],
  ["for another definition", { definition: "d2" }],
  ["for a schedule that nobody registered", { name: "hourly" }],
])("S1. a claim %s is refused and leaves nothing behind", async (_name, changes) => {
  const { schedules } = await openStore();
  await schedules.register({ ...nightly, now: 100 });
  expect(await schedules.claim(claimOf(changes))).toBe(false);
  expect(await schedules.list()).toMatchObject([{ name: "nightly", cursor: 100, waiting: 0 }]);
  expect(await schedules.waiting(changes.name ?? "nightly", 10)).toEqual([]);
});

test("S1. a claim of a paused schedule is refused", async () => {
  const { schedules } = await openStore();
  await schedules.register({ ...nightly, now: 100 });
  await schedules.pause({ name: "nightly", by: "dana@example.com", now: 120 });
  expect(await schedules.claim(claimOf())).toBe(false);
  await schedules.resume({ name: "nightly", now: 100 });
  expect(await schedules.claim(claimOf())).toBe(true);
});

test("S2. claimed ticks are there after the file was closed, until each was started or given up", async () => {
  const first = await openStore();
  await first.schedules.register({ ...nightly, now: 100 });
  await first.schedules.claim(claimOf({ ticks: [120, 150, 200] }));
  await first.close();
  const { schedules } = await openStore();
  expect(await schedules.waiting("nightly", 2)).toEqual([
    { name: "nightly", tick: 120, agent: "a" },
    { name: "nightly", tick: 150, agent: "a" },
  ]);
  await schedules.started({ name: "nightly", tick: 200, threadId: "th_200" });
  await schedules.started({ name: "nightly", tick: 120, threadId: "th_120" });
  await schedules.failed({ name: "nightly", tick: 150, problem: "it cannot be started" });
  expect(await schedules.list()).toMatchObject([
    { waiting: 0, lastTick: 200, lastThreadId: "th_200", problem: "it cannot be started" },
  ]);
});

test("registering again changes nothing, unless the definition is another: then it goes on from now", async () => {
  const { schedules } = await openStore();
  await schedules.register({ ...nightly, now: 100 });
  await schedules.register({ ...nightly, now: 500 });
  expect(await schedules.list()).toMatchObject([{ definition: "d1", cursor: 100 }]);
  await schedules.register({ name: "nightly", definition: "d2", now: 500 });
  expect(await schedules.list()).toMatchObject([{ definition: "d2", cursor: 500 }]);
});

test("resuming a schedule that is not paused leaves out nothing", async () => {
  const { schedules } = await openStore();
  await schedules.register({ ...nightly, now: 100 });
  expect(await schedules.resume({ name: "nightly", now: 500 })).toBe(true);
  expect(await schedules.list()).toMatchObject([{ cursor: 100 }]);
});

test("a file of version 1 gets the tables, and the store verifies with rows in them", async () => {
  const database = new DatabaseSync(path);
  migrate(database, migrations.slice(0, 1));
  expect(schemaVersion(database)).toBe(1);
  database.close();
  const store = await openStore();
  await store.schedules.register({ ...nightly, now: 100 });
  await store.schedules.claim(claimOf());
  expect(await store.verify({ rebuild: true })).toMatchObject({ problems: [] });
  const reader = await openStore(true);
  expect(await reader.schedules.list()).toMatchObject([{ waiting: 2 }]);
  await expect(reader.schedules.register({ ...nightly, now: 1 })).rejects.toMatchObject({
    code: "store_read_only",
  });
});
