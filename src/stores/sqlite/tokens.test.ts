import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Folder, tempFolder } from "../../../test/kit/runtime.ts";
import { event } from "../../core/events.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { pruneSqliteStore } from "./prune.ts";
import { migrate, migrations } from "./schema.ts";
import { openSqliteStore, type SqliteStore } from "./store.ts";

let folder: Folder;
let path: string;
const open: SqliteStore[] = [];

beforeEach(() => {
  folder = tempFolder();
  path = `${folder.path}/holdpoint.db`;
});
afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  folder.remove();
});

async function openStore(readOnly = false): Promise<SqliteStore> {
  const store = await openSqliteStore({ path, readOnly });
  open.push(store);
  return store;
}

const at = "2026-01-01T00:00:00.000Z";
const token: TokenRow = {
  tokenId: "tk_1",
  principal: "dana@example.com",
  scopes: ["read", "decide"],
  roles: ["lead"],
  createdAt: at,
  createdBy: "cli:root",
  expiresAt: null,
  revokedAt: null,
  usedAt: null,
};

async function start(store: SqliteStore, threadId: string): Promise<void> {
  const body = event("thread_started", { threadId, agent: "a", agentVersion: "1", input: {}, by: "test" });
  await store.append({ threadId, expectedSeq: 0, events: [{ body, at }] });
}

describe("tokens", () => {
  test("come to a store of the version before, and stay when it is checked, made anew and pruned", async () => {
    const old = new DatabaseSync(path);
    old.exec("PRAGMA journal_mode = WAL");
    migrate(old, migrations.slice(0, 1));
    old.close();
    const store = await openStore();
    await start(store, "t");
    await store.tokens.add(token, "hash");
    expect((await store.verify({ rebuild: true })).problems).toEqual([]);
    await store.close();
    await pruneSqliteStore({
      path,
      endedBefore: new Date(at),
      now: new Date(at),
      signal: new AbortController().signal,
    });
    expect(await (await openStore()).tokens.list()).toEqual([token]);
  });
});

describe("the feed", () => {
  test("names the threads that went on, whichever process appended", async () => {
    const store = await openStore();
    const other = await openStore();
    expect(await store.feed.head()).toBe(0);
    await start(store, "t1");
    const place = await store.feed.head();
    await start(other, "t2");
    await start(other, "t3");
    const head = await store.feed.head();
    expect((await store.feed.changed(place, head)).toSorted()).toEqual(["t2", "t3"]);
    expect(await store.feed.changed(head, head)).toEqual([]);
    expect(await store.feed.counts()).toEqual({
      threads: { running: 3 },
      requests: {},
      oldestOpenAt: null,
      events: 3,
    });
  });
});
