// I6. One verdict, also where it takes several people.
import { describe, expect, it } from "vitest";
import { gate } from "../../src/core/gate.ts";
import { forkThread } from "../../src/runtime/fork.ts";
import { decideRequest } from "../../src/runtime/verdicts.ts";
import { eventsOf, oneAgentOfEachTest, runAgent } from "../kit/one-agent.ts";
import { payTool, type TestRuntime } from "../kit/runtime.ts";

const open = oneAgentOfEachTest();

async function held(quorum = 2): Promise<{ opened: TestRuntime; threadId: string; requestId: string }> {
  const opened = await open({
    tools: [payTool({ risk: "high" })],
    gate: gate({ approvers: ["role:lead"], quorum }),
    flow: async (t) =>
      (await t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }])).map(({ status }) => status),
  });
  const threadId = await runAgent(opened);
  return { opened, threadId, requestId: (await opened.openRequests())[0]?.requestId ?? "" };
}

function approveBy(opened: TestRuntime, requestId: string, by: string) {
  return decideRequest(opened.runtime, requestId, {
    verdict: { kind: "approve" },
    by,
    roles: ["lead"],
    via: "test",
  });
}

describe("a quorum of two", () => {
  it("starts the action at the second approval, which names both", async () => {
    const { opened, threadId, requestId } = await held();
    const first = await approveBy(opened, requestId, "dana@example.com");
    expect(first).toMatchObject({
      first: true,
      request: { status: "open", votes: [{ by: "dana@example.com", as: "role:lead" }] },
    });
    await opened.settle(threadId);
    expect(await opened.types(threadId)).not.toContain("action_started");
    const second = await approveBy(opened, requestId, "kim@example.com");
    expect(second).toMatchObject({ first: true, request: { status: "decided" } });
    await opened.settle(threadId);
    expect(await eventsOf(opened, threadId, "request_decided")).toMatchObject([
      { by: "kim@example.com", voters: ["dana@example.com", "kim@example.com"] },
    ]);
    expect(await eventsOf(opened, threadId, "action_completed")).toHaveLength(1);
    expect((await opened.runtime.store.verify({})).problems).toEqual([]);
  });

  it("counts each principal once, and keeps the log as it is when they say it again", async () => {
    const { opened, threadId, requestId } = await held();
    await approveBy(opened, requestId, "dana@example.com");
    const before = await opened.events(threadId);
    expect(await approveBy(opened, requestId, "dana@example.com")).toMatchObject({
      first: false,
      request: { status: "open" },
    });
    expect(await opened.events(threadId)).toEqual(before);
  });

  it.each(["Dana@Example.com", "dana@example.com ", "dana@example.com\u200b", "ｄana@example.com"])(
    "counts a person once who is spelt otherwise by another channel: %j",
    async (spelling) => {
      const { opened, threadId, requestId } = await held();
      await approveBy(opened, requestId, "dana@example.com");
      expect(await approveBy(opened, requestId, spelling)).toMatchObject({
        first: false,
        request: { status: "open" },
      });
      await opened.settle(threadId);
      expect(await opened.types(threadId)).not.toContain("action_started");
    },
  );

  it("is over at the first rejection, whoever approved before", async () => {
    const { opened, threadId, requestId } = await held();
    await approveBy(opened, requestId, "dana@example.com");
    await opened.decide(requestId, { kind: "reject", why: "no" }, { by: "kim@example.com", roles: ["lead"] });
    await opened.settle(threadId);
    expect(await opened.types(threadId)).toContain("action_denied");
    await expect(approveBy(opened, requestId, "lee@example.com")).rejects.toMatchObject({
      code: "request_already_decided",
    });
  });

  it("is not reached by who started the thread, nor by strangers", async () => {
    const { opened, requestId } = await held();
    await approveBy(opened, requestId, "dana@example.com");
    for (const by of ["test", "Test", "test ", "te\u00adst"])
      await expect(approveBy(opened, requestId, by)).rejects.toMatchObject({ code: "not_an_approver" });
    await expect(
      opened.decide(requestId, { kind: "approve" }, { by: "kim@example.com" }),
    ).rejects.toMatchObject({ code: "not_an_approver" });
  });

  it("takes no edit: nobody could say what the others had approved", async () => {
    const { opened, requestId } = await held();
    const edit = { kind: "edit", args: { cents: 7 } } as const;
    await expect(opened.decide(requestId, edit, { roles: ["lead"] })).rejects.toMatchObject({
      code: "verdict_invalid",
    });
  });

  it("given by ten at once, is one decision and one action", async () => {
    const { opened, threadId, requestId } = await held(3);
    const all = Array.from({ length: 10 }, (_, index) =>
      approveBy(opened, requestId, `p${index}@example.com`),
    );
    const ended = await Promise.allSettled(all);
    await opened.settle(threadId);
    expect(await eventsOf(opened, threadId, "request_voted")).toHaveLength(2);
    const [decided, ...others] = await eventsOf(opened, threadId, "request_decided");
    expect([new Set(decided?.voters).size, others]).toEqual([3, []]);
    expect(await eventsOf(opened, threadId, "action_started")).toHaveLength(1);
    for (const one of ended)
      if (one.status === "fulfilled") expect(one.value.request.status).toMatch(/open|decided/);
    expect((await opened.runtime.store.verify({})).problems).toEqual([]);
  });

  it("expires with the votes that there were, as a rejection", async () => {
    const { opened, threadId, requestId } = await held();
    await approveBy(opened, requestId, "dana@example.com");
    await opened.clock.advance(24 * 3_600_000);
    await opened.settle(threadId);
    const row = (await opened.runtime.store.requests({ requestId })).rows[0];
    expect(row).toMatchObject({ status: "expired", votes: [{ by: "dana@example.com" }] });
    expect(await eventsOf(opened, threadId, "action_denied")).toMatchObject([{ deniedBy: "deadline" }]);
  });

  it("begins anew in a fork: votes were for the other thread's action", async () => {
    const { opened, threadId, requestId } = await held();
    await approveBy(opened, requestId, "dana@example.com");
    const at = (await opened.events(threadId)).length;
    const forkId = await forkThread(opened.runtime, threadId, { at, by: "lee@example.com" });
    await opened.settle(forkId);
    const row = (await opened.openRequests()).find((request) => request.threadId === forkId);
    expect(row).toMatchObject({ votes: [], opened: { quorum: 2 } });
    expect((await opened.runtime.store.verify({})).problems).toEqual([]);
  });
});
