import assert from "node:assert/strict";
import type { ScheduleClaim, ScheduleStore } from "../../ports/schedule-store.ts";
import type { Store } from "../../ports/store.ts";
import { pairRule, rule, type StoreCase, sound } from "./case.ts";

/** A store that keeps schedules. */
export type StoreWithSchedules = Store & { readonly schedules: ScheduleStore };

const nightly = { name: "nightly", definition: "d1" };

function claimOf(changes: Partial<ScheduleClaim> = {}): ScheduleClaim {
  return { ...nightly, from: 100, to: 200, ticks: [150, 200], agent: "a", problem: null, ...changes };
}

async function only({ schedules }: StoreWithSchedules) {
  const [row, ...others] = await schedules.list();
  assert.ok(row);
  assert.deepEqual(others, []);
  return row;
}

/** A claim that is refused, and leaves nothing behind. */
function refusal(name: string, changes: Partial<ScheduleClaim>): StoreCase<StoreWithSchedules> {
  return rule(`S1. a claim ${name} is refused and leaves nothing behind`, async (store) => {
    await store.schedules.register({ ...nightly, now: 100 });
    assert.equal(await store.schedules.claim(claimOf(changes)), false);
    const { cursor, waiting } = await only(store);
    assert.deepEqual([cursor, waiting], [100, 0]);
    assert.deepEqual(await store.schedules.waiting(changes.name ?? "nightly", 10), []);
  });
}

/** What every `ScheduleStore` must do, like `storeCases`. */
export const scheduleCases: readonly StoreCase<StoreWithSchedules>[] = [
  pairRule("S1. of claims of the same ticks one is granted, in any mixture", async (one, other) => {
    await one.schedules.register({ ...nightly, now: 0 });
    for (let from = 0; from < 20; from++) {
      const claims = [one, other, one, other].map(({ schedules }) =>
        schedules.claim(claimOf({ from, to: from + 1, ticks: [from + 1] })),
      );
      assert.equal((await Promise.all(claims)).filter((granted) => granted).length, 1);
    }
    const { cursor, waiting } = await only(other);
    assert.deepEqual([cursor, waiting], [20, 20]);
  }),

  refusal("from another place", { from: 99 }),
  refusal("for another definition", { definition: "d2" }),
  refusal("for a schedule that nobody registered", { name: "hourly" }),

  rule("S1. a claim of a paused schedule is refused", async ({ schedules }) => {
    await schedules.register({ ...nightly, now: 100 });
    assert.equal(await schedules.pause({ name: "nightly", by: "dana@example.com", now: 120 }), true);
    assert.equal(await schedules.claim(claimOf()), false);
    await schedules.resume({ name: "nightly", now: 100 });
    assert.equal(await schedules.claim(claimOf()), true);
    assert.equal(await schedules.pause({ name: "hourly", by: "dana@example.com", now: 120 }), false);
  }),

  {
    name: "S2. claimed ticks are there after the store was closed, until each was started or given up",
    async run(open) {
      const first = await open();
      await first.schedules.register({ ...nightly, now: 100 });
      await first.schedules.claim(claimOf({ ticks: [120, 150, 200] }));
      await first.close();
      await rule<StoreWithSchedules>("", async (store) => {
        const { schedules } = store;
        assert.deepEqual(
          (await schedules.waiting("nightly", 2)).map(({ tick, agent }) => [tick, agent]),
          [
            [120, "a"],
            [150, "a"],
          ],
        );
        await schedules.started({ name: "nightly", tick: 200, threadId: "th_200" });
        await schedules.started({ name: "nightly", tick: 120, threadId: "th_120" });
        await schedules.failed({ name: "nightly", tick: 150, problem: "it cannot be started" });
        const { waiting, lastTick, lastThreadId, problem } = await only(store);
        assert.deepEqual([waiting, lastTick, lastThreadId], [0, 200, "th_200"]);
        assert.equal(problem, "it cannot be started");
        await sound(store);
      }).run(open);
    },
  },

  rule(
    "registering again changes nothing, unless the definition is another: then it goes on from now",
    async (store) => {
      await store.schedules.register({ ...nightly, now: 100 });
      await store.schedules.register({ ...nightly, now: 500 });
      assert.equal((await only(store)).cursor, 100);
      await store.schedules.register({ name: "nightly", definition: "d2", now: 500 });
      const { cursor, definition } = await only(store);
      assert.deepEqual([cursor, definition], [500, "d2"]);
    },
  ),

  rule(
    "resuming leaves out what came meanwhile; of a schedule that is not paused, nothing",
    async (store) => {
      await store.schedules.register({ ...nightly, now: 100 });
      assert.equal(await store.schedules.resume({ name: "nightly", now: 500 }), true);
      assert.equal((await only(store)).cursor, 100);
      await store.schedules.pause({ name: "nightly", by: "dana@example.com", now: 600 });
      await store.schedules.resume({ name: "nightly", now: 700 });
      const { cursor, pausedAt } = await only(store);
      assert.deepEqual([cursor, pausedAt], [700, null]);
    },
  ),
];
