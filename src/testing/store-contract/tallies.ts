import assert from "node:assert/strict";
import { isHoldpointError } from "../../core/errors.ts";
import type { EventBody } from "../../core/events.ts";
import type { Store } from "../../ports/store.ts";
import { append, at, noon, noted, pairRule, refused, rule, type StoreCase, sound, start } from "./case.ts";

const day = 86_400_000;

/** The start of an action that adds to sums. */
function counting(amount: number, name = "refunds", per: "day" | "thread" = "day"): EventBody {
  const ids = { key: "act:refund#1", digest: "d1", idempotencyKey: "t/act:refund#1" };
  return { type: "action_started", v: 1, ...ids, attempt: 1, counts: [{ name, per, amount }] };
}

/** Adds within limits, at a time. */
function add(
  store: Store,
  threadId: string,
  expectedSeq: number,
  amount: number,
  { max = 100, timeMs = noon, name = "refunds" } = {},
): Promise<number> {
  const events = [{ body: counting(amount, name), at: at(timeMs) }];
  return store.append({ threadId, expectedSeq, events, limits: [{ name, max }] });
}

export const tallyCases: readonly StoreCase[] = [
  rule("a sum of a day goes over all threads, up to its limit and no further", async (store) => {
    await start(store, "t");
    await start(store, "u");
    await add(store, "t", 1, 60);
    await refused(add(store, "u", 1, 41), "tally_exceeded");
    assert.equal((await store.read("u")).length, 1, "nothing of what is refused is written");
    await add(store, "u", 1, 40);
    await refused(add(store, "t", 2, 1), "tally_exceeded");
    await sound(store);
  }),

  rule("a refusal tells the sum that there is", async (store) => {
    await start(store, "t", counting(70));
    const [outcome] = await Promise.allSettled([add(store, "t", 2, 31)]);
    assert.equal(outcome.status, "rejected");
    const { reason } = outcome as PromiseRejectedResult; // asserted on the line before
    assert.ok(isHoldpointError(reason, "tally_exceeded"));
    assert.deepEqual(reason.details, { name: "refunds", day: at(noon).slice(0, 10), total: 70 });
  }),

  rule("what is appended without a limit counts, and may go beyond it", async (store) => {
    await start(store, "t", counting(70), counting(70));
    await refused(add(store, "t", 3, 1, { max: 140 }), "tally_exceeded");
    await add(store, "t", 3, 1, { max: 141 });
    await sound(store);
  }),

  rule(
    "each day, and each name, has a sum of its own; sums of threads are no sums of days",
    async (store) => {
      await start(store, "t", counting(1_000, "refunds", "thread"));
      await add(store, "t", 2, 100);
      await add(store, "t", 3, 100, { name: "credits" });
      await add(store, "t", 4, 100, { timeMs: noon + day });
      await refused(add(store, "t", 5, 1, { timeMs: noon + day / 2 - 1 }), "tally_exceeded"); // the last moment of the day
      await refused(add(store, "t", 5, 1, { timeMs: noon + day / 2 }), "tally_exceeded"); // the first of the next
      await sound(store);
    },
  ),

  rule("all that one append adds is checked together", async (store) => {
    const events = [counting(60), counting(41)].map((body) => ({ body, at: at(noon) }));
    await start(store, "t");
    const limits = [{ name: "refunds", max: 100 }];
    await refused(store.append({ threadId: "t", expectedSeq: 1, events, limits }), "tally_exceeded");
    await store.append({ threadId: "t", expectedSeq: 1, events, limits: [{ name: "refunds", max: 101 }] });
  }),

  rule("sums are rebuilt from events", async (store) => {
    await start(store, "t", counting(60), noted(), counting(5, "credits"));
    await store.verify({ rebuild: true });
    await refused(add(store, "t", 4, 41), "tally_exceeded");
    await sound(store);
  }),

  pairRule("of two stores that add at once, none goes beyond the limit", async (one, other) => {
    const ids = Array.from({ length: 20 }, (_, index) => `t${index}`);
    for (const threadId of ids) await start(one, threadId);
    const outcomes = await Promise.allSettled(
      ids.map((threadId, index) => add(index % 2 === 0 ? one : other, threadId, 1, 30)),
    );
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 3);
    await append(one, "t0", (await one.read("t0")).length, noted());
    await sound(other);
  }),
];
