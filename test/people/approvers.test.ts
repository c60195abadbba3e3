// I6. Who may decide a request: checked with the append, whichever way a verdict comes.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { agent } from "../../src/core/agent.ts";
import type { Verdict } from "../../src/core/events.ts";
import { type GatePolicy, gate } from "../../src/core/gate.ts";
import { handleOperation, settleAction, startThread } from "../../src/runtime/commands.ts";
import { forkThread } from "../../src/runtime/fork.ts";
import { eventsOf, oneAgentOfEachTest, runAgent } from "../kit/one-agent.ts";
import { payTool, runtimesOfEachTest, type TestRuntime, type Who } from "../kit/runtime.ts";

const open = oneAgentOfEachTest();
const openMany = runtimesOfEachTest();

async function held(
  policy: GatePolicy,
  cents = 5,
): Promise<{ opened: TestRuntime; threadId: string; requestId: string }> {
  const opened = await open({
    tools: [payTool({ risk: "high" })],
    gate: gate(policy),
    flow: async (t) =>
      (await t.act([{ callId: "c", tool: "pay", args: { cents } }])).map(({ status }) => status),
  });
  const threadId = await runAgent(opened);
  return { opened, threadId, requestId: await openId(opened) };
}

async function openId(opened: TestRuntime): Promise<string> {
  return (await opened.openRequests())[0]?.requestId ?? "none is open";
}

const approve: Verdict = { kind: "approve" };
const refusal = (said: RegExp) =>
  expect.objectContaining({ code: "not_an_approver", message: expect.stringMatching(said) });

describe("a request with approvers", () => {
  const policy: GatePolicy = { approvers: ["kim@example.com", "role:support-lead"] };
  const refused: readonly { name: string; who: Who }[] = [
    { name: "somebody else", who: { by: "lee@example.com" } },
    { name: "another role", who: { by: "lee@example.com", roles: ["support"] } },
    { name: "a principal who is called like the role", who: { by: "role:support-lead" } },
    {
      name: "a role that is called like the person",
      who: { by: "lee@example.com", roles: ["kim@example.com"] },
    },
    { name: "who started the thread, also as support lead", who: { by: "test", roles: ["support-lead"] } },
    { name: "a thread, also as support lead", who: { by: "thread:th_1", roles: ["support-lead"] } },
    { name: "an agent in another spelling", who: { by: " Agent:a", roles: ["support-lead"] } },
  ];

  it.each(refused)("is not decided by $name", async ({ who }) => {
    const { opened, threadId, requestId } = await held(policy);
    const before = await opened.types(threadId);
    for (const verdict of [approve, { kind: "reject", why: "no" } as const])
      await expect(opened.decide(requestId, verdict, who)).rejects.toEqual(refusal(/./));
    expect(await opened.types(threadId)).toEqual(before);
  });

  it("names those who may decide when it refuses", async () => {
    const { opened, requestId } = await held(policy);
    await expect(opened.decide(requestId, approve, { by: "lee@example.com" })).rejects.toEqual(
      refusal(/lee@example.com is none of its approvers.*kim@example.com, role:support-lead; not test/),
    );
  });

  it.each([
    { who: { by: "kim@example.com" }, as: "kim@example.com" },
    { who: { by: "dana@example.com", roles: ["support-lead"] }, as: "role:support-lead" },
  ])("is decided by $as, and records as whom", async ({ who, as }) => {
    const { opened, threadId, requestId } = await held(policy);
    await opened.decide(requestId, approve, who);
    await opened.settle(threadId);
    expect(await eventsOf(opened, threadId, "request_decided")).toMatchObject([{ by: who.by, as }]);
    expect(await opened.types(threadId)).toContain("action_completed");
  });

  it("is decided by who started the thread where the policy says so", async () => {
    const { opened, requestId } = await held({ approvers: ["test"], requesterMayDecide: true });
    await opened.decide(requestId, approve, { by: "test" });
    expect(await opened.openRequests()).toEqual([]);
  });
});

describe("a request without approvers", () => {
  it("is anybody's, also of who started the thread", async () => {
    const { opened, requestId } = await held({});
    await opened.decide(requestId, approve, { by: "test" });
    expect(await opened.openRequests()).toEqual([]);
  });

  it("is anybody else's where the policy says so", async () => {
    const { opened, requestId } = await held({ requesterMayDecide: false });
    await expect(opened.decide(requestId, approve, { by: "test" })).rejects.toEqual(
      refusal(/not test, who started/),
    );
    await opened.decide(requestId, approve, { by: "lee@example.com" });
  });
});

