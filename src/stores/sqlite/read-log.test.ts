// A log is read in pieces: what holds within one must hold where two meet.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { noted, start } from "../../testing/store-contract/case.ts";
import { openSqliteStore } from "./store.ts";

const length = 129; // two pieces, and one of a single event

let folder = "";
let path = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdpoint-read-"));
  path = join(folder, "holdpoint.db");
  const notes = Array.from({ length: length - 1 }, (_, index) => noted(index));
  await using store = await openStore();
  for (const threadId of ["other", "t"]) await start(store, threadId, ...notes);
});
afterEach(() => rm(folder, { recursive: true }));

test("a long log is read whole, and from any event on", async () => {
  await using store = await openStore();
  const events = await store.read("t");
  expect(events.map((event) => event.seq)).toEqual(Array.from({ length }, (_, index) => index + 1));
  for (const afterSeq of [0, 1, 2, 64, 65, 66, 128, 129])
    expect(await store.read("t", { afterSeq })).toEqual(events.slice(afterSeq));
});

test("a page is read as it stands in the whole, from every place, also while the log grows", async () => {
  await using store = await openStore();
  const events = await store.read("t");
  for (let afterSeq = 0; afterSeq <= length; afterSeq += 7)
    for (const limit of [0, 1, 2, 63, 64, 65, 200])
      expect(await store.read("t", { afterSeq, limit })).toEqual(events.slice(afterSeq, afterSeq + limit));
  const more = Array.from({ length: 2_000 }, (_, index) => ({ body: noted(index), at: events[0]?.at ?? "" }));
  await store.append({ threadId: "t", expectedSeq: length, events: more });
  const grown = await store.read("t");
  for (const afterSeq of [0, 100, 511, 512, 513, 1_023, 1_500, 2_128])
    for (const limit of [1, 24, 512, 600])
      expect(await store.read("t", { afterSeq, limit })).toEqual(grown.slice(afterSeq, afterSeq + limit));
});

test("a page of a long log that was paged before walks over no more than its part of it", async () => {
  const walks: number[] = [];
  const store = await openSqliteStore({ path, hooks: { opened: (database) => watchWalks(database, walks) } });
  const at = (await store.read("t"))[0]?.at ?? "";
  const more = Array.from({ length: 20_000 }, (_, index) => ({ body: noted(index), at }));
  await store.append({ threadId: "t", expectedSeq: length, events: more });
  await store.read("t", { limit: 100 }); // finds the places
  expect(walks).toEqual([20_000 + length - 100]);
  for (const afterSeq of [100, 5_000, 10_000, 19_000])
    expect(await store.read("t", { afterSeq, limit: 100 })).toHaveLength(100);
  expect(walks).toHaveLength(5);
  expect(Math.max(...walks.slice(1))).toBeLessThanOrEqual(512);
  await store.close();
});

/** How many events each walk down a log goes over: from where it begins to the event that it looks for. */
function watchWalks(database: DatabaseSync, walks: number[]): void {
  const prepare = database.prepare.bind(database);
  database.prepare = (sql) => {
    const statement = prepare(sql);
    if (!sql.includes("AS eventId, seq FROM log")) return statement;
    const all = statement.all.bind(statement);
    statement.all = ((...values: SQLInputValue[]) => {
      const [from = 0, , to] = values;
      const begin = prepare("SELECT seq FROM events WHERE id = ?").get(Number(from))?.seq;
      walks.push(Number(begin) - Number(to));
      return all(...values);
    }) as typeof statement.all; // it is called with values alone
    return statement;
  };
}

test("wherever a log goes on in another thread's, it is damaged", async () => {
  for (const seq of [2, 3, 64, 65, 66, 67, 128, 129]) {
    const previous = "SELECT id FROM events WHERE thread_num = 1 AND seq = ?";
    changeFile(`UPDATE events SET prev = (${previous}) WHERE thread_num = 2 AND seq = ?`, seq - 1, seq);
    await using store = await openStore();
    await expect(store.read("t"), `at ${seq}`).rejects.toMatchObject({ code: "store_corrupt" });
    changeFile("UPDATE events SET prev = id - 1 WHERE thread_num = 2 AND seq = ?", seq);
  }
});

async function openStore() {
  const store = await openSqliteStore({ path });
  return { ...store, [Symbol.asyncDispose]: () => store.close() };
}

function changeFile(sql: string, ...values: readonly number[]): void {
  const database = new DatabaseSync(path);
  expect(database.prepare(sql).run(...values).changes).toBe(1);
  database.close();
}
