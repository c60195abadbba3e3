import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HoldpointError } from "../../core/errors.ts";
import { append, noon, noted, sound, start, take } from "../../testing/store-contract/case.ts";
import { createGroupCommit, type GroupCommit, Refusal } from "./group-commit.ts";
import { openSqliteStore } from "./store.ts";

let folder = "";
let path = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdpoint-group-"));
  path = join(folder, "holdpoint.db");
});
afterEach(() => rm(folder, { recursive: true }));

describe("a group", () => {
  let database: DatabaseSync;
  let groups: number[];
  let rollbacks: number;
  let group: GroupCommit;

  beforeEach(() => {
    database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE list (item INTEGER UNIQUE)");
    groups = [];
    rollbacks = 0;
    group = createGroupCommit({
      database,
      path,
      busyMs: 100,
      onBegin: () => {},
      onRollback: () => {
        rollbacks += 1;
      },
      beforeCommit: (operations) => groups.push(operations),
    });
  });
  afterEach(() => database.close());

  const add = (item: number) => () =>
    database.prepare("INSERT INTO list VALUES (?)").run(item).lastInsertRowid;
  const list = () =>
    database
      .prepare("SELECT item FROM list ORDER BY item")
      .all()
      .map((row) => row.item);

  test("is what was asked for in one turn of the event loop, in one transaction", async () => {
    await Promise.all([group.run(add(1)), group.run(add(2)), group.run(add(3))]);
    await group.run(add(4));
    expect(groups).toEqual([3, 1]);
    expect(list()).toEqual([1, 2, 3, 4]);
  });

  test("is not failed by an operation that declines", async () => {
    const declined = new Refusal(new HoldpointError("append_conflict", "late"));
    const outcomes = await Promise.allSettled([
      group.run(add(1)),
      group.run(() => declined),
      group.run(add(2)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect([groups, rollbacks, list()]).toEqual([[3], 0, [1, 2]]);
  });

  test("goes on without an operation that throws, of which nothing stays", async () => {
    const half = () => {
      add(7)();
      throw new TypeError("half way");
    };
    const outcomes = await Promise.allSettled([
      group.run(add(1)),
      group.run(half),
      group.run(add(1)),
      group.run(add(2)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: { message: "half way" } });
    expect([rollbacks, list()]).toEqual([2, [1, 2]]);
  });

  test("of thousands is committed piece by piece, in order", async () => {
    await Promise.all(Array.from({ length: 2_000 }, (_, item) => group.run(add(item))));
    expect(groups).toEqual([512, 512, 512, 464]);
  });

  test("is drained before anyone closes the file", async () => {
    const pending = group.run(add(1));
    await group.drain();
    expect(list()).toEqual([1]);
    await pending;
    await group.drain();
  });
});

describe("another process that writes", () => {
  test("is waited for without stopping the event loop", async () => {
    const store = await openSqliteStore({ path });
    const other = lockFile();
    const pending = Promise.all([start(store, "t"), start(store, "u")]);
    let ticks = 0;
    for (const end = performance.now() + 200; performance.now() < end; ticks += 1) await sleep(1);
    expect(ticks).toBeGreaterThan(20);
    expect(await store.read("t")).toEqual([]); // readers never wait
    const late = start(store, "late");
    other.exec("COMMIT");
    expect(await pending).toEqual([1, 1]);
    expect(await late).toBe(1);
    other.close();
    await store.close();
  });

  test("for too long makes every write store_busy, and later ones work", async () => {
    const store = await openSqliteStore({ path, busyMs: 50 });
    const other = lockFile();
    const lease = { threadId: "t", owner: "w", ttlMs: 1, now: noon };
    const outcomes = await Promise.allSettled([start(store, "t"), start(store, "u"), store.lease(lease)]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ reason: { code: "store_busy", retryable: true } });
    other.exec("ROLLBACK");
    other.close();
    expect(await start(store, "t")).toBe(1);
    await sound(store);
    await store.close();
  });

  function lockFile(): DatabaseSync {
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    return other;
  }
});

describe("a disk that fails", () => {
  test("without space rejects the group with store_full, and goes on when there is some", async () => {
    let database: DatabaseSync | undefined;
    const opened = (connection: DatabaseSync) => {
      database = connection;
    };
    const store = await openSqliteStore({ path, hooks: { opened } });
    let head = await start(store, "t");
    database?.exec("PRAGMA max_page_count = 40");
    const big = "x".repeat(300_000);
    const outcomes = await Promise.allSettled([
      append(store, "t", head, noted("small")),
      append(store, "t", head + 1, noted(big)),
    ]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ reason: { code: "store_full", retryable: true } });
    head = await append(store, "t", head, noted("small"));
    database?.exec("PRAGMA max_page_count = 4294967294");
    head = await append(store, "t", head, noted(big));
    expect(head).toBe(3);
    expect(await store.read("t")).toHaveLength(3);
    await sound(store);
    await store.close();
  });

  test("at the commit rejects the whole group, remembers nothing of it, and goes on", async () => {
    let failures = 1;
    const beforeCommit = (operations: number) => {
      if (operations > 1 && failures-- > 0) throw new Error("the disk is gone");
    };
    const store = await openSqliteStore({ path, hooks: { beforeCommit } });
    await start(store, "t");
    const outcomes = await Promise.allSettled([
      append(store, "t", 1, noted(1)),
      append(store, "t", 2, noted(2)),
      start(store, "u"),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await store.read("u")).toEqual([]);
    const [again] = await Promise.all([
      append(store, "t", 1, noted("again")),
      start(store, "u"),
      take(store, "t"),
    ]);
    expect(again).toBe(2);
    await sound(store);
    await store.close();
  });
});