describe("who started the work does not approve it by another path", () => {
  const policy: GatePolicy = { approvers: ["role:lead"] };
  const lead = (by: string): Who => ({ by, roles: ["lead"] });
  const acting = () =>
    agent({
      name: "child",
      tools: [payTool({ risk: "high" })],
      gate: gate(policy),
      flow: async (t) =>
        (await t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }])).map(({ status }) => status),
    });

  it("through an agent that calls another", async () => {
    const parent = agent({ name: "parent", flow: async (t) => t.call("middle", null) });
    const middle = agent({ name: "middle", flow: async (t) => t.call("child", null) });
    const opened = await openMany({ agents: [parent, middle, acting()] });
    const { threadId } = await startThread(opened.runtime, "parent", null, { by: "kim@example.com" });
    await opened.settle(threadId);
    for (const { threadId: id } of (await opened.runtime.store.threads({})).rows) await opened.settle(id);
    for (const { threadId: id } of (await opened.runtime.store.threads({})).rows) await opened.settle(id);
    const [request] = await opened.openRequests();
    expect(request).toMatchObject({ agent: "child", opened: { requesters: ["kim@example.com"] } });
    await expect(opened.decide(request?.requestId ?? "", approve, lead("kim@example.com"))).rejects.toEqual(
      refusal(/started/),
    );
    await opened.decide(request?.requestId ?? "", approve, lead("lee@example.com"));
  });

  it("through a fork by somebody else, who may not approve it either", async () => {
    const opened = await openMany({ agents: [acting()] });
    const { threadId } = await startThread(opened.runtime, "child", null, { by: "kim@example.com" });
    await opened.settle(threadId);
    const forkId = await forkThread(opened.runtime, threadId, { at: 1, by: "lee@example.com" });
    await opened.settle(forkId);
    const request = (await opened.openRequests()).find((row) => row.threadId === forkId);
    for (const by of ["kim@example.com", "lee@example.com"])
      await expect(opened.decide(request?.requestId ?? "", approve, lead(by))).rejects.toEqual(
        refusal(/started/),
      );
    await opened.decide(request?.requestId ?? "", approve, lead("dana@example.com"));
  });
});

describe("a rule for approvers", () => {
  const byAmount: GatePolicy["approvers"] = ({ args }) =>
    (args as { cents: number }).cents > 50 ? ["role:director"] : ["role:lead"];

  it("names them by the arguments, when the request is opened", async () => {
    const { opened, requestId } = await held({ approvers: byAmount }, 500);
    await expect(opened.decide(requestId, approve, { roles: ["lead"] })).rejects.toEqual(
      refusal(/role:director/),
    );
    await opened.decide(requestId, approve, { roles: ["director"] });
  });

  it("is asked again about edited arguments: who approves 5 may not make it 500", async () => {
    const { opened, threadId, requestId } = await held({ approvers: byAmount });
    const edit = (cents: number): Verdict => ({ kind: "edit", args: { cents } });
    await expect(opened.decide(requestId, edit(500), { roles: ["lead"] })).rejects.toEqual(
      refusal(/role:director/),
    );
    await opened.decide(requestId, edit(7), { roles: ["lead"] });
    await opened.settle(threadId);
    expect(await eventsOf(opened, threadId, "action_completed")).toHaveLength(1);
  });

  it("lets whom it was escalated to edit too, within what the same people approve", async () => {
    const policy: GatePolicy = { approvers: byAmount, escalate: [{ after: "1h", to: ["role:cfo"] }] };
    const { opened, threadId, requestId } = await held(policy);
    await opened.clock.advance(3_600_000);
    await opened.settle(threadId);
    const edit = (cents: number): Promise<void> =>
      opened.decide(requestId, { kind: "edit", args: { cents } }, { roles: ["cfo"] });
    await expect(edit(500)).rejects.toEqual(refusal(/may decide request .* but not approve .*role:director/));
    await edit(7);
    await opened.settle(threadId);
    expect(await eventsOf(opened, threadId, "action_completed")).toHaveLength(1);
  });

  it.each([
    {
      name: "throws",
      rule: () => {
        throw new Error("no directory");
      },
      why: /failed: no directory/,
    },
    { name: "names nobody", rule: () => [], why: /names nobody/ },
    { name: "gives no list", rule: () => Promise.resolve(["role:lead"]) as never, why: /no list/ },
    {
      name: "gives a promise that fails", // and that would end the process
      rule: () => Promise.reject(new Error("no directory")) as never,
      why: /no list/,
    },
    { name: "names an agent", rule: () => ["agent:a"], why: /no person/ },
  ])("that $name denies the action: nobody could be asked", async ({ rule, why }) => {
    const { opened, threadId } = await held({ approvers: rule });
    expect(await opened.openRequests()).toEqual([]);
    expect(await eventsOf(opened, threadId, "action_denied")).toMatchObject([
      { deniedBy: "gate", why: expect.stringMatching(why) },
    ]);
    expect(await opened.types(threadId)).not.toContain("action_started");
  });

  it("cannot change the arguments that will run", async () => {
    const { opened, threadId, requestId } = await held({
      approvers: ({ args }) => {
        (args as { cents: number }).cents = 1;
        return ["dana@example.com"];
      },
    });
    await opened.decide(requestId, approve);
    await opened.settle(threadId);
    expect(await eventsOf(opened, threadId, "action_proposed")).toMatchObject([{ args: { cents: 5 } }]);
  });
});

