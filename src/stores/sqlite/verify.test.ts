import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256 } from "../../core/digest.ts";
import { isHoldpointError } from "../../core/errors.ts";
import type { EventBody } from "../../core/events.ts";
import type { Problem, Store } from "../../ports/store.ts";
import {
  append,
  asked,
  at,
  completed,
  noon,
  noted,
  placed,
  start,
  started,
  take,
  threadRow,
  timer,
  waiting,
  work,
} from "../../testing/store-contract/case.ts";
import { openSqliteStore } from "./store.ts";

const text = JSON.stringify("a large value, kept apart");
const digest = sha256(text);

let folder = "";
let path = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdpoint-verify-"));
  path = join(folder, "holdpoint.db");
  await withStore(async (store) => {
    for (const threadId of ["other", "t", "last"]) {
      await start(
        store,
        threadId,
        noted(1),
        noted(2),
        asked(`r_${threadId}`),
        timer("sleep#1", 1_000),
        noted(3),
      );
    }
    await store.append({
      threadId: "a",
      expectedSeq: 0,
      events: placed(withArtifact()),
      artifacts: [{ digest, text }],
    });
  });
});
afterEach(() => rm(folder, { recursive: true }));

describe("verify names what was tampered with, by thread and seq", () => {
  const ofThread = (seq: number) =>
    `thread_num = (SELECT thread_num FROM threads WHERE thread_id = 't') AND seq = ${seq}`;
  const cases: readonly { name: string; sql: string; problems: readonly Partial<Problem>[] }[] = [
    {
      name: "an event's text",
      sql: `UPDATE events SET body = replace(body, '"2"', '"9"') WHERE ${ofThread(3)}`,
      problems: [{ kind: "chain", threadId: "t", seq: 3 }],
    },
    {
      name: "an event's link",
      sql: `UPDATE events SET link = replace(link, 'a', 'b') WHERE ${ofThread(3)}`,
      problems: [{ kind: "chain", threadId: "t", seq: 3 }],
    },
    {
      name: "two events that changed places",
      sql: `CREATE TEMP TABLE swapped AS SELECT thread_num, 5 - seq AS seq, body FROM events WHERE ${ofThread(2)} OR ${ofThread(3)};
        UPDATE events SET body = swapped.body FROM swapped
        WHERE swapped.thread_num = events.thread_num AND swapped.seq = events.seq`,
      problems: [
        { kind: "chain", threadId: "t", seq: 2 },
        { kind: "chain", threadId: "t", seq: 3 },
      ],
    },
    {
      name: "an event that was removed",
      sql: `DELETE FROM events WHERE ${ofThread(3)}`,
      problems: [{ kind: "sequence", threadId: "t", seq: 3 }],
    },
    {
      name: "an event that was removed, and the gap closed",
      sql: `UPDATE events SET prev = (SELECT id FROM events WHERE ${ofThread(2)}) WHERE ${ofThread(4)};
        DELETE FROM events WHERE ${ofThread(3)}`,
      problems: [{ kind: "sequence", threadId: "t", seq: 3 }],
    },
    {
      name: "the tail that was cut off",
      sql: `DELETE FROM events WHERE ${ofThread(6)}`,
      problems: [{ kind: "sequence", threadId: "t", seq: 6 }],
    },
    {
      name: "the tail that was hidden",
      sql: `UPDATE heads SET head_seq = 5, head_id = (SELECT id FROM events WHERE ${ofThread(5)})
        WHERE thread_num = (SELECT thread_num FROM threads WHERE thread_id = 't')`,
      problems: [{ kind: "sequence", threadId: "t", seq: null }],
    },
    {
      name: "events of no thread",
      sql: "DELETE FROM heads WHERE thread_num = (SELECT thread_num FROM threads WHERE thread_id = 't')",
      problems: [
        { kind: "sequence", threadId: "t" },
        { kind: "projection", threadId: null, message: expect.stringContaining("threads") },
        { kind: "projection", threadId: null, message: expect.stringContaining("requests") },
        { kind: "projection", threadId: null, message: expect.stringContaining("waits") },
      ],
    },
    {
      name: "text that is no event",
      sql: `UPDATE events SET body = '{"type":' WHERE ${ofThread(3)}`,
      problems: [
        { kind: "chain", threadId: "t", seq: 3 },
        { kind: "event", threadId: "t", seq: 3 },
      ],
    },
    {
      name: "a thread's id",
      sql: "UPDATE threads SET thread_id = 'u' WHERE thread_id = 't'",
      problems: [{ kind: "chain", threadId: "u", seq: 1 }],
    },
    {
      name: "the text of an artifact",
      sql: "UPDATE artifacts SET text = 'another'",
      problems: [{ kind: "artifact", message: expect.stringContaining(digest) }],
    },
    {
      name: "an artifact that is gone",
      sql: "DELETE FROM artifacts",
      problems: [{ kind: "artifact", threadId: "a" }],
    },
  ];

  for (const { name, sql, problems } of cases) {
    test(name, async () => {
      inSql(sql);
      const report = await withStore((store) => store.verify({}));
      expect(report.problems).toEqual(problems.map((problem) => expect.objectContaining(problem)));
      const rebuilt = await withStore(async (store) => [
        await store.verify({ rebuild: true }),
        await store.verify({}),
      ]);
      const remaining = rebuilt[1]?.problems.filter(({ kind }) => kind !== "projection");
      expect(remaining).toEqual(report.problems.filter(({ kind }) => kind !== "projection")); // a log is never repaired
    });
  }

  test("an event of a newer version, whose thread the others do not wait for", async () => {
    inSql("UPDATE events SET body = replace(body, '\"v\":1', '\"v\":9') WHERE id = 3");
    await withStore(async (store) => {
      const { problems } = await store.verify({});
      expect(problems.map(({ kind, threadId, seq }) => [kind, threadId, seq])).toEqual([
        ["chain", "other", 3],
        ["event", "other", 3],
      ]);
      await expect(store.read("other")).rejects.toMatchObject({ code: "event_unknown" });
      expect(await store.read("t")).toHaveLength(6);
    });
  });

  test("one thread alone, with its artifacts", async () => {
    inSql("UPDATE artifacts SET text = 'another'");
    await withStore(async (store) => {
      expect((await store.verify({ threadId: "a" })).problems).toMatchObject([
        { kind: "artifact", threadId: "a" },
      ]);
      expect((await store.verify({ threadId: "t" })).problems).toEqual([]);
      await expect(store.artifact(digest)).rejects.toMatchObject({ code: "store_corrupt" });
    });
  });
});

