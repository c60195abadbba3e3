import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../core/digest.ts";
import type { EventBody } from "../../core/events.ts";
import type { Store } from "../../ports/store.ts";
import { asked, completed, noted, started, waiting } from "../../testing/store-contract/case.ts";
import { type PruneOptions, type PruneReport, pruneSqliteStore } from "./prune.ts";
import { openSqliteStore } from "./store.ts";
import { createVerify } from "./verify.ts";

const day = 86_400_000;
const today = Date.parse("2026-11-23T12:00:00.000Z");
const endedBefore = new Date(today - 90 * day);

let folder = "";
let path = "";
let store: Store;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdpoint-prune-"));
  path = join(folder, "holdpoint.db");
  store = await openSqliteStore({ path });
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

function prune(options: Partial<PruneOptions> = {}): Promise<PruneReport> {
  const { signal } = new AbortController();
  return pruneSqliteStore({ path, endedBefore, now: new Date(today), signal, ...options });
}

function artifactOf(value: string) {
  const text = JSON.stringify(value);
  return { digest: sha256(text), text };
}

function large(value: string, key = "step:load#1"): EventBody {
  const { digest, text } = artifactOf(value);
  const artifact = { digest, bytes: text.length, preview: value.slice(0, 3) };
  return { type: "step_completed", v: 1, key, attempt: 1, durationMs: 1, result: { artifact } };
}

/** A model call whose prompt is the text of a window's part. */
function decided(prompt: string): EventBody {
  const part = { kind: "prompt", tokens: 5, treatment: "kept", digest: artifactOf(prompt).digest } as const;
  return {
    type: "decision_made",
    v: 1,
    key: "decide#1",
    attempt: 1,
    model: "test/model",
    decision: { kind: "answer", value: "done" },
    usage: { inputTokens: 5, outputTokens: 1 },
    durationMs: 1,
    window: {
      digest: "0".repeat(64),
      tokens: 5,
      budget: 100,
      fromSeq: 0,
      dropped: 0,
      parts: { from: 0, list: [part] },
    },
  };
}

function counting(): EventBody {
  const ids = { key: "act:refund#1", attempt: 1, digest: "d", idempotencyKey: "k" };
  return { type: "action_started", v: 1, ...ids, counts: [{ name: "refunds", per: "day", amount: 5 }] };
}

interface Log {
  readonly daysAgo: number;
  readonly parentId?: string;
  readonly values?: readonly string[];
}

/** Appends a log whose events are all as old. */
async function log(threadId: string, { daysAgo, parentId, values = [] }: Log, ...bodies: EventBody[]) {
  const at = new Date(today - daysAgo * day).toISOString();
  const parent = parentId === undefined ? {} : { parent: { threadId: parentId, key: "call:child#1" } };
  await store.append({
    threadId,
    expectedSeq: 0,
    events: [started(threadId, parent), ...bodies].map((body) => ({ body, at })),
    artifacts: values.map(artifactOf),
  });
}

/** Old and ended: a tree of three, and a thread with every kind of row. Then what stays. */
async function fill(): Promise<void> {
  await log(
    "root",
    { daysAgo: 100, values: ["of root", "shared"] },
    large("of root"),
    large("shared"),
    completed(),
  );
  await log("child", { daysAgo: 99, parentId: "root", values: ["of child"] }, large("of child"), completed());
  await log("grandchild", { daysAgo: 98, parentId: "child" }, noted(1), completed());
  await log(
    "rows",
    { daysAgo: 120, values: ["prompt of old"] },
    asked("r_rows"),
    waiting("wait#1", "paid"),
    decided("prompt of old"),
    counting(),
    completed(),
  );
  await log(
    "young",
    { daysAgo: 10, values: ["shared", "prompt"] },
    large("shared"),
    decided("prompt"),
    completed(),
  );
  await log("open", { daysAgo: 200, values: ["of open"] }, large("of open"), asked("r_open"));
}

