import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asked, noon, start } from "../../testing/store-contract/case.ts";
import { currentVersion, migrate, migrations, schemaVersion } from "./schema.ts";
import { openSqliteStore, type SqliteStore } from "./store.ts";

let folder = "";
let path = "";
let store: SqliteStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdpoint-outbox-"));
  path = join(folder, "holdpoint.db");
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

test("a file of the first version gets its tables, and its open requests are there to be told of", async () => {
  const old = new DatabaseSync(path);
  migrate(old, migrations.slice(0, 1));
  expect(schemaVersion(old)).toBe(1);
  old.close();
  store = await openSqliteStore({ path });
  await start(store, "t", asked("r_1"));
  expect(await store.outbox.unseen("c")).toMatchObject({
    facts: [{ type: "request_opened", requestId: "r_1" }],
  });
  await store.close();
  const now = new DatabaseSync(path);
  expect(schemaVersion(now)).toBe(currentVersion);
  now.close();
});

test("an event that is damaged holds up none of the others", async () => {
  store = await openSqliteStore({ path });
  await start(store, "t", asked("r_1"), asked("r_2"));
  const other = new DatabaseSync(path);
  other.exec(`UPDATE events SET body = '{"type":"request_opened",' WHERE id = 2`);
  other.close();
  expect((await store.outbox.unseen("c"))?.facts.map(({ requestId }) => requestId)).toEqual(["r_2"]);
});

test("what a receiver says is kept in part: it may be long", async () => {
  store = await openSqliteStore({ path });
  await start(store, "t", asked("r_1"));
  const changes = [{ kind: "ask", eventId: 2, requestId: "r_1", recipients: ["dana"] }] as const;
  await store.outbox.advance({ channel: "c", from: 0, to: 0, changes, now: noon });
  const claimed = await store.outbox.claim({ channel: "c", owner: "w1", leaseMs: 1_000, now: noon });
  if (!claimed) throw new Error("it is due");
  await store.outbox.settle(claimed, { kind: "dead", error: "x".repeat(2_000) }, noon);
  const [dead] = (await store.outbox.deliveries({ status: "dead" })).rows;
  expect(dead?.tries[0]?.error).toHaveLength(500);
});
