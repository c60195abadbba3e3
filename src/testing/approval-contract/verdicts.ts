// Who gives a verdict, when, and how often.
import assert from "node:assert/strict";
import { requestIdFor } from "../../core/digest.ts";
import {
  type ApprovalCase,
  approve,
  deputy,
  giveDirectly,
  guest,
  lead,
  pay,
  reject,
  requester,
  rule,
} from "./case.ts";

const hourMs = 3_600_000;

export const verdictCases: readonly ApprovalCase[] = [
  rule("an approved action runs once, with exactly what was shown", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    assert.deepEqual(world.paid, []);
    assert.equal((await world.give({ requestId, verdict: approve, by: lead })).kind, "accepted");
    await world.settle(threadId);
    assert.deepEqual(world.paid, [{ to: "shop", cents: 500 }]);
    const decided = (await world.events(threadId)).find((event) => event.type === "request_decided");
    assert.equal(decided?.by, lead.id);
  }),

  rule("a rejected action does not run, and the flow is told by whom", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    assert.equal((await world.give({ requestId, verdict: reject, by: lead })).kind, "accepted");
    await world.settle(threadId);
    assert.deepEqual(world.paid, []);
    const denied = (await world.events(threadId)).find((event) => event.type === "action_denied");
    assert.equal(denied?.by, lead.id);
  }),

  rule("replayed, before and after the action ran, an approval is the one that stands", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    const attempt = { requestId, verdict: approve, by: lead };
    assert.equal((await world.give(attempt)).kind, "accepted");
    assert.notEqual((await world.give(attempt)).kind, "refused");
    await world.settle(threadId);
    assert.notEqual((await world.give(attempt)).kind, "refused");
    await world.settle(threadId);
    assert.equal(world.paid.length, 1);
  }),

  rule("edited after its approval, an action runs as it was approved", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    await world.give({ requestId, verdict: approve, by: lead });
    const edit = { kind: "edit", args: { to: "elsewhere", cents: 900 } } as const;
    const answer = await world.give({ requestId, verdict: edit, by: deputy });
    assert.equal(answer.kind, "refused");
    await world.settle(threadId);
    assert.deepEqual(world.paid, [{ to: "shop", cents: 500 }]);
  }),

  rule("an edit runs what the editor wrote, and nothing that does not validate", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    const wrong = { kind: "edit", args: { to: "shop", cents: -1 } } as const;
    assert.equal((await world.give({ requestId, verdict: wrong, by: lead })).kind, "refused");
    const right = { kind: "edit", args: { to: "shop", cents: 300 } } as const;
    assert.equal((await world.give({ requestId, verdict: right, by: lead })).kind, "accepted");
    await world.settle(threadId);
    assert.deepEqual(world.paid, [{ to: "shop", cents: 300 }]);
  }),

  rule(
    "approved and rejected at once on two ways, it gets one verdict, and the loser is told whose",
    async (world) => {
      const threadId = await world.start([pay("shop", 500)]);
      const { requestId } = await world.one();
      const [yes, no] = await Promise.all([
        world.give({ requestId, verdict: approve, by: lead }),
        giveDirectly(world.runtime, { requestId, verdict: reject, by: deputy }),
      ]);
      assert.deepEqual([yes.kind, no.kind].sort(), ["accepted", "refused"]);
      const [winner, loser] = yes.kind === "accepted" ? [lead, no] : [deputy, yes];
      assert.ok(loser.why.includes(winner.id), `"${loser.why}" names ${winner.id}`);
      await world.settle(threadId);
      assert.equal(world.paid.length, yes.kind === "accepted" ? 1 : 0);
    },
  ),

  rule("the same approval from many at once runs the action once", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    const attempt = { requestId, verdict: approve, by: lead };
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.give(attempt)));
    assert.ok(answers.every(({ kind }) => kind !== "refused"));
    await Promise.all([world.settle(threadId), world.settle(threadId)]);
    assert.equal(world.paid.length, 1);
  }),

  rule("an approval reaches no other thread, not even one with the same action", async (world) => {
    const first = await world.start([pay("shop", 500)]);
    const second = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one(first);
    await world.give({ requestId, verdict: approve, by: lead });
    await world.settle(first);
    await world.settle(second);
    assert.equal(world.paid.length, 1);
    assert.equal((await world.open(second)).length, 1);
  }),

  rule("after its deadline a request takes no approval, and nothing runs", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    await world.clock.advance(4 * hourMs);
    assert.equal((await world.give({ requestId, verdict: approve, by: lead })).kind, "refused");
    await world.settle(threadId);
    assert.equal((await world.give({ requestId, verdict: approve, by: lead })).kind, "refused");
    assert.deepEqual(world.paid, []);
  }),

  rule(
    "someone who may not decide is refused, and the request stays open for those who may",
    async (world) => {
      const threadId = await world.start([pay("shop", 500)]);
      const { requestId } = await world.one();
      assert.equal((await world.give({ requestId, verdict: approve, by: guest })).kind, "refused");
      assert.equal((await world.give({ requestId, verdict: reject, by: guest })).kind, "refused");
      assert.equal((await world.open()).length, 1);
      assert.equal((await world.give({ requestId, verdict: approve, by: lead })).kind, "accepted");
      await world.settle(threadId);
      assert.equal(world.paid.length, 1);
    },
  ),

  rule("nobody approves what they asked for, whatever their role", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    assert.equal((await world.give({ requestId, verdict: approve, by: requester })).kind, "refused");
    await world.settle(threadId);
    assert.deepEqual(world.paid, []);
    assert.equal((await world.open()).length, 1);
  }),

  rule("an agent approves nothing, as itself or as its thread", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    for (const id of ["agent:clerk", `thread:${threadId}`]) {
      const by = { id, roles: ["lead"] };
      const answer = await giveDirectly(world.runtime, { requestId, verdict: approve, by });
      assert.equal(answer.kind, "refused");
    }
    assert.equal((await world.open()).length, 1);
  }),

  rule("a message that is too old decides nothing", async (world) => {
    const threadId = await world.start([pay("shop", 500)]);
    const { requestId } = await world.one();
    const answer = await world.path.giveOld?.({ requestId, verdict: approve, by: lead });
    if (!answer) return; // its messages carry no time
    assert.equal(answer.kind, "refused");
    await world.settle(threadId);
    assert.deepEqual(world.paid, []);
  }),

  rule("a verdict before its request is in the log is refused, and is not kept for it", async (world) => {
    const threadId = "th_soon";
    const requestId = requestIdFor(threadId, "act:pay#1", 1);
    assert.equal((await world.give({ requestId, verdict: approve, by: lead })).kind, "refused");
    await world.startAs(threadId, [pay("shop", 500)]);
    assert.equal((await world.one()).requestId, requestId);
    assert.deepEqual(world.paid, []);
  }),
];
