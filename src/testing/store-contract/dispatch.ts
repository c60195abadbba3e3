import assert from "node:assert/strict";
import type { EventBody } from "../../core/events.ts";
import type { Store } from "../../ports/store.ts";
import {
  answered,
  append,
  asked,
  at,
  completed,
  dueAt,
  noon,
  noted,
  placed,
  refused,
  rule,
  type StoreCase,
  signalled,
  sound,
  start,
  started,
  take,
  threadRow,
  timer,
  waiting,
  work,
} from "./case.ts";

const hour = 3_600_000;

export const dispatchCases: readonly StoreCase[] = [
  rule("a new thread is due at once, whatever the clock says", async (store) => {
    await start(store, "t");
    assert.deepEqual(await dueAt(store, noon), ["t"]);
    assert.deepEqual(await dueAt(store, noon - 1_000 * hour), ["t"]);
    assert.deepEqual(await dueAt(store, 0), ["t"]);
  }),

  rule("a leased thread is due when its lease ends", async (store) => {
    await start(store, "t");
    await take(store, "t", "w1", noon, 30_000);
    assert.deepEqual(await store.due({ now: noon, limit: 9 }), { threadIds: [], nextDueAt: noon + 30_000 });
    assert.deepEqual(await dueAt(store, noon + 30_000), ["t"]);
    await store.lease({ threadId: "t", owner: "w1", ttlMs: 30_000, now: noon + 20_000, number: 1 });
    assert.deepEqual(await dueAt(store, noon + 30_000), []);
  }),

  rule("a thread parked on its timer is due then; parked on people, never", async (store) => {
    await park(store, "timer", timer("sleep#1", noon + hour), timer("sleep#2", noon + 2 * hour));
    await park(store, "people", asked("r1"));
    await park(store, "signal", waiting("wait:paid#1", "paid"));
    assert.deepEqual(await store.due({ now: noon, limit: 9 }), { threadIds: [], nextDueAt: noon + hour });
    assert.deepEqual(await dueAt(store, noon + hour), ["timer"]);
    assert.equal((await threadRow(store, "timer")).dueAt, at(noon + hour));
    assert.equal((await threadRow(store, "people")).dueAt, null);
  }),

  rule(
    "a parked thread is due at the earliest of its timers, deadlines and open requests' ends",
    async (store) => {
      await park(store, "request", asked("r1", noon + hour), timer("sleep#1", noon + 2 * hour));
      await park(
        store,
        "deadline",
        waiting("wait:paid#1", "paid", noon + 3 * hour),
        asked("r2", noon + 4 * hour),
      );
      await park(store, "decided", asked("r3", noon + hour), answered("r3"), asked("r4", noon + 5 * hour));
      assert.deepEqual(await dueAt(store, noon + hour), ["request"]);
      assert.deepEqual(await dueAt(store, noon + 3 * hour), ["request", "deadline"]);
      assert.deepEqual(await dueAt(store, noon + 5 * hour), ["request", "deadline", "decided"]);
    },
  ),

  rule(
    "given back without parking, a thread is due at once, or when it is to be tried again",
    async (store) => {
      await start(store, "now");
      await start(store, "later");
      await store.release(await take(store, "now"), { now: noon });
      await store.release(await take(store, "later"), { now: noon, retryAt: noon + hour });
      assert.deepEqual(await store.due({ now: noon, limit: 9 }), {
        threadIds: ["now"],
        nextDueAt: noon + hour,
      });
      assert.deepEqual(await dueAt(store, noon + hour), ["now", "later"]);
    },
  ),

  rule(
    "no lost wake-up: a signal between the load and the parking makes the thread due at once",
    async (store) => {
      const head = await start(store, "t", waiting("wait:paid#1", "paid"));
      const lease = await take(store, "t");
      await append(store, "t", head, signalled("paid"));
      assert.deepEqual(await dueAt(store, noon), []); // its worker has it
      await store.release(lease, { now: noon, parkedAt: head });
      assert.deepEqual(await dueAt(store, noon), ["t"]);
    },
  ),

  rule(
    "no lost wake-up: a child that ends while its parent is run makes it due after the parking",
    async (store) => {
      const head = await start(store, "parent");
      const lease = await take(store, "parent");
      await startChild(store, "child", "parent");
      await append(store, "child", 1, completed());
      assert.deepEqual(await dueAt(store, noon), []);
      await store.release(lease, { now: noon, parkedAt: head });
      assert.deepEqual(await dueAt(store, noon), ["parent"]);
      const again = await take(store, "parent"); // now it looks, so the next parking holds
      await store.release(again, { now: noon, parkedAt: head });
      assert.deepEqual(await dueAt(store, noon), []);
    },
  ),

  rule("a child that ends makes its parked parent due, unless that ended too", async (store) => {
    await park(store, "parent");
    await start(store, "ended", completed());
    await startChild(store, "child", "parent", completed());
    await startChild(store, "orphan", "ended", completed());
    await startChild(store, "foundling", "nobody", completed());
    assert.deepEqual(await dueAt(store, noon), ["parent"]);
    await store.release(await take(store, "parent"), { now: noon, parkedAt: 1 });
    assert.deepEqual(await dueAt(store, noon), []); // it looked once, that is enough
    await sound(store);
  }),

  rule(
    "an append of anyone but the worker makes a parked thread due at once, not an ended one",
    async (store) => {
      await park(store, "t", asked("r1"));
      await append(store, "t", 2, answered("r1"));
      await start(store, "ended", completed());
      await append(store, "ended", 2, noted("flagged later"));
      assert.deepEqual(await dueAt(store, noon), ["t"]);
    },
  ),

  rule("a thread that is due already keeps its place in the queue", async (store) => {
    await start(store, "first");
    await store.append({
      threadId: "second",
      expectedSeq: 0,
      events: [{ body: started("second"), at: at(noon + 1) }],
    });
    await store.append({ threadId: "first", expectedSeq: 1, events: [{ body: noted(), at: at(noon + 2) }] });
    assert.deepEqual(await dueAt(store, noon + hour), ["first", "second"]);
  }),

  rule("an append of the worker leaves the time alone; the end of a thread clears it", async (store) => {
    await start(store, "t");
    const lease = await take(store, "t");
    await store.append(work(lease, 1, noted()));
    assert.deepEqual(await dueAt(store, noon), []);
    await store.append(work(lease, 2, completed()));
    assert.deepEqual(await store.due({ now: noon + hour, limit: 9 }), { threadIds: [], nextDueAt: null });
    await store.release(lease, { now: noon });
    assert.deepEqual(await dueAt(store, noon + hour), []);
  }),

  rule("a quiet append makes nothing due, and keeps what is", async (store) => {
    const quietly = (threadId: string, expectedSeq: number, ...bodies: readonly EventBody[]) =>
      store.append({ threadId, expectedSeq, events: placed(...bodies), isQuiet: true });
    await quietly("t", 0, started("t"));
    await quietly("t", 1, timer("sleep#1", noon + hour));
    assert.deepEqual(await dueAt(store, noon + 2 * hour), []);
    await refused(quietly("t", 1, noted()), "append_conflict");
    await start(store, "u");
    await quietly("u", 1, noted());
    assert.deepEqual(await dueAt(store, noon), ["u"]);
    await append(store, "t", 2, noted());
    assert.deepEqual(await dueAt(store, noon), ["t", "u"]);
    await sound(store);
  }),

  rule("the longest due come first, and what does not fit is due at once", async (store) => {
    await park(store, "c", timer("sleep#1", noon + 3));
    await park(store, "a", timer("sleep#1", noon + 1));
    await park(store, "b", timer("sleep#1", noon + 2));
    assert.deepEqual(await store.due({ now: noon + 9, limit: 2 }), {
      threadIds: ["a", "b"],
      nextDueAt: noon + 9,
    });
    assert.deepEqual(await store.due({ now: noon + 2, limit: 2 }), {
      threadIds: ["a", "b"],
      nextDueAt: noon + 3,
    });
    assert.deepEqual(await store.due({ now: noon, limit: 2 }), { threadIds: [], nextDueAt: noon + 1 });
  }),

  rule("asked for some agents, due threads of others stand aside", async (store) => {
    const of = (threadId: string, agent: string, ...bodies: readonly EventBody[]) =>
      store.append({
        threadId,
        expectedSeq: 0,
        events: placed(started(threadId, { agent }), ...bodies),
      });
    for (const threadId of ["a1", "a2", "a3"]) await of(threadId, "a");
    await of("b1", "b");
    const parkedAt = await of("b2", "b", timer("sleep#1", noon + 1));
    await store.release(await take(store, "b2"), { now: noon, parkedAt });
    await of("c1", "c");
    const due = async (...agents: readonly string[]) =>
      (await store.due({ now: noon + 1, limit: 2, agents })).threadIds;
    assert.deepEqual([...(await due("b"))].sort(), ["b1", "b2"]);
    assert.deepEqual(await due("c", "nobody"), ["c1"]);
    assert.deepEqual(await due(), []);
    assert.deepEqual(await due("a"), ["a1", "a2"]);
    assert.equal((await dueAt(store, noon + 1)).length, 6);
    await take(store, "c1", "dead", noon + hour); // by a clock that was set back meanwhile
    assert.deepEqual(await due("c"), ["c1"]);
    assert.deepEqual([...(await due("b"))].sort(), ["b1", "b2"]);
  }),

  rule("threads that are due at once do not keep expired timers waiting for ever", async (store) => {
    const parkedAt = await start(store, "timer", timer("sleep#1", noon - hour));
    await store.release(await take(store, "timer"), { now: noon - 2 * hour, parkedAt });
    for (const threadId of ["a", "b", "c"]) await start(store, threadId);
    assert.equal((await dueAt(store, noon))[0], "timer");
  }),

  rule("a timer that was due when its thread parked wakes it no more", async (store) => {
    await park(store, "seen", timer("sleep#1", noon - hour), timer("sleep#2", noon + hour));
    assert.deepEqual(await store.due({ now: noon, limit: 9 }), { threadIds: [], nextDueAt: noon + hour });
  }),
];

/** Runs a new thread until it parks. */
async function park(store: Store, threadId: string, ...bodies: readonly EventBody[]): Promise<void> {
  const parkedAt = await start(store, threadId, ...bodies);
  await store.release(await take(store, threadId), { now: noon, parkedAt });
}

async function startChild(
  store: Store,
  threadId: string,
  parent: string,
  ...bodies: readonly EventBody[]
): Promise<void> {
  const first = started(threadId, { parent: { threadId: parent, key: "call:child#1" } });
  await append(store, threadId, 0, first, ...bodies);
  if (bodies.length === 0) await take(store, threadId, "another worker", noon, 24 * hour);
}
