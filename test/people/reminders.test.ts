// Reminders and escalations: recorded times, one event each, and no turn in between.
import { describe, expect, it } from "vitest";
import { type GatePolicy, gate } from "../../src/core/gate.ts";
import { sendSignal } from "../../src/runtime/commands.ts";
import { forkThread } from "../../src/runtime/fork.ts";
import { eventsOf, oneAgentOfEachTest, runAgent } from "../kit/one-agent.ts";
import { payTool, type TestRuntime } from "../kit/runtime.ts";

const open = oneAgentOfEachTest();
const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);
const at = (hours: number): string => new Date(start + hours * hour).toISOString();

const policy: GatePolicy = {
  approvers: ["kim@example.com"],
  expiresIn: "10h",
  remindAfter: ["4h", "1h", "20h"],
  escalate: [
    { after: "2h", to: ["role:lead"] },
    { after: "6h", to: ["role:director", "kim@example.com"] },
  ],
};

async function held(
  changed: GatePolicy = {},
): Promise<{ opened: TestRuntime; threadId: string; requestId: string }> {
  const opened = await open({
    tools: [payTool({ risk: "high" })],
    gate: gate({ ...policy, ...changed }),
    flow: async (t) =>
      (await t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }])).map(({ status }) => status),
  });
  const threadId = await runAgent(opened);
  return { opened, threadId, requestId: (await opened.openRequests())[0]?.requestId ?? "" };
}

async function dueAt(opened: TestRuntime, threadId: string): Promise<string | null | undefined> {
  return (await opened.runtime.store.threads({ threadId })).rows[0]?.dueAt;
}

async function advance(opened: TestRuntime, threadId: string, hours: number): Promise<void> {
  await opened.clock.advance(hours * hour);
  await opened.settle(threadId);
}

describe("an open request", () => {
  it("comes to its approvers and then to others, each at its time, and is rejected at its deadline", async () => {
    const { opened, threadId } = await held();
    const times: (string | null | undefined)[] = [];
    for (const hours of [0, 1, 1, 2, 2]) {
      await advance(opened, threadId, hours);
      times.push(await dueAt(opened, threadId));
      expect((await opened.runtime.store.verify({})).problems).toEqual([]);
    }
    expect(times).toEqual([at(1), at(2), at(4), at(6), at(10)]);
    const [row] = await opened.openRequests();
    expect(row).toMatchObject({
      approvers: ["kim@example.com", "role:lead", "role:director"],
      dueAt: at(10),
    });
    expect((await opened.types(threadId)).slice(3)).toEqual([
      ...["request_reminded", "request_escalated", "request_reminded", "request_escalated"],
    ]);
    await advance(opened, threadId, 4);
    expect(await eventsOf(opened, threadId, "action_denied")).toMatchObject([{ deniedBy: "deadline" }]);
  });

  it("is decided by whom it was escalated to, from then on", async () => {
    const { opened, threadId, requestId } = await held();
    const lead = { roles: ["lead"] };
    await expect(opened.decide(requestId, { kind: "approve" }, lead)).rejects.toMatchObject({
      code: "not_an_approver",
    });
    await advance(opened, threadId, 2);
    await opened.decide(requestId, { kind: "approve" }, lead);
    await opened.settle(threadId);
    expect(await opened.types(threadId)).toContain("action_completed");
  });

  it("that no worker looked at for hours gets one reminder, and all of its escalations", async () => {
    const { opened, threadId } = await held();
    await advance(opened, threadId, 7);
    expect((await opened.types(threadId)).slice(3)).toEqual([
      "request_escalated",
      "request_escalated",
      "request_reminded",
    ]);
    expect(await dueAt(opened, threadId)).toBe(at(10));
    expect((await opened.openRequests())[0]?.approvers).toEqual([
      "kim@example.com",
      "role:lead",
      "role:director",
    ]);
  });

  it("takes no turn between its times", async () => {
    const { opened, threadId } = await held();
    const before = await opened.events(threadId);
    await advance(opened, threadId, 0.5);
    expect(await opened.events(threadId)).toEqual(before);
  });

  it("of anybody stays anybody's when it is escalated", async () => {
    const { opened, threadId, requestId } = await held({ approvers: [] });
    await advance(opened, threadId, 2);
    await opened.decide(requestId, { kind: "approve" }, { by: "lee@example.com" });
  });

  it("is reminded of anew in a fork, as long after it as it was to be", async () => {
    const { opened, threadId } = await held();
    await advance(opened, threadId, 3);
    const forkId = await forkThread(opened.runtime, threadId, {
      at: (await opened.events(threadId)).length,
      by: "test",
    });
    await opened.settle(forkId);
    expect(await dueAt(opened, forkId)).toBe(at(4));
    const row = (await opened.openRequests()).find((request) => request.threadId === forkId);
    expect(row?.approvers).toEqual(["kim@example.com"]);
    expect((await opened.runtime.store.verify({})).problems).toEqual([]);
  });
});

it("in a fork the sources of arguments name the fork's events, whose places have moved", async () => {
  const opened = await open({
    tools: [payTool({ risk: "high" })],
    gate: gate({ remindAfter: ["1h"] }),
    async flow(t) {
      const paid = async () => {
        const signal = await t.wait("go");
        const cents = signal.kind === "received" ? signal.value : 0;
        return t.act([{ callId: "c", tool: "pay", args: { cents } }]);
      };
      return Promise.all([t.ask("Which?"), paid()]);
    },
  });
  const threadId = await runAgent(opened);
  await advance(opened, threadId, 1); // the reminder is left out of the fork
  await sendSignal(opened.runtime, threadId, { signal: "go", value: 4711, by: "test" });
  await opened.settle(threadId);
  const at = (await opened.events(threadId)).length;
  const forkId = await forkThread(opened.runtime, threadId, { at, by: "test" });
  for (const id of [threadId, forkId]) {
    const request = (await eventsOf(opened, id, "request_opened")).find(({ kind }) => kind === "approval");
    const [signal] = await eventsOf(opened, id, "signal_received");
    expect(request?.sources?.[0]).toEqual({ path: "cents", found: { seq: signal?.seq, from: "signal:go" } });
  }
});

it("a question and an escalation are reminded of too", async () => {
  const opened = await open({ gate: gate(policy), flow: async (t) => t.ask("Which?") });
  const threadId = await runAgent(opened);
  await advance(opened, threadId, 1);
  expect(await eventsOf(opened, threadId, "request_reminded")).toMatchObject([
    { reminders: 1, nextAt: at(2) },
  ]);
});
