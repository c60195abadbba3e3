import assert from "node:assert/strict";
import type { OutboxChange, OutboxStore } from "../../ports/outbox.ts";
import type { Store } from "../../ports/store.ts";
import {
  answered,
  append,
  asked,
  completed,
  noon,
  pairRule,
  refused,
  rule,
  type StoreCase,
  sound,
  start,
} from "./case.ts";

/** A store that keeps an outbox. */
export type StoreWithOutbox = Store & { readonly outbox: OutboxStore };

const channel = "c";

function advance(
  { outbox }: StoreWithOutbox,
  changes: readonly OutboxChange[],
  place: { readonly from: number; readonly to: number } = { from: 0, to: 0 },
): Promise<boolean> {
  return outbox.advance({ channel, changes, now: noon, ...place });
}

/** Asks these recipients about a request of a new thread. */
async function ask(store: StoreWithOutbox, ...recipients: readonly string[]): Promise<void> {
  await start(store, "t", asked("r_1"));
  await advance(store, [{ kind: "ask", eventId: 2, requestId: "r_1", recipients }]);
}

async function claim(store: StoreWithOutbox, now: number = noon, owner = "w1") {
  const claimed = await store.outbox.claim({ channel, owner, leaseMs: 1_000, now });
  assert.ok(claimed, "a delivery is due");
  return claimed;
}

async function nothingDue(store: StoreWithOutbox, now: number = noon): Promise<void> {
  assert.equal(await store.outbox.claim({ channel, owner: "w2", leaseMs: 1_000, now }), null);
}

async function kinds(store: StoreWithOutbox): Promise<readonly string[]> {
  return (await store.outbox.deliveries({})).rows.map(({ kind, status }) => `${kind} ${status}`);
}

