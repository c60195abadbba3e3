import assert from "node:assert/strict";
import {
  append,
  at,
  completed,
  noon,
  noted,
  pairRule,
  refused,
  rule,
  type StoreCase,
  sound,
  start,
  take,
  threadRow,
  work,
} from "./case.ts";

const ttlMs = 30_000;

export const leaseCases: readonly StoreCase[] = [
  rule("one owner holds a thread; others are turned away until its time is over", async (store) => {
    await start(store, "t");
    const lease = await take(store, "t", "w1");
    assert.deepEqual(lease, { threadId: "t", owner: "w1", number: 1, until: noon + ttlMs, crashes: 0 });
    const later = noon + ttlMs;
    assert.equal(await store.lease({ threadId: "t", owner: "w2", ttlMs, now: later - 1 }), null);
    assert.equal(await store.lease({ threadId: "t", owner: "w1", ttlMs, now: noon }), null);
    assert.equal((await take(store, "t", "w2", later)).number, 2);
  }),

  rule("of many who ask at once, one gets the lease", async (store) => {
    await start(store, "t");
    const owners = Array.from({ length: 20 }, (_, index) => `w${index}`);
    const leases = await Promise.all(
      owners.map((owner) => store.lease({ threadId: "t", owner, ttlMs, now: noon })),
    );
    assert.equal(leases.filter((lease) => lease !== null).length, 1);
  }),

  rule("there is no lease of no thread, nor of one that ended", async (store) => {
    assert.equal(await store.lease({ threadId: "nobody", owner: "w1", ttlMs, now: noon }), null);
    await start(store, "t", completed());
    assert.equal(await store.lease({ threadId: "t", owner: "w1", ttlMs, now: noon }), null);
  }),

  rule("a thread of an agent that was not asked for is not leased, and stays as it is", async (store) => {
    await start(store, "t"); // of agent "desk"
    const before = await threadRow(store, "t");
    const ask = (agents: readonly string[]) =>
      store.lease({ threadId: "t", owner: "w1", ttlMs, now: noon, agents });
    assert.equal(await ask(["pay", "des"]), null);
    assert.equal(await ask([]), null);
    assert.deepEqual(await threadRow(store, "t"), before);
    assert.equal((await ask(["pay", "desk"]))?.number, 1);
  }),

  rule("the holder appends; after a change of hands, a zombie commits nothing", async (store) => {
    await start(store, "t");
    const zombie = await take(store, "t", "w1");
    assert.equal(await store.append(work(zombie, 1, noted())), 2);
    const successor = await take(store, "t", "w2", noon + ttlMs);
    await refused(store.append(work(zombie, 2, noted("zombie"))), "lease_lost");
    await refused(store.append(work(zombie, 1, noted("zombie"))), "lease_lost");
    assert.equal(await store.append(work(successor, 2, noted())), 3);
    assert.equal((await store.read("t")).length, 3);
    await sound(store);
  }),

  rule("a lease given back, and one of another owner with the same number, append nothing", async (store) => {
    await start(store, "t");
    const lease = await take(store, "t");
    await refused(store.append(work({ ...lease, owner: "w2" }, 1, noted())), "lease_lost");
    await store.release(lease, { now: noon });
    await refused(store.append(work(lease, 1, noted())), "lease_lost");
    await refused(store.append(work({ ...lease, threadId: "nobody" }, 1, noted())), "thread_not_found");
    assert.equal((await store.read("t")).length, 1);
  }),

  rule("an append expecting another seq is a conflict for the holder too", async (store) => {
    await start(store, "t");
    const lease = await take(store, "t");
    await append(store, "t", 1, noted("a person")); // needs no lease
    await refused(store.append(work(lease, 1, noted())), "append_conflict");
    assert.equal(await store.append(work(lease, 2, noted())), 3);
  }),

  rule("a holder renews, also late, as long as nobody took it", async (store) => {
    await start(store, "t");
    const { number } = await take(store, "t");
    const renew = (now: number, given = number) =>
      store.lease({ threadId: "t", owner: "w1", ttlMs, now, number: given });
    assert.equal((await renew(noon + 10_000))?.until, noon + 10_000 + ttlMs);
    assert.equal((await renew(noon + 500_000))?.number, number);
    assert.equal(await renew(noon + 500_000, number + 1), null);
    await take(store, "t", "w2", noon + 600_000);
    assert.equal(await renew(noon + 600_001), null);
  }),

  rule("the number of a lease grows with every change of hands", async (store) => {
    await start(store, "t");
    const first = await take(store, "t", "w1");
    await store.release(first, { now: noon });
    const second = await take(store, "t", "w1");
    const third = await take(store, "t", "w2", noon + ttlMs);
    assert.deepEqual([first.number, second.number, third.number], [1, 2, 3]);
    await refused(store.append(work(second, 1, noted())), "lease_lost");
  }),

  rule(
    "a rebuild takes the lease from nobody: what its holder does would be started a second time",
    async (store) => {
      await start(store, "t");
      const lease = await take(store, "t", "w1");
      await store.verify({ rebuild: true });
      assert.equal(await store.lease({ threadId: "t", owner: "w2", ttlMs, now: noon + 1 }), null);
      assert.deepEqual((await store.due({ now: noon + 1, limit: 9 })).threadIds, []);
      assert.equal(await store.append(work(lease, 1, noted())), 2);
      assert.equal((await take(store, "t", "w2", noon + ttlMs)).crashes, 0); // it had gone on
    },
  ),

  rule("giving back a lease that was lost does nothing", async (store) => {
    await start(store, "t");
    const old = await take(store, "t", "w1");
    const lease = await take(store, "t", "w2", noon + ttlMs);
    await store.release(old, { now: noon + ttlMs });
    await store.release({ ...old, threadId: "nobody" }, { now: noon });
    assert.equal(await store.append(work(lease, 1, noted())), 2);
  }),

  rule("crashes counts leases in a row that ran out without an event", async (store) => {
    await start(store, "t");
    const crashes: number[] = [];
    for (let turn = 0; turn < 4; turn++)
      crashes.push((await take(store, "t", `w${turn}`, noon + turn * ttlMs)).crashes);
    assert.deepEqual(crashes, [0, 1, 2, 3]);
  }),

  rule("an event, or giving the lease back, starts the count of crashes anew", async (store) => {
    await start(store, "t");
    await take(store, "t", "w1", noon);
    const second = await take(store, "t", "w2", noon + ttlMs);
    assert.equal(second.crashes, 1);
    await store.append(work(second, 1, noted()));
    const third = await take(store, "t", "w3", noon + 2 * ttlMs);
    assert.equal(third.crashes, 0);
    await store.release(third, { now: noon + 2 * ttlMs });
    assert.equal((await take(store, "t", "w4", noon + 2 * ttlMs)).crashes, 0);
  }),

  rule("a renewal does not hide that a lease ran out without an event", async (store) => {
    await start(store, "t");
    const { number } = await take(store, "t", "w1", noon);
    await store.lease({ threadId: "t", owner: "w1", ttlMs, now: noon + 10_000, number });
    assert.equal((await take(store, "t", "w2", noon + 10_000 + ttlMs)).crashes, 1);
  }),

  rule(
    "late facts after the end are taken from the holder, who may still renew, and from nobody else",
    async (store) => {
      await start(store, "t");
      const lease = await take(store, "t");
      await append(store, "t", 1, { type: "thread_cancelled", v: 1, by: "dana@example.com", why: "enough" });
      assert.equal(await store.append(work(lease, 2, noted("it had happened"))), 3);
      assert.equal(
        (await store.lease({ threadId: "t", owner: "w1", ttlMs, now: noon, number: 1 }))?.number,
        1,
      );
      assert.deepEqual((await store.due({ now: noon + 10 * ttlMs, limit: 9 })).threadIds, []);
      assert.equal(await store.lease({ threadId: "t", owner: "w2", ttlMs, now: noon + 10 * ttlMs }), null);
      await store.release(lease, { now: noon });
      await refused(store.append(work(lease, 3, noted())), "lease_lost");
      const row = await threadRow(store, "t");
      assert.deepEqual([row.status, row.dueAt], ["cancelled", null]);
      await sound(store);
    },
  ),

  rule("a clock set back does not keep a dead worker's lease for ever", async (store) => {
    await start(store, "t");
    const wrong = noon + 365 * 86_400_000;
    const dead = await take(store, "t", "w1", wrong);
    assert.deepEqual((await store.due({ now: noon, limit: 9 })).threadIds, ["t"]);
    const lease = await take(store, "t", "w2", noon);
    assert.deepEqual([lease.number, lease.crashes], [2, 0]);
    await refused(store.append(work(dead, 1, noted())), "lease_lost");
  }),

  rule("a clock set back a little, or a holder who renews, keeps its lease", async (store) => {
    await start(store, "t");
    const { number } = await take(store, "t", "w1", noon);
    assert.equal(await store.lease({ threadId: "t", owner: "w2", ttlMs, now: noon - 60_000 }), null);
    const earlier = noon - 3_600_000;
    assert.ok(await store.lease({ threadId: "t", owner: "w1", ttlMs, now: earlier, number }));
    assert.equal(await store.lease({ threadId: "t", owner: "w2", ttlMs, now: earlier }), null);
    assert.equal((await threadRow(store, "t")).dueAt, at(earlier + ttlMs));
  }),

  pairRule("a lease taken through one store is held for the other", async (one, other) => {
    await start(one, "t");
    const lease = await take(one, "t", "w1");
    assert.equal(await other.lease({ threadId: "t", owner: "w2", ttlMs, now: noon }), null);
    const successor = await take(other, "t", "w2", noon + ttlMs);
    await refused(one.append(work(lease, 1, noted())), "lease_lost");
    await other.append(work(successor, 1, noted()));
    await sound(one);
  }),
];
