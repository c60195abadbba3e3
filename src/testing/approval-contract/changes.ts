// What happens between the question and the action: restarts, crashes, cancelled threads, newer code.
import assert from "node:assert/strict";
import { z } from "zod";
import { cancelThread } from "../../runtime/commands.ts";
import { type ApprovalCase, approve, lead, pay, requester, rule } from "./case.ts";

export const changeCases: readonly ApprovalCase[] = [
  rule(
    "after a restart the request has the same id, and its approval runs the action once",
    async (world) => {
      const threadId = await world.start([pay("shop", 500)]);
      const { requestId } = await world.one();
      await world.restart();
      assert.equal((await world.one()).requestId, requestId);
      assert.equal((await world.give({ requestId, verdict: approve, by: lead })).kind, "accepted");
      await world.restart();
      assert.notEqual((await world.give({ requestId, verdict: approve, by: lead })).kind, "refused");
      await world.settle(threadId);
      await world.restart();
      await world.settle(threadId);
      assert.equal(world.paid.length, 1);
    },
  ),

  rule("of a cancelled thread no request takes a verdict, and nothing runs", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    await cancelThread(world.runtime, threadId, { by: requester.id, why: "a mistake" });
    assert.equal((await world.give({ requestId, verdict: approve, by: lead })).kind, "refused");
    await world.settle(threadId);
    assert.deepEqual(world.paid, []);
  }),

  rule("cancelled between its approval and its start, an action does not run", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    await world.give({ requestId, verdict: approve, by: lead });
    await cancelThread(world.runtime, threadId, { by: requester.id, why: "a mistake" });
    await world.settle(threadId);
    assert.deepEqual(world.paid, []);
  }),

  rule("arguments that newer code no longer takes do not run under the old approval", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    await world.give({ requestId, verdict: approve, by: lead });
    const input = z.object({ to: z.string(), cents: z.number().max(100) });
    await world.restart({ pay: { input, version: "2" } });
    await world.settle(threadId);
    assert.deepEqual(world.paid, []);
  }),

  rule("a newer version of the tool is asked for anew, saying why", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const first = await world.one();
    await world.give({ requestId: first.requestId, verdict: approve, by: lead });
    await world.restart({ pay: { version: "2" } });
    await world.settle(threadId);
    assert.deepEqual(world.paid, []);
    const second = await world.one();
    assert.notEqual(second.requestId, first.requestId);
    assert.match(second.opened.again ?? "", /version/);
    await world.give({ requestId: second.requestId, verdict: approve, by: lead });
    await world.settle(threadId);
    assert.equal(world.paid.length, 1);
  }),

  rule("an action whose worker died while it ran does not run a second time by itself", async (world) => {
    let runs = 0;
    const dying = {
      run: () => {
        runs += 1;
        return new Promise<never>(() => {}); // and then its process is gone
      },
    };
    await world.restart({ pay: dying });
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    await world.give({ requestId, verdict: approve, by: lead });
    void world.settle(threadId).catch(() => {}); // its store is closed under it
    while (runs === 0) await new Promise((resolve) => setImmediate(resolve));
    await world.abandon();
    await world.clock.advance(60_000); // its lease ends
    await world.settle(threadId);
    assert.equal(runs, 1);
    assert.deepEqual(world.paid, []);
    assert.equal((await world.one()).opened.reason, "in_doubt");
  }),
];
