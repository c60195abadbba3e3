// What an approval was based on has changed before the start: it is asked for again, saying why, or denied (I5).
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Agent, agent } from "../../src/core/agent.ts";
import type { GateOutcome, Verdict } from "../../src/core/events.ts";
import { type GatePolicy, gate } from "../../src/core/gate.ts";
import type { ToolDefinition } from "../../src/core/tool.ts";
import { cancelThread, startThread } from "../../src/runtime/commands.ts";
import { settleThreads } from "../../src/runtime/worker.ts";
import { eventsOf } from "../kit/one-agent.ts";
import { payTool, runtimesOfEachTest, type TestRuntime } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();

interface Version {
  readonly tool?: Partial<ToolDefinition<{ cents: number; note: string }>>;
  readonly gate?: GatePolicy;
}

const runs: unknown[] = [];

function deployed({ tool, gate: policy = {} }: Version): Agent {
  const run = (args: unknown): unknown => runs.push(args);
  return agent({
    name: "a",
    tools: [payTool({ risk: "high", run, ...tool })],
    gate: gate(policy),
    flow: async (t) =>
      (await t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }])).map(({ status }) => status),
  });
}

/** Approved under the one version, and run on under the other. */
async function approvedThen(
  before: Version,
  after: Version,
  verdict: Verdict = { kind: "approve" },
): Promise<{ opened: TestRuntime; threadId: string }> {
  runs.splice(0);
  const first = await openRuntime({ agents: [deployed(before)] });
  const { threadId } = await startThread(first.runtime, "a", null, { by: "test" });
  await first.settle(threadId);
  await first.decide((await first.openRequests())[0]?.requestId ?? "", verdict);
  const opened = await openRuntime({ agents: [deployed(after)] });
  await opened.settle(threadId);
  return { opened, threadId };
}

const hold = (reason: string): GatePolicy => ({ decide: (): GateOutcome => ({ kind: "hold", reason }) });
const input = (schema: z.ZodType): NonNullable<Version["tool"]> => ({ input: schema as never });

it.each([1, 2])(
  "an approval by whom it was escalated to is asked for again when it would be no more (%d of them)",
  async (quorum) => {
    const approvers = ["role:lead"];
    const to = ["dana@example.com", "lee@example.com"];
    runs.splice(0);
    const before: GatePolicy = { approvers, quorum, escalate: [{ after: "1h", to }] };
    const first = await openRuntime({ agents: [deployed({ gate: before })] });
    const { threadId } = await startThread(first.runtime, "a", null, { by: "test" });
    await first.settle(threadId);
    await first.clock.advance(3_600_000);
    await first.settle(threadId);
    const requestId = (await first.openRequests())[0]?.requestId ?? "";
    await first.decide(requestId, { kind: "approve" });
    if (quorum === 2)
      await first.decide(requestId, { kind: "approve" }, { by: "kim@example.com", roles: ["lead"] });
    const opened = await openRuntime({ agents: [deployed({ gate: { approvers, quorum } })] });
    await opened.settle(threadId);
    expect(runs).toEqual([]);
    expect((await opened.openRequests())[0]?.opened.again).toMatch(/dana@example\.com is no approver by now/);
  },
);

it("an edit of what had started before goes by a key of its own: under the old one a service gives the old result", async () => {
  const keys: unknown[] = [];
  const stop = new AbortController();
  const deploy = (version: string): Agent =>
    deployed({
      tool: {
        version,
        effect: "repeatable",
        run: ({ cents }, { idempotencyKey, attempt, signal }) => {
          keys.push([cents, idempotencyKey, attempt]);
          if (version === "2") return "paid";
          stop.abort(); // its worker stops while it runs
          return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        },
      },
    });
  const first = await openRuntime({ agents: [deploy("1")] });
  const { threadId } = await startThread(first.runtime, "a", null, { by: "test" });
  await first.settle(threadId);
  await first.decide((await first.openRequests())[0]?.requestId ?? "", { kind: "approve" });
  const stopped = settleThreads(first.runtime, [threadId], { signal: stop.signal, patienceMs: 0 });
  await expect.poll(() => first.clock.pending).toBeGreaterThan(0);
  await first.clock.advance(30_000); // its grace
  await stopped;
  const opened = await openRuntime({ agents: [deploy("2")] });
  await opened.settle(threadId);
  const [request] = await opened.openRequests();
  expect(request?.opened.again).toMatch(/now version 2/);
  await opened.decide(request?.requestId ?? "", { kind: "edit", args: { cents: 7 } });
  await opened.settle(threadId);
  expect(keys).toEqual([
    [5, `${threadId}/act:pay#1`, 1],
    [7, `${threadId}/act:pay#1/2`, 2],
  ]);
});

