import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendThreads } from "../../../test/kit/append-threads.ts";
import { lastDay, type RandomThread, randomThreads } from "../../../test/kit/random-threads.ts";
import { type Folder, tempFolder } from "../../../test/kit/runtime.ts";
import { pruneSqliteStore } from "./prune.ts";
import { openSqliteStore, type SqliteStore } from "./store.ts";

const threads = randomThreads("store", 200);
const always = { from: 0, until: lastDay * 2 };

let folder: Folder;
let path: string;
let open: SqliteStore[] = [];
beforeEach(() => {
  folder = tempFolder();
  path = `${folder.path}/holdpoint.db`;
});
afterEach(async () => {
  for (const store of open) await store.close();
  open = [];
  folder.remove();
});

async function opened(hooks = {}): Promise<SqliteStore> {
  const store = await openSqliteStore({ path, hooks });
  open.push(store);
  return store;
}

async function change(sql: string): Promise<void> {
  for (const store of open) await store.close();
  open = [];
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

describe("numbers of a store", () => {
  it("are filled from the logs of a file that was made before there were any", async () => {
    const store = await opened();
    await appendThreads([store], threads);
    const before = await store.numbers.read(always);
    expect(before.threads.length).toBeGreaterThan(100);
    await change(
      "DROP TABLE thread_numbers; DROP TABLE thread_facts; DROP TABLE sessions; DROP INDEX threads_standing; PRAGMA user_version = 5",
    );
    const later = await opened();
    expect(await later.numbers.read(always)).toEqual(before);
    expect((await later.verify({})).problems).toEqual([]);
  });

  it("count once what a transaction that was rolled back had counted before", async () => {
    let commits = 0;
    const store = await opened({
      beforeCommit() {
        commits += 1;
        if (commits % 3 === 0)
          throw Object.assign(new Error("busy"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
      },
    });
    await appendWhateverHappens(store);
    const { threads: found } = await store.numbers.read(always);
    expect(found.length).toBeGreaterThan(20);
    expect((await store.verify({})).problems).toEqual([]);
  });

  it("that differ from the logs are found by verify, and mended by a rebuild", async () => {
    const store = await opened();
    await appendThreads([store], threads);
    const before = await store.numbers.read(always);
    await change(`UPDATE thread_numbers SET wall_ms = wall_ms + 1 WHERE thread_num = 1 OR thread_num = 7;
      DELETE FROM thread_facts WHERE kind = 'misoperation';
      INSERT INTO thread_facts VALUES (99999, 1, 'overflow', 1, 1)`);
    const later = await opened();
    const messages = (await later.verify({})).problems.map(({ message }) => message).join("\n");
    expect(messages).toMatch(/thread_numbers holds .* but the events say/);
    expect(messages).toMatch(/thread_facts holds .* but the events say/);
    expect(messages).toMatch(/thread_facts has 1 rows that belong to no log/);
    await later.verify({ rebuild: true });
    expect((await later.verify({})).problems).toEqual([]);
    expect(await later.numbers.read(always)).toEqual(before);
  });

  it("go with the threads that prune removes", async () => {
    const store = await opened();
    await appendThreads([store], threads);
    const endedBefore = new Date(lastDay * 2);
    const signal = new AbortController().signal;
    const { threads: removed } = await pruneSqliteStore({ path, endedBefore, now: endedBefore, signal });
    expect(removed).toBeGreaterThan(150);
    expect((await store.verify({})).problems).toEqual([]);
    expect((await store.numbers.read(always)).threads.length).toBeLessThan(3); // the newest thread stays
  });
});

/** Piece by piece, each again until it is in: as a session does when its store fails. */
async function appendWhateverHappens(store: SqliteStore): Promise<void> {
  for (const thread of threads.slice(0, 50)) {
    for (const [index] of thread.events.entries()) await appendOne(store, thread, index);
  }
}

async function appendOne(store: SqliteStore, { threadId, events }: RandomThread, seq: number): Promise<void> {
  const { seq: _seq, at, ...body } = events[seq] as RandomThread["events"][number];
  const append = { threadId, expectedSeq: seq, events: [{ body: body as never, at }] };
  while (!(await store.append(append).then(Boolean, () => false)));
}
