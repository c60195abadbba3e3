// I2. Whatever is appended, legal or not, the rows that SQL keeps are those that the fold computes.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EventBody } from "../../core/events.ts";
import type { Store } from "../../ports/store.ts";
import {
  answered,
  asked,
  completed,
  noted,
  placed,
  signalled,
  started,
  timer,
  waiting,
} from "../../testing/store-contract/case.ts";
import { openSqliteStore } from "./store.ts";

const names = fc.constantFrom("a", "b", "\ud800");
const amounts = fc.constantFrom(0, 7, 1e12, -1, 0.5, Number.MAX_SAFE_INTEGER);
const times = fc.constantFrom(0, 1_000, 9e15); // the last is no date

const bodies: fc.Arbitrary<EventBody> = fc.oneof(
  names.map((name) => timer(name, 1_000)),
  fc.tuple(names, names).map(([key, signal]) => waiting(key, signal)),
  names.map((signal) => signalled(signal)),
  names.map((key): EventBody => ({ type: "timer_fired", v: 1, key })),
  names.map((name) => asked(name)),
  fc.tuple(names, times).map(([name, time]) => withExpiry(asked(name), time)),
  names.map((name) => answered(name)),
  names.map((requestId): EventBody => ({ type: "request_expired", v: 1, requestId, key: "k" })),
  fc.tuple(names, fc.constantFrom(null, 2_000)).map(([requestId, next]) => reminded(requestId, next)),
  names.map((requestId) => voted(requestId)),
  fc.constant(noted()),
  fc.tuple(names, amounts).map(([name, amount]) => counting(name, amount)),
  { weight: 1, arbitrary: fc.constant(completed()) },
);

const deciders = { approvers: ["a"], votes: [] };

function reminded(requestId: string, next: number | null): EventBody {
  const nextAt = next === null ? null : new Date(next).toISOString();
  return { type: "request_reminded", v: 1, requestId, key: "k", reminders: 1, nextAt, deciders };
}

function voted(requestId: string): EventBody {
  const verdict = { kind: "approve" } as const;
  return { type: "request_voted", v: 1, requestId, key: "k", verdict, by: "b", via: "test", deciders };
}

const appends = fc.array(fc.tuple(fc.nat(2), fc.array(bodies, { minLength: 1, maxLength: 4 })), {
  maxLength: 25,
});

test("I2: rows kept by appends equal rows folded from events, and a rebuild leaves them as they are", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdpoint-project-"));
  const store = await openSqliteStore({ path: join(folder, "holdpoint.db") });
  const tampered = new DatabaseSync(join(folder, "holdpoint.db"));
  let run = 0;
  await fc.assert(
    fc.asyncProperty(appends, async (list) => {
      const ids = [0, 1, 2].map((index) => `t${run}_${index}`);
      run += 1;
      await appendAll(store, ids, list);
      for (const threadId of ids) expect(await store.verify({ threadId })).toMatchObject({ problems: [] });
      const before = await rowsOf(store, ids);
      tampered.exec(`UPDATE threads SET decisions = decisions + 1 WHERE thread_id = '${ids[0]}'`); // or nothing is replaced
      await store.verify({ threadId: ids[0] ?? "", rebuild: true });
      expect(await rowsOf(store, ids)).toEqual(before);
    }),
    { numRuns: 150 },
  );
  expect((await store.verify({})).problems).toEqual([]);
  tampered.close();
  await store.close();
  await rm(folder, { recursive: true });
});

/** Each thread's parent is the one before it. */
async function appendAll(
  store: Store,
  ids: readonly string[],
  list: readonly (readonly [number, EventBody[]])[],
) {
  const heads = ids.map(() => 1);
  for (const [index, threadId] of ids.entries()) {
    const parent = { threadId: ids[index - 1] ?? "", key: "call:child#1" };
    await store.append({ threadId, expectedSeq: 0, events: placed(started(threadId, { parent })) });
  }
  await Promise.all(
    list.map(([index, events]) => {
      const expectedSeq = heads[index] ?? 0;
      heads[index] = expectedSeq + events.length;
      return store.append({ threadId: ids[index] ?? "", expectedSeq, events: placed(...events) });
    }),
  );
}

async function rowsOf(store: Store, ids: readonly string[]): Promise<unknown> {
  const threads = await Promise.all(ids.map((threadId) => store.threads({ threadId })));
  const requests = await Promise.all(ids.map((threadId) => store.requests({ threadId, limit: 1_000 })));
  return [threads.map(({ rows }) => rows.map((row) => ({ ...row, dueAt: null }))), requests];
}

function counting(name: string, amount: number): EventBody {
  const ids = { key: "act:pay#1", attempt: 1, digest: "d1", idempotencyKey: "k" };
  const counts = [
    { name, per: "day" as const, amount },
    { name: "\ud800", per: "day" as const, amount },
    { name, per: "thread" as const, amount },
  ];
  return { type: "action_started", v: 1, ...ids, counts };
}

function withExpiry(request: EventBody, time: number): EventBody {
  const expiresAt = time > 8.64e15 ? "no date" : new Date(time).toISOString();
  return { ...request, expiresAt } as EventBody; // `asked` makes a request_opened
}