describe("an approval is asked for again", () => {
  const changes: readonly { name: string; before?: Version; after: Version; again: RegExp }[] = [
    {
      name: "the tool has another version",
      after: { tool: { version: "2" } },
      again: /now version 2.*was version 1/,
    },
    {
      name: "the schema has a new member",
      after: {
        tool: input(
          z.object({ cents: z.int(), note: z.string().default("none"), currency: z.string().default("EUR") }),
        ),
      },
      again: /schema of pay has changed/,
    },
    {
      name: "the gate holds it for another reason",
      before: { gate: hold("over 3") },
      after: { gate: hold("a new customer") },
      again: /another reason by now: a new customer/,
    },
    { name: "it takes two by now", after: { gate: { quorum: 2 } }, again: /takes 2 approvals/ },
    {
      name: "approvers are named by now",
      after: { gate: { approvers: ["role:lead"] } },
      again: /approvers are role:lead by now/,
    },
    {
      name: "a rule names approvers by now",
      after: { gate: { approvers: () => ["role:lead"] } },
      again: /a rule names its approvers by now/,
    },
    ...[
      { name: "a rule names others by now", before: { gate: { approvers: () => ["dana@example.com"] } } },
      { name: "a rule stands in a list's place", before: { gate: { approvers: ["dana@example.com"] } } },
    ].map(({ name, before }) => ({
      name,
      before,
      after: { gate: { approvers: () => ["kim@example.com", "role:lead"] } },
      again: /dana@example\.com is no approver by now/,
    })),
    {
      name: "some approvers are none any more",
      before: { gate: { approvers: ["dana@example.com", "kim@example.com"] } },
      after: { gate: { approvers: ["kim@example.com"] } },
      again: /approvers are kim@example.com by now/,
    },
  ];

  it.each(changes)("when $name", async ({ before = {}, after, again }) => {
    const { opened, threadId } = await approvedThen(before, after);
    expect(runs).toEqual([]);
    const [request, ...others] = await opened.openRequests();
    expect(others).toEqual([]);
    expect(request?.opened.again).toMatch(again);
    const roles = ["lead"];
    for (const by of ["kim@example.com", "lee@example.com"]) {
      const isOpen = (await opened.openRequests()).length > 0;
      if (isOpen) await opened.decide(request?.requestId ?? "", { kind: "approve" }, { by, roles });
    }
    await opened.settle(threadId);
    expect(runs).toHaveLength(1); // once it is approved as it is now
    expect(await opened.openRequests()).toEqual([]);
  });

  it("also after an edit, when who made it may no longer approve", async () => {
    const edit: Verdict = { kind: "edit", args: { cents: 7 } };
    const { opened } = await approvedThen({}, { gate: { approvers: ["kim@example.com"] } }, edit);
    expect(runs).toEqual([]);
    expect((await opened.openRequests())[0]?.opened.again).toMatch(/approvers are kim@example.com/);
  });

  it.each<{ name: string; rule: NonNullable<GatePolicy["approvers"]>; again: RegExp }>([
    { name: "all", rule: () => ["kim@example.com"], again: /dana@example\.com is no approver by now/ },
    {
      name: "what it makes of it",
      rule: ({ args }) => [(args as { cents: number }).cents > 5 ? "kim@example.com" : "dana@example.com"],
      again: /what dana@example\.com made of it is for others to approve/,
    },
  ])("also after an edit, when a rule gives $name to others by now", async ({ rule, again }) => {
    const edit: Verdict = { kind: "edit", args: { cents: 7 } };
    const dana: GatePolicy = { approvers: ["dana@example.com"] };
    const { opened } = await approvedThen({ gate: dana }, { gate: { approvers: rule } }, edit);
    expect(runs).toEqual([]);
    expect((await opened.openRequests())[0]?.opened.again).toMatch(again);
  });
});