test.each([
  ["the last event", 6],
  ["an event within", 3],
  ["the first event", 1],
])("a log without %s is not read, nor gone on with at its end", async (_, seq) => {
  inSql(`DELETE FROM events WHERE thread_num = 2 AND seq = ${seq}`);
  await withStore(async (store) => {
    await expect(store.read("t")).rejects.toMatchObject({ code: "store_corrupt" });
    expect(await store.read("other")).toHaveLength(6);
    const next = store.append({ threadId: "t", expectedSeq: 6, events: placed(noted()) });
    if (seq === 6) await expect(next).rejects.toMatchObject({ code: "store_corrupt" });
    else expect(await next).toBe(7);
  });
});

describe("rebuild", () => {
  test.each([
    ["threads", "UPDATE threads SET status = 'completed', decisions = 7 WHERE thread_id = 't'"],
    ["threads", "DELETE FROM threads WHERE thread_id = 't'"],
    ["threads", "UPDATE heads SET ended = 1, updated_at = 'never' WHERE thread_num = 2"],
    ["waits", "UPDATE waits SET due_at = 5 WHERE thread_num = 2"],
    ["waits", "DELETE FROM waits WHERE thread_num = 2"],
    ["untaken_signals", "INSERT INTO untaken_signals VALUES (2, 'paid', 3)"],
    ["tallies", "INSERT INTO tallies (name, day, thread_num, amount) VALUES ('refunds', '2026-11-23', 2, 5)"],
    ["requests", "UPDATE requests SET status = 'decided' WHERE request_id = 'r_t'"],
    ["requests", "DELETE FROM requests WHERE request_id = 'r_t'"],
  ])("restores what was changed in %s: %s", async (table, sql) => {
    const before = await withStore(rows);
    inSql(sql);
    await withStore(async (store) => {
      const { problems } = await store.verify({ rebuild: true });
      expect(problems).toMatchObject([
        { kind: "projection", threadId: "t", message: expect.stringContaining(table) },
      ]);
      expect((await store.verify({})).problems).toEqual([]);
      expect(await rows(store)).toEqual(before);
    });
  });

  test("leaves the rows of a thread whose log was tampered with", async () => {
    const before = await withStore((store) => threadRow(store, "t"));
    inSql("UPDATE events SET body = replace(body, 'sleep#1', 'sleep#9') WHERE thread_num = 2");
    await withStore(async (store) => {
      await store.verify({ rebuild: true });
      expect(await threadRow(store, "t")).toEqual(before);
    });
  });

  test("of a thread that somebody holds mends its lists, and leaves it to its holder", async () => {
    await withStore(async (store) => {
      const lease = await take(store, "t", "w1");
      inSql(
        "UPDATE threads SET status = 'failed' WHERE thread_id = 't'; UPDATE heads SET ended = 1, due_at = NULL",
      );
      await store.verify({ rebuild: true });
      expect(await threadRow(store, "t")).toMatchObject({ status: "waiting", dueAt: at(lease.until) });
      expect(await store.lease({ threadId: "t", owner: "w2", ttlMs: 1, now: noon + 1 })).toBeNull();
      expect(await store.append(work(lease, 6, noted()))).toBe(7);
      await store.release(lease, { now: noon, parkedAt: 7 });
      expect((await store.verify({})).problems).toEqual([]);
    });
  });

  describe("of a thread that nobody would wake", () => {
    const soon = noon + 60_000;
    async function parked(store: Store, ...bodies: readonly EventBody[]): Promise<void> {
      const parkedAt = await start(store, "p", ...bodies);
      await store.release(await take(store, "p"), { now: noon, parkedAt });
      expect((await store.verify({})).problems).toEqual([]);
    }
    const changed = (sql: string) =>
      inSql(
        `UPDATE heads SET ${sql} WHERE thread_num = (SELECT thread_num FROM threads WHERE thread_id = 'p')`,
      );

    test.each([
      ["its timer", [timer("sleep#1", soon)], "due_at = NULL"],
      ["its timer, later than it", [timer("sleep#1", soon)], `due_at = ${soon + 1}`],
      ["an open request's deadline", [asked("r_p", soon)], "due_at = NULL"],
      ["the timer ahead of it, not the one it saw", [timer("a", noon), timer("b", soon)], "due_at = NULL"],
    ])("finds %s, and makes it due", async (_, bodies, sql) => {
      await withStore(async (store) => {
        await parked(store, ...bodies);
        changed(sql);
        expect((await store.verify({ threadId: "p" })).problems).toMatchObject([
          { kind: "projection", threadId: "p", message: expect.stringContaining(`it is at ${at(soon)}`) },
        ]);
        await store.verify({ rebuild: true });
        expect((await store.verify({})).problems).toEqual([]);
        expect((await store.due({ now: noon, limit: 9 })).threadIds).toContain("p");
      });
    });

    test("finds a holder's death that nobody would notice, and an end that is to be run", async () => {
      await withStore(async (store) => {
        await start(store, "p");
        const lease = await take(store, "p");
        changed("due_at = NULL");
        expect((await store.verify({})).problems).toMatchObject([{ kind: "projection", threadId: "p" }]);
        await store.verify({ rebuild: true });
        expect((await threadRow(store, "p")).dueAt).toBe(at(lease.until));
        await store.append(work(lease, 1, completed()));
        changed("due_at = 5");
        expect((await store.verify({ rebuild: true })).problems).toMatchObject([{ kind: "projection" }]);
        expect((await threadRow(store, "p")).dueAt).toBeNull();
      });
    });

    test("finds nothing where only people or signals wake it, nor after it was given back", async () => {
      await withStore(async (store) => {
        await parked(store, asked("r_p"), waiting("wait:go#1", "go"), timer("sleep#1", noon));
        expect((await threadRow(store, "p")).dueAt).toBeNull();
        await append(store, "p", 4, timer("sleep#2", soon)); // due at once
        const again = await take(store, "p", "w1", noon + 1);
        await store.release(again, { now: noon + 1, retryAt: soon + 5_000 });
        expect((await store.verify({})).problems).toEqual([]);
      });
    });
  });

  test("restores the sums of all threads", async () => {
    inSql("INSERT INTO tally_totals (name, day, amount) VALUES ('refunds', '2026-11-23', 5)");
    await withStore(async (store) => {
      expect((await store.verify({ rebuild: true })).problems).toMatchObject([
        { kind: "projection", threadId: null, message: expect.stringContaining("tally_totals") },
      ]);
      expect((await store.verify({})).problems).toEqual([]);
    });
  });

  test("removes rows that belong to no thread", async () => {
    inSql("INSERT INTO waits (thread_num, key, seq) VALUES (99, 'stray', 1)");
    await withStore(async (store) => {
      expect((await store.verify({ rebuild: true })).problems).toMatchObject([
        { kind: "projection", threadId: null },
      ]);
      expect((await store.verify({})).problems).toEqual([]);
    });
  });

  test("of one thread leaves the others", async () => {
    inSql("UPDATE threads SET status = 'failed'");
    await withStore(async (store) => {
      await store.verify({ threadId: "t", rebuild: true });
      expect((await threadRow(store, "t")).status).toBe("waiting");
      expect((await threadRow(store, "other")).status).toBe("failed");
    });
  });

  test("goes through all threads, batch after batch", async () => {
    await withStore((store) =>
      Promise.all(Array.from({ length: 250 }, (_, index) => start(store, `t${index}`, completed()))),
    );
    inSql("UPDATE threads SET status = 'running'");
    await withStore(async (store) => {
      expect((await store.verify({ rebuild: true })).problems).toHaveLength(253);
      expect(await store.verify({})).toMatchObject({ threads: 254, problems: [] });
    });
  });
});

