// A log is read in pieces: what holds within one must hold where two meet.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
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
