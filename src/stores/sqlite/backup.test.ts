import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { asked, started } from "../../testing/store-contract/case.ts";
import { backupSqliteStore } from "./backup.ts";
import { openSqliteStore, type SqliteStore } from "./store.ts";

let folder = "";
let path = "";
let to = "";
let store: SqliteStore;
const at = "2026-11-23T12:00:00.000Z";
const { signal } = new AbortController();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdpoint-backup-"));
  [path, to] = [join(folder, "holdpoint.db"), join(folder, "backup.db")];
  store = await openSqliteStore({ path });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

async function start(threadId: string): Promise<void> {
  await store.append({ threadId, expectedSeq: 0, events: [{ body: started(threadId), at }] });
}

test("a store that is written all the time is copied as of one moment, and its writers do not wait", async () => {
  await start("th_before");
  const writing = new AbortController();
  let written = 0;
  const busy = (async () => {
    while (!writing.signal.aborted) {
      const threadId = `th_${written++}`;
      await start(threadId);
      await store.append({ threadId, expectedSeq: 1, events: [{ body: asked(`r_${threadId}`), at }] });
    }
  })();
  for (let number = 0; number < 3; number++) {
    const before = written;
    const report = await backupSqliteStore({ path, to: `${to}.${number}`, signal });
    expect(report.threads).toBeGreaterThanOrEqual(before);
    const copy = await openSqliteStore({ path: `${to}.${number}` });
    expect(await copy.verify({})).toMatchObject({
      threads: report.threads,
      events: report.events,
      problems: [],
    });
    await copy.close();
  }
  writing.abort();
  await busy;
  expect(written).toBeGreaterThan(3);
});

test("the copy is one file, works as a store, and knows nothing of what came later", async () => {
  await start("th_before");
  await backupSqliteStore({ path, to, signal });
  await start("th_after");
  expect(readdirSync(folder).filter((name) => name.startsWith("backup"))).toEqual(["backup.db"]);
  const copy = await openSqliteStore({ path: to });
  expect((await copy.threads({})).rows.map(({ threadId }) => threadId)).toEqual(["th_before"]);
  await copy.append({
    threadId: "th_new",
    expectedSeq: 0,
    events: [{ body: started("th_new"), at }],
  });
  await copy.close();
});

test("a file of that name is refused and left alone", async () => {
  writeFileSync(to, "mine");
  await expect(backupSqliteStore({ path, to, signal })).rejects.toMatchObject({ code: "usage" });
});

test("the copy is its owner's alone, whatever the umask lets others do", async () => {
  await backupSqliteStore({ path, to, signal });
  expect(statSync(to).mode & 0o777).toBe(0o600);
});

test("a link of that name is refused, and what lies beside is left alone", async () => {
  symlinkSync(join(folder, "nowhere"), to);
  await expect(backupSqliteStore({ path, to, signal })).rejects.toMatchObject({ code: "usage" });
  expect(lstatSync(to).isSymbolicLink()).toBe(true);
  writeFileSync(`${to}.2.unfinished`, "mine");
  await backupSqliteStore({ path, to: `${to}.2`, signal });
  expect(readFileSync(`${to}.2.unfinished`, "utf8")).toBe("mine");
});

test("a store that is called like an unfinished copy is no such thing", async () => {
  const odd = `${to}.unfinished`;
  await (await openSqliteStore({ path: odd })).close();
  await backupSqliteStore({ path: odd, to, signal });
  expect([existsSync(odd), existsSync(to)]).toEqual([true, true]);
});

test("names that SQLite keeps for the store's own files are refused", async () => {
  await store.close();
  for (const end of ["-wal", "-shm", "-journal"])
    await expect(backupSqliteStore({ path, to: `${path}${end}`, signal })).rejects.toMatchObject({
      code: "usage",
    });
});

test("of several backups to one name at once, one is made, and it is whole", async () => {
  await start("th_1");
  const made = await Promise.allSettled(
    Array.from({ length: 5 }, () => backupSqliteStore({ path, to, signal })),
  );
  const refused = made.flatMap((each) => (each.status === "rejected" ? [each.reason.code] : []));
  expect(refused).toEqual(["usage", "usage", "usage", "usage"]);
  const copy = await openSqliteStore({ path: to, readOnly: true });
  expect(await copy.verify({})).toMatchObject({ threads: 1, problems: [] });
  await copy.close();
  expect(readdirSync(folder).filter((name) => name.startsWith("backup"))).toEqual(["backup.db"]);
});

test("a damaged store gives no backup", async () => {
  await start("th_1");
  const database = new DatabaseSync(path);
  database.exec("UPDATE threads SET agent = 'another'");
  database.close();
  await expect(backupSqliteStore({ path, to, signal })).rejects.toMatchObject({ code: "store_corrupt" });
  expect(readdirSync(folder).filter((name) => name.startsWith("backup"))).toEqual([]);
});

test("what is damaged is named, with its thread and event, and how much else is", async () => {
  for (const threadId of ["th_1", "th_2", "th_3"]) await start(threadId);
  const database = new DatabaseSync(path);
  const change = (threadId: string) =>
    database.exec(`UPDATE events SET body = replace(body, '"v":1', '"v": 1')
      WHERE thread_num = (SELECT thread_num FROM threads WHERE thread_id = '${threadId}')`);
  const refused = async () =>
    backupSqliteStore({ path, to, signal }).catch((error: unknown) => String(error));
  change("th_2");
  expect(await refused()).toMatch(/holdpoint\.db is damaged.* 1 problem: chain th_2 event 1 is not what was/);
  change("th_3");
  expect(await refused()).toMatch(/ 2 problems, the first: chain th_2 event 1 is not what was/);
  database.close();
});

test.each([
  ["that is not there", () => join(folder, "nowhere", "b.db"), "usage"],
  ["that is a file", () => join(path, "b.db"), "usage"],
  ["that nobody can write in", () => "/proc/self/b.db", /usage|store_read_only/],
])("a folder %s is told by its name, and what to do", async (_, named, code) => {
  const error = await backupSqliteStore({ path, to: named(), signal }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: expect.stringMatching(code), fix: expect.stringContaining("folder") });
});

test("an abort leaves no copy", async () => {
  await start("th_1");
  const aborted = AbortSignal.abort(new Error("stop"));
  await expect(backupSqliteStore({ path, to, signal: aborted })).rejects.toThrow("stop");
  expect(existsSync(to)).toBe(false);
});
