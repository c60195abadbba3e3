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