async function threadIds(): Promise<readonly string[]> {
  return (await store.threads({ limit: 100 })).rows.map((row) => row.threadId).sort();
}

function rows(sql: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

async function isSound(): Promise<void> {
  expect((await store.verify({})).problems).toEqual([]);
}

async function hasValues(...values: readonly string[]): Promise<void> {
  const digests = values.map((value) => ({ digest: artifactOf(value).digest }));
  const found = rows("SELECT digest FROM artifacts") as readonly { digest: string }[];
  expect(found.map(({ digest }) => digest).sort()).toEqual(digests.map(({ digest }) => digest).sort());
}

const bytesOf = (...values: readonly string[]) =>
  values.reduce((sum, value) => sum + artifactOf(value).text.length, 0);

describe("what is removed", () => {
  test("trees of threads that all ended before, with all their rows, and the values that nothing refers to", async () => {
    await fill();
    const report = await prune();
    expect(report).toEqual({
      threads: 4,
      events: 4 + 3 + 3 + 6,
      artifacts: 3,
      artifactBytes: bytesOf("of root", "of child", "prompt of old"),
      kept: [],
    });
    expect(await threadIds()).toEqual(["open", "young"]);
    await hasValues("shared", "prompt", "of open");
    for (const table of ["events", "requests", "waits", "untaken_signals", "tallies", "heads"])
      expect(rows(`SELECT * FROM ${table} WHERE thread_num NOT IN (SELECT thread_num FROM threads)`)).toEqual(
        [],
      );
    expect((await store.requests({})).rows.map((row) => row.requestId)).toEqual(["r_open"]);
    await isSound();
  });

  test("nothing, with a dry run, which counts the same", async () => {
    await fill();
    const before = rows("SELECT count(*) AS events FROM events");
    const counted = await prune({ dryRun: true });
    expect(rows("SELECT count(*) AS events FROM events")).toEqual(before);
    await hasValues("of root", "shared", "of child", "prompt of old", "prompt", "of open");
    expect(await prune()).toEqual(counted);
  });

  test("nothing more by a second run", async () => {
    await fill();
    await prune();
    expect(await prune()).toEqual({ threads: 0, events: 0, artifacts: 0, artifactBytes: 0, kept: [] });
  });

  test("a removed thread is not found, and its id may be used again", async () => {
    await fill();
    await prune();
    expect(await store.read("rows")).toEqual([]);
    const event = { body: noted(), at: new Date(today).toISOString() };
    await expect(store.append({ threadId: "rows", expectedSeq: 5, events: [event] })).rejects.toMatchObject({
      code: "thread_not_found",
    });
    await log("rows", { daysAgo: 0 }, noted(1));
    await isSound();
  });
});

test("a process that remembers a removed thread takes one loss, and then appends to its successor", async () => {
  await log("t", { daysAgo: 100 }, completed());
  await log("newest", { daysAgo: 0 });
  await prune();
  const other = await openSqliteStore({ path });
  const at = new Date(today).toISOString();
  const events = [started("t"), noted(1)].map((body) => ({ body, at }));
  await other.append({ threadId: "t", expectedSeq: 0, events });
  await other.close();
  const append = () => store.append({ threadId: "t", expectedSeq: 2, events: [{ body: noted(2), at }] });
  await expect(append()).rejects.toMatchObject({ code: "append_conflict" });
  expect(await append()).toBe(3);
  await isSound();
});

describe("what is kept, and why", () => {
  test.each<{ name: string; log: Log; bodies: EventBody[]; why: string }>([
    { name: "has not ended", log: { daysAgo: 100, parentId: "parent" }, bodies: [], why: "open" },
    { name: "ended later", log: { daysAgo: 89, parentId: "parent" }, bodies: [completed()], why: "later" },
  ])("a tree, since a child $name", async ({ log: child, bodies, why }) => {
    await log("parent", { daysAgo: 100, values: ["v"] }, large("v"), completed());
    await log("child", child, ...bodies);
    await log("newest", { daysAgo: 0 });
    expect(await prune()).toMatchObject({
      threads: 0,
      artifacts: 0,
      kept: [{ rootId: "parent", threads: 2, why, threadId: "child" }],
    });
    await hasValues("v");
    await isSound();
  });

  test("a tree whose parent is open, told once", async () => {
    await log("parent", { daysAgo: 100 });
    for (const child of ["a", "b"]) await log(child, { daysAgo: 99, parentId: "parent" }, completed());
    await log("newest", { daysAgo: 0 });
    expect((await prune()).kept).toEqual([{ rootId: "parent", threads: 3, why: "open", threadId: "parent" }]);
  });

  test("a thread that took an event after its end, until that is old too", async () => {
    await log("t", { daysAgo: 100 }, completed());
    await store.append({
      threadId: "t",
      expectedSeq: 2,
      events: [{ body: noted(), at: new Date(today - day).toISOString() }],
    });
    await log("newest", { daysAgo: 0 });
    expect((await prune()).threads).toBe(0);
    expect((await prune({ endedBefore: new Date(today) })).threads).toBe(1);
  });

  test("a thread that a worker holds, as long as the lease runs", async () => {
    await log("t", { daysAgo: 100 });
    await store.lease({ threadId: "t", owner: "w_1", ttlMs: 1_000, now: today });
    const at = new Date(today - 99 * day).toISOString();
    await store.append({ threadId: "t", expectedSeq: 1, events: [{ body: completed(), at }] });
    await log("newest", { daysAgo: 0 });
    expect((await prune()).kept).toMatchObject([{ rootId: "t", why: "held" }]);
    expect((await prune({ now: new Date(today + 1_001) })).threads).toBe(1);
  });

  test("the newest of the file, so that its number is not given away while others remember it", async () => {
    await log("old", { daysAgo: 100 }, completed());
    await log("newest", { daysAgo: 100 }, completed());
    expect(await prune()).toMatchObject({ threads: 1, kept: [{ rootId: "newest", why: "newest" }] });
    await log("newer", { daysAgo: 0 });
    expect((await prune()).threads).toBe(1);
    expect(rows("SELECT thread_num AS num FROM threads")).toEqual([{ num: 3 }]);
    await isSound();
  });

  test("a tree whose actions count towards a limit of today", async () => {
    await log("t", { daysAgo: 0 }, counting(), completed());
    await log("newest", { daysAgo: 0 });
    const soon = { endedBefore: new Date(today + 1) };
    expect((await prune(soon)).kept).toMatchObject([{ rootId: "t", why: "counted" }]);
    expect((await prune({ ...soon, now: new Date(today + day) })).threads).toBe(1);
  });

  test.each([
    { name: "lacks an event", damage: "DELETE FROM events" },
    {
      name: "has an event whose text was changed",
      damage: "UPDATE events SET body = replace(body, '1', '2')",
    },
    { name: "has an event whose link was changed", damage: "UPDATE events SET link = 'x' || link" },
  ])("a damaged log, as it is: one that $name", async ({ damage }) => {
    await fill();
    const database = new DatabaseSync(path);
    database.exec(
      `${damage} WHERE seq = 2 AND thread_num = (SELECT thread_num FROM threads WHERE thread_id = 'child')`,
    );
    const before = (await store.verify({})).problems;
    database.close();
    expect(before).not.toEqual([]);
    const kept = [{ rootId: "root", why: "damaged", threadId: "child" }];
    expect(await prune({ dryRun: true })).toMatchObject({ threads: 1, kept });
    expect(await prune()).toMatchObject({ threads: 1, kept });
    expect((await store.verify({})).problems).toEqual(before);
  });

  test("a value that stays referred to only by an event appended during the run", async () => {
    await fill();
    let isAppended = false;
    const report = await prune({
      onProgress: ({ phase }) => {
        if (phase !== "events" || isAppended) return;
        isAppended = true;
        const database = new DatabaseSync(path); // another process, between the look and the removal
        const { digest } = artifactOf("of child");
        database.exec(
          `INSERT INTO events (thread_num, seq, prev, body, link) VALUES (99, 1, 0, '"${digest}"', '')`,
        );
        database.close();
      },
    });
    expect(report.artifacts).toBe(2);
    await hasValues("shared", "prompt", "of open", "of child");
  });

  test("a fork and what it refers to, without its origin", async () => {
    await log("origin", { daysAgo: 100, values: ["v"] }, large("v"), completed());
    const at = new Date(today).toISOString();
    const forkedFrom = { threadId: "origin", seq: 2 };
    const bodies = [started("fork", { forkedFrom }), large("v")];
    await store.append({ threadId: "fork", expectedSeq: 0, events: bodies.map((body) => ({ body, at })) });
    expect(await prune()).toMatchObject({ threads: 1, artifacts: 0 });
    expect((await store.read("fork"))[0]).toMatchObject({ forkedFrom });
    expect(await store.artifact(artifactOf("v").digest)).toBe(JSON.stringify("v"));
    await isSound();
  });
});

describe("a run that ends in the middle", () => {
  test("after each of its transactions leaves a sound store, and the next run does the rest", async () => {
    await fill();
    const whole = await prune({ dryRun: true });
    for (let stop = 1, isStopped = true; isStopped; stop++) {
      await store.close();
      await rm(path, { force: true });
      for (const more of ["-wal", "-shm"]) await rm(`${path}${more}`, { force: true });
      store = await openSqliteStore({ path });
      await fill();
      let steps = 0;
      const stopped = prune({
        onProgress: () => {
          steps += 1;
          if (steps === stop) throw new Error("killed");
        },
      });
      isStopped = await stopped.then(
        () => false,
        () => true,
      );
      await isSound();
      await prune();
      await isSound();
      expect(await threadIds()).toEqual(["open", "young"]);
      await hasValues("shared", "prompt", "of open");
      if (!isStopped) expect(steps).toBeGreaterThanOrEqual(whole.threads > 0 ? 4 : 0);
    }
  });

  test("within a transaction removes nothing of its tree", async () => {
    await fill();
    const database = new DatabaseSync(path);
    database.exec("CREATE TRIGGER fault BEFORE DELETE ON heads BEGIN SELECT RAISE(ABORT, 'fault'); END");
    await expect(prune()).rejects.toThrow();
    database.exec("DROP TRIGGER fault");
    database.close();
    expect(await threadIds()).toEqual(["child", "grandchild", "open", "root", "rows", "young"]);
    await isSound();
    expect((await prune()).threads).toBe(4);
  });

  test("by a signal, before the next transaction", async () => {
    await fill();
    const stop = new AbortController();
    const pruning = prune({ signal: stop.signal, onProgress: () => stop.abort(new Error("stopped")) });
    await expect(pruning).rejects.toThrow("stopped");
    expect(await threadIds()).toHaveLength(3);
    await isSound();
  });
});

test("verify reports no thread that is removed between its being listed and its check", async () => {
  await fill();
  const database = new DatabaseSync(path);
  let reads = 0;
  const verify = createVerify(database, path, async (read) => {
    reads += 1;
    if (reads === 3) await prune(); // after the two checks of the whole file
    return read();
  });
  expect(await verify(undefined)).toMatchObject({ threads: 2, problems: [] });
  database.close();
});

test("appends go on, while threads are removed", async () => {
  await fill();
  for (let number = 0; number < 50; number++) await log(`t${number}`, { daysAgo: 100 }, completed());
  await log("newest", { daysAgo: 0 });
  const at = new Date(today).toISOString();
  const appending = (async () => {
    for (let seq = 1; seq <= 50; seq++)
      await store.append({ threadId: "newest", expectedSeq: seq, events: [{ body: noted(seq), at }] });
  })();
  const [report] = await Promise.all([prune(), appending]);
  expect(report.threads).toBe(54);
  expect(await store.read("newest")).toHaveLength(51);
  await isSound();
});
