import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { answered, append, asked, completed, noon, start } from "../../testing/store-contract/case.ts";
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

function advance(changes: Parameters<SqliteStore["outbox"]["advance"]>[0]["changes"], from = 0, to = from) {
  return store.outbox.advance({ channel: "c", from, to, changes, now: noon });
}

function claim(now = noon) {
  return store.outbox.claim({ channel: "c", owner: "w1", leaseMs: 1_000, now });
}

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

test("facts come in the order of commits, over all threads, once, and only those that concern people", async () => {
  store = await openSqliteStore({ path });
  await start(store, "one", asked("r_1"));
  await start(store, "two", asked("r_2"));
  await append(store, "one", 2, answered("r_1"), completed());
  const batch = await store.outbox.unseen("c");
  expect(batch?.facts.map(({ type, requestId }) => [type, requestId])).toEqual([
    ["request_opened", "r_2"], // the oldest that is open: what is before it is not read
    ["request_decided", "r_1"],
    ["thread_completed", null],
  ]);
  await advance([], batch?.from, batch?.to);
  expect(await store.outbox.unseen("c")).toBeNull();
});

test("an event that is damaged holds up none of the others", async () => {
  store = await openSqliteStore({ path });
  await start(store, "t", asked("r_1"), asked("r_2"));
  const other = new DatabaseSync(path);
  other.exec(`UPDATE events SET body = '{"type":"request_opened",' WHERE id = 2`);
  other.close();
  expect((await store.outbox.unseen("c"))?.facts.map(({ requestId }) => requestId)).toEqual(["r_2"]);
});

test("a delivery is held by one until its lease ends, and settled by who holds it", async () => {
  store = await openSqliteStore({ path });
  await start(store, "t", asked("r_1"));
  await advance([{ kind: "ask", eventId: 2, requestId: "r_1", recipients: ["dana"] }]);
  const first = await claim();
  if (!first) throw new Error("it is due");
  expect(await claim()).toBeNull();
  const second = await claim(noon + 1_000);
  expect(second?.delivery.deliveryId).toBe(first.delivery.deliveryId);
  expect(await store.outbox.settle(first, { kind: "sent", receipt: 1 }, noon)).toBe(false);
  expect(second && (await store.outbox.settle(second, { kind: "sent", receipt: 2 }, noon))).toBe(true);
  expect((await store.outbox.deliveries({})).rows).toMatchObject([
    { status: "sent", receipt: 2, attempts: 2 },
  ]);
});

test("the list goes on where it ended, and refuses what is no cursor", async () => {
  store = await openSqliteStore({ path });
  await start(store, "t", asked("r_1"));
  const recipients = ["a", "b", "c", "d", "e"];
  await advance([{ kind: "ask", eventId: 2, requestId: "r_1", recipients }]);
  const seen: string[] = [];
  for (let cursor: string | null = "0"; cursor !== null; ) {
    const page: Awaited<ReturnType<SqliteStore["outbox"]["deliveries"]>> = await store.outbox.deliveries({
      limit: 2,
      cursor,
    });
    seen.push(...page.rows.map(({ recipient }) => recipient));
    cursor = page.nextCursor;
  }
  expect(seen).toEqual(recipients);
  await expect(store.outbox.deliveries({ cursor: "x" })).rejects.toMatchObject({ code: "usage" });
  await expect(store.outbox.deliveries({ limit: 0 })).rejects.toMatchObject({ code: "usage" });
});

test("a request that is gone is asked of nobody, and a dead ask of a closed one is not sent again", async () => {
  store = await openSqliteStore({ path });
  await start(store, "t", asked("r_1"));
  await advance([
    { kind: "ask", eventId: 2, requestId: "r_gone", recipients: ["dana"] },
    { kind: "ask", eventId: 2, requestId: "r_1", recipients: ["dana"] },
  ]);
  const claimed = await claim();
  if (!claimed) throw new Error("it is due");
  await store.outbox.settle(claimed, { kind: "dead", error: "x".repeat(2_000) }, noon);
  const [dead] = (await store.outbox.deliveries({ status: "dead" })).rows;
  expect(dead?.tries[0]?.error).toHaveLength(500);
  await append(store, "t", 2, answered("r_1"));
  await expect(store.outbox.retry(dead?.deliveryId ?? "", noon)).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining("request r_1 is decided"),
  });
  expect((await store.verify({})).problems).toEqual([]);
});
