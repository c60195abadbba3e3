import { chmod, cp, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runNode, storeProgram } from "../../../test/kit/node-process.ts";
import { type ErrorCode, isHoldpointError } from "../../core/errors.ts";
import { append, noon, noted, start } from "../../testing/store-contract/case.ts";
import { currentVersion, type Migration, migrate, migrations, schemaVersion } from "./schema.ts";
import { openSqliteStore } from "./store.ts";

let folder = "";
let path = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdpoint-open-"));
  path = join(folder, "holdpoint.db");
});
afterEach(() => rm(folder, { recursive: true }));

async function refusal(
  options: Parameters<typeof openSqliteStore>[0],
): Promise<{ code: ErrorCode; message: string }> {
  const opened = await openSqliteStore(options).catch((error: unknown) => error);
  if (!isHoldpointError(opened)) throw new Error(`it opened, or failed otherwise: ${String(opened)}`);
  return opened;
}

describe("opening", () => {
  test("makes the file and its folders", async () => {
    path = join(folder, "a", "b", "holdpoint.db");
    const store = await openSqliteStore({ path });
    await start(store, "t");
    await store.close();
    expect((await stat(path)).size).toBeGreaterThan(0);
  });

  test("makes them for their owner alone, and leaves the rights of what is there", async () => {
    const mode = async (file: string): Promise<string> => ((await stat(file)).mode & 0o777).toString(8);
    path = join(folder, "a", "b", "holdpoint.db");
    const store = await openSqliteStore({ path });
    await start(store, "t");
    const files = [path, `${path}-wal`, `${path}-shm`];
    expect(await Promise.all(files.map(mode))).toEqual(["600", "600", "600"]);
    expect(await mode(join(folder, "a", "b"))).toBe("700");
    await store.close();
    await chmod(path, 0o644);
    await chmod(join(folder, "a", "b"), 0o755);
    await (await openSqliteStore({ path })).close();
    expect([await mode(path), await mode(join(folder, "a", "b"))]).toEqual(["644", "755"]);
  });

  test("a file of a newer version is refused, and not touched", async () => {
    await (await openSqliteStore({ path })).close();
    inSql(`PRAGMA user_version = ${currentVersion + 1}`);
    const before = await readFile(path);
    expect(await refusal({ path })).toMatchObject({
      code: "store_newer",
      message: expect.stringContaining(path),
    });
    expect(await refusal({ path, readOnly: true })).toMatchObject({ code: "store_newer" });
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  test("the database of another program is refused, and not touched", async () => {
    inSql("CREATE TABLE addresses (name TEXT)");
    const before = await readFile(path);
    expect(await refusal({ path })).toMatchObject({ code: "usage", message: expect.stringContaining(path) });
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  test.each([
    ["text", "this is no database, however long the file is ".repeat(400)],
    ["a short text", "hello"],
    ["zeros", "\0".repeat(8_192)],
  ])("a file of %s is refused as damaged, and not touched", async (_, text) => {
    await writeFile(path, text);
    expect(await refusal({ path })).toMatchObject({
      code: "store_corrupt",
      message: expect.stringContaining(path),
    });
    expect(await refusal({ path, readOnly: true })).toMatchObject({ code: "store_corrupt" });
    expect(await readFile(path, "latin1")).toBe(text);
  });

  test("a file that was emptied beside its log is refused, not started anew", async () => {
    const store = await openSqliteStore({ path });
    await start(store, "t");
    await cp(`${path}-wal`, join(folder, "wal"));
    await store.close();
    await writeFile(path, "");
    await cp(join(folder, "wal"), `${path}-wal`);
    expect(await refusal({ path })).toMatchObject({ code: "store_corrupt" });
  });

  test("a path that cannot be a file is refused as a mistake", async () => {
    await writeFile(path, "a file");
    for (const wrong of [folder, join(path, "within.db")])
      expect((await refusal({ path: wrong })).code).toBe("usage");
    expect((await refusal({ path: join(folder, "none.db"), readOnly: true })).code).toBe("usage");
    await writeFile(join(folder, "empty.db"), "");
    const empty = await refusal({ path: join(folder, "empty.db"), readOnly: true });
    expect(empty).toMatchObject({ code: "usage", message: expect.stringContaining("is an empty file") });
  });
});

describe("reading only", () => {
  test("shows everything, writes nothing, and refuses what would write", async () => {
    const writer = await openSqliteStore({ path });
    await start(writer, "t", noted());
    const store = await openSqliteStore({ path, readOnly: true });
    expect(await store.read("t")).toHaveLength(2);
    expect(await store.verify({})).toEqual({ threads: 1, events: 2, problems: [] });
    await append(writer, "t", 2, noted());
    expect(await store.read("t")).toHaveLength(3);
    const lease = { threadId: "t", owner: "w", number: 1, until: noon, crashes: 0 };
    const writes = [
      append(store, "t", 3, noted()),
      store.lease({ threadId: "t", owner: "w", ttlMs: 1, now: noon }),
      store.release(lease, { now: noon }),
      store.verify({ rebuild: true }),
    ];
    for (const write of writes) await expect(write).rejects.toMatchObject({ code: "store_read_only" });
    await store.close();
    await writer.close();
  });
});

/** Root may write anywhere, so the folder is opened by a process of another user. */
describe("a folder that this user cannot write", () => {
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

  test("is refused by name; reading only works, also when the store was closed", async () => {
    const store = await openSqliteStore({ path });
    await start(store, "t");
    await store.close();
    await Promise.all([chmod(folder, 0o555), chmod(path, 0o444)]);
    const answers = await asOther(`
      const opened = await openSqliteStore({ path }).catch((error) => error.code);
      const reader = await openSqliteStore({ path, readOnly: true });
      const events = await reader.read("t");
      const refused = await reader.append({ threadId: "t", expectedSeq: 1, events: [{ body: events[0], at: "" }] }).catch((error) => error.code);
      return [opened, events.length, refused];`);
    await chmod(folder, 0o755);
    expect(answers).toEqual(["store_read_only", 1, "store_read_only"]);
  });

  test("is refused by name when there is no file yet", async () => {
    await chmod(folder, 0o555);
    const answers = await asOther(`return [
      await openSqliteStore({ path }).catch((error) => error.code),
      await openSqliteStore({ path: path + "/deeper/x.db" }).catch((error) => error.code)]`);
    await chmod(folder, 0o755);
    expect(answers).toEqual(["store_read_only", "store_read_only"]);
  });

  async function asOther(code: string): Promise<unknown> {
    const { stdout } = await runNode(`const path = ${JSON.stringify(path)}; ${storeProgram(code)}`, nobody);
    return JSON.parse(stdout);
  }
});

test("processes that create the same file at once all succeed", async () => {
  const code = (id: number) =>
    storeProgram(`const store = await openSqliteStore({ path: ${JSON.stringify(path)} });
      await store.append({ threadId: "t${id}", expectedSeq: 0, events: [{ at: "2026-11-23T12:00:00.000Z", body:
        { type: "thread_started", v: 1, threadId: "t${id}", agent: "a", agentVersion: "1", input: {}, by: "me" } }] });
      await store.close(); return "ok";`);
  const runs = await Promise.all([1, 2, 3, 4, 5, 6].map((id) => runNode(code(id))));
  expect(runs).toEqual(runs.map(() => ({ exitCode: 0, stdout: '"ok"', stderr: "" })));
  const store = await openSqliteStore({ path });
  expect(await store.verify({})).toEqual({ threads: 6, events: 6, problems: [] });
  await store.close();
});

describe("migrations", () => {
  const steps: readonly Migration[] = [
    { version: 1, sql: "CREATE TABLE one (a)" },
    { version: 2, sql: "CREATE TABLE two (a); INSERT INTO one VALUES ('moved')" },
  ];

  test("run in order, once", () => {
    const database = new DatabaseSync(path);
    migrate(database, steps.slice(0, 1));
    migrate(database, steps);
    migrate(database, steps);
    expect(schemaVersion(database)).toBe(2);
    expect(database.prepare("SELECT count(*) AS rows FROM one").get()).toEqual({ rows: 1 });
    database.close();
  });

  test("one that fails leaves the file as it was, without half of its steps", () => {
    const database = new DatabaseSync(path);
    const broken = [...steps, { version: 3, sql: "CREATE TABLE three (a); SELECT nonsense" }];
    expect(() => migrate(database, broken)).toThrow();
    expect(schemaVersion(database)).toBe(0);
    expect(database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()).toEqual({ tables: 0 });
    migrate(database, steps);
    expect(schemaVersion(database)).toBe(2);
    database.close();
  });

  test("the released ones are numbered in order", () => {
    const versions = migrations.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].sort((one, other) => one - other));
  });
});

function inSql(sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}
