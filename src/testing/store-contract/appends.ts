import assert from "node:assert/strict";
import {
  append,
  completed,
  noted,
  pairRule,
  placed,
  refused,
  rule,
  type StoreCase,
  sound,
  start,
  started,
  threadRow,
} from "./case.ts";

export const appendCases: readonly StoreCase[] = [
  rule("an append gives the thread's new last seq, and its events are read back in order", async (store) => {
    assert.equal(await start(store, "t", noted(1)), 2);
    assert.equal(await append(store, "t", 2, noted(2), noted(3)), 4);
    const events = await store.read("t");
    assert.deepEqual(
      events.map((event) => [event.seq, event.type]),
      [
        [1, "thread_started"],
        [2, "step_completed"],
        [3, "step_completed"],
        [4, "step_completed"],
      ],
    );
    assert.deepEqual(events[3], { ...noted(3), at: placed(noted())[0]?.at, seq: 4 });
  }),

  rule("reading after a seq gives the rest; of no such thread, nothing", async (store) => {
    await start(store, "t", noted(1), noted(2));
    const after = async (afterSeq: number) => (await store.read("t", { afterSeq })).map((event) => event.seq);
    assert.deepEqual(await after(0), [1, 2, 3]);
    assert.deepEqual(await after(2), [3]);
    assert.deepEqual(await after(3), []);
    assert.deepEqual(await after(9), []);
    assert.deepEqual(await store.read("nobody"), []);
  }),

  rule("I1: an append that expects another seq is refused, and nothing of it is there", async (store) => {
    await start(store, "t", noted());
    await refused(append(store, "t", 1, noted("late")), "append_conflict");
    await refused(append(store, "t", 3, noted("early")), "append_conflict");
    await refused(start(store, "t"), "append_conflict");
    assert.equal((await store.read("t")).length, 2);
    await sound(store);
  }),

  rule("an append to no thread is refused", async (store) => {
    await refused(append(store, "nobody", 3, noted()), "thread_not_found");
    assert.deepEqual((await store.threads({})).rows, []);
  }),

  rule("an append that could not stand in a log is refused as a mistake", async (store) => {
    await refused(store.append({ threadId: "t", expectedSeq: 0, events: [] }), "usage");
    await refused(append(store, "t", 0, noted()), "usage");
    await refused(append(store, "t", 0, started("another")), "usage");
    for (const id of ["", "\ud800", "nul\0"]) await refused(append(store, id, 0, started(id)), "usage");
    const artifacts = [{ digest: "0".repeat(64), text: '"other"' }];
    await refused(
      store.append({ threadId: "t", expectedSeq: 0, events: placed(started("t")), artifacts }),
      "usage",
    );
    assert.deepEqual((await store.threads({})).rows, []);
  }),

  rule("I1: of appends at once that expect the same seq, one wins", async (store) => {
    await start(store, "t");
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => append(store, "t", 1, noted(index))),
    );
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    assert.equal((await store.read("t")).length, 2);
    await sound(store);
  }),

  rule("an append that is refused does not fail those that come with it", async (store) => {
    await start(store, "t");
    const outcomes = await Promise.allSettled([
      append(store, "t", 1, noted("first")),
      append(store, "t", 1, noted("conflict")),
      append(store, "nobody", 4, noted()),
      start(store, "u", noted()),
      append(store, "t", 2, noted("second")),
      append(store, "u", 2, completed()),
    ]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "rejected", "fulfilled", "fulfilled", "fulfilled"],
    );
    assert.equal((await threadRow(store, "t")).headSeq, 3);
    assert.equal((await threadRow(store, "u")).status, "completed");
    await sound(store);
  }),

  rule("many threads append at once, each in its own order", async (store) => {
    const ids = Array.from({ length: 50 }, (_, index) => `t${index}`);
    await Promise.all(
      ids.map(async (threadId) => {
        let head = await start(store, threadId);
        while (head < 20) head = await append(store, threadId, head, noted(head));
      }),
    );
    for (const threadId of ids) assert.equal((await store.read(threadId)).length, 20);
    await sound(store);
  }),

  pairRule("two stores on the same data see each other's events at once", async (one, other) => {
    await start(one, "t");
    assert.equal((await other.read("t")).length, 1);
    await append(other, "t", 1, noted("other"));
    await refused(append(one, "t", 1, noted("one")), "append_conflict"); // what it remembers of the thread is old
    await append(one, "t", 2, noted("one"));
    assert.equal((await other.read("t")).length, 3);
    await sound(other);
  }),

  pairRule("I1: when two stores race, exactly one wins each seq", async (one, other) => {
    await start(one, "t");
    const [winsOfOne, winsOfOther] = await Promise.all([race(one, "t", 60), race(other, "t", 60)]);
    const events = await one.read("t");
    assert.equal(events.length, 60);
    assert.equal(winsOfOne + winsOfOther, 59);
    await sound(one);
  }),

  pairRule("two stores create the same thread at once: one of them does", async (one, other) => {
    const outcomes = await Promise.allSettled([start(one, "t"), start(other, "t")]);
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    assert.equal((await one.read("t")).length, 1);
    await sound(one);
  }),
];

/** Appends until the thread has `length` events, starting over after each conflict. @returns how often it won. */
async function race(store: Parameters<typeof append>[0], threadId: string, length: number): Promise<number> {
  let wins = 0;
  for (;;) {
    const head = (await store.read(threadId)).length;
    if (head >= length) return wins;
    const [outcome] = await Promise.allSettled([append(store, threadId, head, noted(wins))]);
    if (outcome.status === "fulfilled") wins += 1;
  }
}