/** What every `OutboxStore` must do, like `storeCases`. */
export const outboxCases: readonly StoreCase<StoreWithOutbox>[] = [
  rule(
    "facts come in the order of commits, over all threads, and only those that concern people",
    async (store) => {
      await start(store, "one", asked("r_1"));
      await start(store, "two", asked("r_2"));
      await append(store, "one", 2, answered("r_1"), completed());
      const batch = await store.outbox.unseen(channel);
      assert.deepEqual(
        batch?.facts.map(({ type, requestId }) => [type, requestId]),
        [
          ["request_opened", "r_2"], // the oldest that is open: what is before it is not read
          ["request_decided", "r_1"],
          ["thread_completed", null],
        ],
      );
      assert.ok(batch);
      await advance(store, [], batch);
      assert.equal(await store.outbox.unseen(channel), null);
    },
  ),

  pairRule(
    "of two that move a cursor from one place one does, and only its deliveries are made",
    async (one, other) => {
      await start(one, "t", asked("r_1"));
      const changes = [{ kind: "ask", eventId: 2, requestId: "r_1", recipients: ["dana"] }] as const;
      const place = { from: 0, to: 2 };
      const moved = await Promise.all([advance(one, changes, place), advance(other, changes, place)]);
      assert.deepEqual(moved.toSorted(), [false, true]);
      assert.deepEqual(await kinds(other), ["ask pending"]);
    },
  ),

  pairRule(
    "a delivery is held by one until its lease ends, and settled by who holds it",
    async (one, other) => {
      await ask(one, "dana");
      const first = await claim(one);
      await nothingDue(other);
      const second = await claim(other, noon + 1_000, "w2");
      assert.equal(second.delivery.deliveryId, first.delivery.deliveryId);
      assert.equal(await one.outbox.settle(first, { kind: "sent", receipt: 1 }, noon), false);
      assert.equal(await other.outbox.settle(second, { kind: "sent", receipt: 2 }, noon), true);
      const [settled] = (await one.outbox.deliveries({})).rows;
      assert.deepEqual([settled?.status, settled?.receipt, settled?.attempts], ["sent", 2, 2]);
    },
  ),

  rule(
    "the deliveries of a copy leave in their order, and the next has the receipt of the one before",
    async (store) => {
      await ask(store, "dana");
      const first = await claim(store);
      await advance(store, [{ kind: "remind", eventId: 3, requestId: "r_1" }]);
      await nothingDue(store);
      await store.outbox.settle(first, { kind: "sent", receipt: { line: 1 } }, noon);
      const next = await claim(store);
      assert.deepEqual([next.delivery.kind, next.copyReceipt], ["remind", { line: 1 }]);
    },
  ),

  rule(
    "what was never sent is dropped when its request closes; what may be out there is closed",
    async (store) => {
      await ask(store, "dana", "kim", "lee");
      const [sent, lost] = [await claim(store), await claim(store)];
      await store.outbox.settle(sent, { kind: "sent", receipt: null }, noon);
      await store.outbox.settle(
        lost,
        { kind: "retry", at: noon + 1, error: "no answer", arrived: "unknown" },
        noon,
      );
      await advance(store, [{ kind: "close", eventId: 4, requestId: "r_1" }]);
      const all = [
        await kinds(store),
        ["ask sent", "ask dropped", "ask dropped", "close pending", "close pending"],
      ];
      assert.deepEqual(all[0], all[1]);
      assert.equal((await claim(store)).mayBeOut, true);
    },
  ),

  rule("a try of which it is certain that nothing arrived leaves nothing to be closed", async (store) => {
    await ask(store, "dana");
    const tried = await claim(store);
    await store.outbox.settle(tried, { kind: "retry", at: noon + 1, error: "nobody", arrived: false }, noon);
    await advance(store, [{ kind: "close", eventId: 4, requestId: "r_1" }]);
    assert.deepEqual(await kinds(store), ["ask dropped"]);
  }),

  rule("what may have arrived is not forgotten when its sender dies", async (store) => {
    await ask(store, "dana");
    await claim(store);
    const again = await claim(store, noon + 1_000, "w2");
    await store.outbox.settle(again, { kind: "retry", at: noon + 1, error: "nobody", arrived: false }, noon);
    await advance(store, [{ kind: "close", eventId: 4, requestId: "r_1" }]);
    assert.deepEqual(await kinds(store), ["ask dropped", "close pending"]);
  }),

  rule("the end of a thread closes all that it has out, once", async (store) => {
    await ask(store, "dana");
    await store.outbox.settle(await claim(store), { kind: "sent", receipt: null }, noon);
    await append(store, "t", 2, completed());
    const end = { kind: "end", eventId: 3, threadId: "t" } as const;
    await advance(store, [end, { kind: "close", eventId: 4, requestId: "r_1" }]);
    assert.deepEqual(await kinds(store), ["ask sent", "close pending"]);
  }),

  rule(
    "a request that is gone is asked of nobody, and a dead ask of a closed one is not sent again",
    async (store) => {
      await start(store, "t", asked("r_1"));
      await advance(store, [
        { kind: "ask", eventId: 2, requestId: "r_gone", recipients: ["dana"] },
        { kind: "ask", eventId: 2, requestId: "r_1", recipients: ["dana"] },
      ]);
      const claimed = await claim(store);
      await store.outbox.settle(claimed, { kind: "dead", error: "refused" }, noon);
      const { deliveryId } = claimed.delivery;
      assert.equal((await store.outbox.retry(deliveryId, noon)).status, "pending");
      await store.outbox.settle(await claim(store), { kind: "dead", error: "refused" }, noon);
      await append(store, "t", 2, answered("r_1"));
      await refused(store.outbox.retry(deliveryId, noon), "usage");
      await refused(store.outbox.retry("d_none", noon), "delivery_not_found");
      await sound(store);
    },
  ),

  rule("the list goes on where it ended, and refuses what is no cursor", async (store) => {
    const recipients = ["a", "b", "c", "d", "e"];
    await ask(store, ...recipients);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<OutboxStore["deliveries"]>> = await store.outbox.deliveries({
        limit: 2,
        ...(cursor !== null && { cursor }),
      });
      seen.push(...page.rows.map(({ recipient }) => recipient));
      cursor = page.nextCursor;
    } while (cursor !== null);
    assert.deepEqual(seen, recipients);
    await refused(store.outbox.deliveries({ cursor: "x" }), "usage");
    await refused(store.outbox.deliveries({ limit: 0 }), "usage");
  }),
];