describe("an approval is worth nothing", () => {
  const changes: readonly { name: string; before?: Version; after: Version; denied: object }[] = [
    {
      name: "when the rule for its approvers fails by now",
      before: { gate: { approvers: () => ["dana@example.com"] } },
      after: {
        gate: {
          approvers: () => {
            throw new Error("no directory");
          },
        },
      },
      denied: { deniedBy: "gate", why: expect.stringContaining("no directory") },
    },
    {
      name: "when the gate denies the action by now",
      after: { gate: { decide: () => ({ kind: "deny", reason: "closed" }) } },
      denied: { deniedBy: "gate", why: "closed" },
    },
    {
      name: "when the schema takes the arguments no more",
      after: { tool: input(z.object({ cents: z.int().max(4), note: z.string().default("none") })) },
      denied: { deniedBy: "validation", why: expect.stringContaining("cents") },
    },
    { name: "when the tool is gone", after: { tool: { name: "gone" } }, denied: { deniedBy: "validation" } },
  ];

  it.each(changes)("$name", async ({ before = {}, after, denied }) => {
    const { opened, threadId } = await approvedThen(before, after);
    expect(runs).toEqual([]);
    expect(await eventsOf(opened, threadId, "action_denied")).toMatchObject([denied]);
    expect(await opened.openRequests()).toEqual([]);
  });

  it("when its thread was cancelled before the start", async () => {
    runs.splice(0);
    const opened = await openRuntime({ agents: [deployed({})] });
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    await opened.settle(threadId);
    await opened.decide((await opened.openRequests())[0]?.requestId ?? "", { kind: "approve" });
    await cancelThread(opened.runtime, threadId, { by: "dana@example.com", why: "changed my mind" });
    await opened.settle(threadId);
    expect(runs).toEqual([]);
  });

  it("when it comes after the deadline, or after the cancellation", async () => {
    const opened = await openRuntime({ agents: [deployed({ gate: { expiresIn: "1h" } })] });
    for (const end of ["deadline", "cancelled"]) {
      const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
      await opened.settle(threadId);
      const requestId = (await opened.openRequests())[0]?.requestId ?? "";
      if (end === "deadline") await opened.clock.advance(3_600_000);
      else await cancelThread(opened.runtime, threadId, { by: "test", why: "no" });
      const late = opened.decide(requestId, { kind: "approve" });
      await expect(late).rejects.toMatchObject({ code: "request_already_decided" });
      await opened.settle(threadId);
      expect(await opened.types(threadId)).not.toContain("action_started");
    }
  });
});

describe("an approval stands", () => {
  const same: readonly { name: string; before?: Version; after: Version }[] = [
    {
      name: "a reason that only counts further",
      before: { gate: hold("4 of 3 today") },
      after: { gate: hold("17 of 3 today") },
    },
    { name: "a gate that would allow it by now", after: { gate: { decide: () => ({ kind: "allow" }) } } },
    {
      name: "more approvers than before",
      before: { gate: { approvers: ["dana@example.com"] } },
      after: { gate: { approvers: ["dana@example.com", "role:lead"] } },
    },
    {
      name: "a schema that fills in another value each time",
      before: {
        tool: input(
          z.object({ cents: z.int(), note: z.string().default(() => `n${runs.length}${Math.random()}`) }),
        ),
      },
      after: {
        tool: input(
          z.object({ cents: z.int(), note: z.string().default(() => `n${runs.length}${Math.random()}`) }),
        ),
      },
    },
  ];

  it.each(same)("under $name", async ({ before = {}, after }) => {
    const { opened, threadId } = await approvedThen(before, after);
    expect(runs).toHaveLength(1);
    expect(await eventsOf(opened, threadId, "request_opened")).toHaveLength(1);
  });

  it.each<Verdict>([{ kind: "approve" }, { kind: "edit", args: { cents: 7 } }])(
    "($kind) under a rule that names others at another hour: it was asked of whoever was there then",
    async (verdict) => {
      runs.splice(0);
      const byHour: GatePolicy = {
        approvers: ({ at }) => [new Date(at).getUTCHours() < 12 ? "dana@example.com" : "role:night"],
      };
      const opened = await openRuntime({ agents: [deployed({ gate: byHour })] });
      const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
      await opened.settle(threadId);
      await opened.clock.advance(13 * 3_600_000);
      await opened.decide((await opened.openRequests())[0]?.requestId ?? "", verdict);
      await opened.settle(threadId);
      expect(runs).toHaveLength(1);
    },
  );

  it("under a schema that transforms what was asked for", async () => {
    const tool = () =>
      payTool({ risk: "high", input: z.object({ cents: z.string().transform(Number) }) as never });
    const made = tool();
    const transforming = agent({
      name: "a",
      tools: [made],
      flow: async (t) =>
        (await t.act([{ callId: "c", tool: "pay", args: { cents: "5" } }])).map(({ status }) => status),
    });
    const opened = await openRuntime({ agents: [transforming] });
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    await opened.settle(threadId);
    await opened.decide((await opened.openRequests())[0]?.requestId ?? "", { kind: "approve" });
    await opened.settle(threadId);
    expect(made.runs).toEqual([{ cents: 5 }]);
  });
});