/** A changed byte is noticed, or changes nothing that anybody reads. No error of SQLite gets through as it is. */
describe("a damaged file", () => {
  test("with one byte changed gives the right events or an error by name", async () => {
    const sound = await readFile(path);
    const expected = await withStore(logs);
    for (let offset = 20; offset < sound.length; offset += 341) {
      const damaged = Buffer.from(sound);
      damaged.writeUInt8((sound[offset] ?? 0) ^ 0x24, offset);
      await writeFile(path, damaged);
      await checkDamaged(expected, `byte ${offset}`);
    }
  });

  test("cut off anywhere is refused, or gives an error by name", async () => {
    const sound = await readFile(path);
    const expected = await withStore(logs);
    for (let size = 1; size < sound.length; size += 1_021) {
      await writeFile(path, sound.subarray(0, size));
      await checkDamaged(expected, `cut at ${size}`);
    }
  });

  async function checkDamaged(expected: unknown, what: string): Promise<void> {
    const outcome = await withStore(readEverything).catch((error: unknown) => ({
      problems: [what],
      errors: [error],
      found: null,
    }));
    await rm(`${path}-wal`, { force: true });
    await rm(`${path}-shm`, { force: true });
    for (const error of outcome.errors)
      expect(isHoldpointError(error), `${what}: ${stackOf(error)}`).toBe(true);
    if (outcome.problems.length === 0) expect(outcome.found, what).toEqual(expected);
  }

  async function readEverything(store: Store) {
    const { problems } = await store.verify({});
    const calls = [
      logs(store),
      store.threads({}),
      store.requests({}),
      store.due({ now: 1, limit: 9 }),
      store.artifact(digest),
    ];
    const [found, ...others] = await Promise.allSettled<unknown>(calls);
    const errors = [found, ...others].flatMap((outcome) =>
      outcome?.status === "rejected" ? [outcome.reason] : [],
    );
    return { problems, errors, found: found?.status === "fulfilled" ? found.value : null };
  }
});

function stackOf(error: unknown): unknown {
  return error instanceof Error ? error.stack : error;
}

async function logs(store: Store): Promise<unknown> {
  return Promise.all(["other", "t", "last", "a"].map((threadId) => store.read(threadId)));
}

async function rows(store: Store): Promise<unknown> {
  const threads = (await store.threads({})).rows.map((row) => ({ ...row, dueAt: null }));
  return [threads, await store.requests({})];
}

function withArtifact() {
  return started("a", { input: { artifact: { digest, bytes: text.length, preview: text } } });
}

async function withStore<T>(use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openSqliteStore({ path });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

function inSql(sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}