describe("a question", () => {
  const asking = (options: object) =>
    open({ flow: async (t) => (await t.ask("Which?", { answer: z.string(), ...options })).kind });
  const answer: Verdict = { kind: "answer", value: "this" };

  it("goes by the same rule, for those whom the flow names", async () => {
    const opened = await asking({ approvers: ["role:buyer"] });
    await runAgent(opened);
    const requestId = await openId(opened);
    await expect(opened.decide(requestId, answer)).rejects.toEqual(refusal(/role:buyer/));
    await expect(opened.decide(requestId, answer, { by: "test", roles: ["buyer"] })).rejects.toEqual(
      refusal(/started/),
    );
    await opened.decide(requestId, answer, { roles: ["buyer"] });
  });

  it("may be for who started the thread", async () => {
    const opened = await asking({ approvers: ["test"], requesterMayDecide: true });
    await runAgent(opened);
    await expect(opened.decide(await openId(opened), answer)).rejects.toEqual(refusal(/is none/));
    await opened.decide(await openId(opened), answer, { by: "test" });
  });

  it("that names no list of people fails its thread, and is nobody's", async () => {
    const opened = await asking({ approvers: "dana@example.com" });
    const threadId = await runAgent(opened);
    expect((await eventsOf(opened, threadId, "thread_failed"))[0]?.error.message).toContain("no list");
  });
});

describe("what settles an operation beside its request", () => {
  const policy = gate({ approvers: ["role:lead"] });

  it("is refused to who may not decide the request that it closes", async () => {
    const { opened, threadId, requestId } = await held({ approvers: ["role:lead"] });
    const options = { by: "lee@example.com", why: "gone" };
    await expect(handleOperation(opened.runtime, threadId, "act:pay#1", options)).rejects.toEqual(
      refusal(/role:lead/),
    );
    expect(await openId(opened)).toBe(requestId);
    await handleOperation(opened.runtime, threadId, "act:pay#1", { ...options, roles: ["lead"] });
    expect(await opened.openRequests()).toEqual([]);
  });

  it("also for an action in doubt in a thread that has ended", async () => {
    const opened = await open({
      tools: [payTool({ timeout: 1, run: () => new Promise(() => {}) })],
      gate: policy,
      flow: async (t) => t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }]),
    });
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const settled = opened.settle(threadId);
    while (opened.clock.pending < 2) await new Promise((resolve) => setImmediate(resolve));
    await opened.clock.advance(1);
    await settled;
    await opened.decide(await openId(opened), { kind: "stop" }, { roles: ["lead"] });
    await opened.settle(threadId);
    const done = { verdict: { kind: "done", value: 1 }, by: "lee@example.com" } as const;
    await expect(settleAction(opened.runtime, threadId, "act:pay#1", done)).rejects.toEqual(
      refusal(/role:lead/),
    );
    await settleAction(opened.runtime, threadId, "act:pay#1", { ...done, roles: ["lead"] });
  });
});

describe("a gate is refused when it is made", () => {
  it.each([
    { policy: { approvers: "dana@example.com" as never }, said: /no list/ },
    { policy: { approvers: ["agent:a"] }, said: /no person/ },
    { policy: { approvers: ["role:"] }, said: /neither a principal nor a role/ },
    { policy: { approvers: ["a"], quorum: 2 }, said: /2 approvals are needed/ },
    { policy: { quorum: 1.5 }, said: /quorum/ },
    {
      policy: { approvers: ["a"], escalate: [{ after: "1h", to: ["thread:x"] }] as const },
      said: /no person/,
    },
  ])("for $policy", ({ policy, said }) => {
    expect(() => gate(policy)).toThrow(said);
  });
});
