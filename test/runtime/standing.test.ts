// I1, I5. A standing approval: narrow, counted, over at its time, revocable, and never an agent's own.
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Agent, agent } from "../../src/core/agent.ts";
import type { Call, ThreadEvent } from "../../src/core/events.ts";
import { type GatePolicy, gate } from "../../src/core/gate.ts";
import { readStanding, type StandingGrant, standingAgent } from "../../src/core/standing.ts";
import { cancelThread, sendSignal, startThread } from "../../src/runtime/commands.ts";
import { forkThread } from "../../src/runtime/fork.ts";
import { findStanding, grantStanding, listStanding, revokeStanding } from "../../src/runtime/standing.ts";
import { startWorker } from "../../src/runtime/worker.ts";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import { faultPoints } from "../../src/testing/fault-points.ts";
import { eventsOf } from "../kit/one-agent.ts";
import {
  openTestRuntime,
  payTool,
  runtimesOfEachTest,
  type TestRuntime,
  tempFolder,
} from "../kit/runtime.ts";

const open = runtimesOfEachTest();
const dana = { by: "dana@example.com" };
const hourMs = 3_600_000;

type Pay = ReturnType<typeof payTool>;

/** An agent that makes one call for each argument of its input, all at once. */
function paying(pay: Pay, policy: GatePolicy = {}): Agent {
  return agent({
    name: "a",
    tools: [pay],
    gate: gate(policy),
    limits: { identicalCalls: 100, attemptsPerTool: 100 },
    async flow(t, input: readonly number[]) {
      const calls: Call[] = input.map((cents, index) => ({
        callId: `c${index}`,
        tool: "pay",
        args: { cents },
      }));
      return (await t.act(calls)).map(({ status }) => status);
    },
  });
}

const highPay = (): Pay => payTool({ risk: "high" });

function grantOf(opened: TestRuntime, extra: Partial<StandingGrant> = {}): StandingGrant {
  return {
    agent: "a",
    tool: "pay",
    where: [{ path: "$.cents", max: 50 }],
    uses: 2,
    expiresAt: new Date(opened.clock.now() + hourMs).toISOString(),
    why: "small ones are routine",
    ...extra,
  };
}

async function run(opened: TestRuntime, ...cents: readonly number[]): Promise<string> {
  const { threadId } = await startThread(opened.runtime, "a", cents, { by: "test" });
  await opened.settle(threadId);
  return threadId;
}

const isOver = (events: readonly ThreadEvent[]): boolean => events.at(-1)?.type === "thread_completed";

describe("an action that fits a standing approval", () => {
  it("starts without anybody being asked, and the log tells who approved it and by what", async () => {
    const pay = highPay();
    const opened = await open({ agents: [paying(pay)] });
    const { standingId } = await grantStanding(opened.runtime, grantOf(opened), dana);
    const threadId = await run(opened, 50);
    expect(await opened.types(threadId)).toEqual([
      "thread_started",
      "action_proposed",
      "request_opened",
      "request_decided",
      "action_started",
      "action_completed",
      "thread_completed",
    ]);
    const [started] = await eventsOf(opened, threadId, "action_started");
    expect(await eventsOf(opened, threadId, "request_decided")).toMatchObject([
      {
        verdict: { kind: "approve" },
        by: "dana@example.com",
        via: `standing:${standingId}`,
        digest: started?.digest,
      },
    ]);
    expect(await listStanding(opened.runtime)).toMatchObject([
      {
        standingId,
        status: "open",
        uses: [{ usedBy: { threadId, key: "act:pay#1" }, digest: started?.digest }],
      },
    ]);
    expect(await opened.runtime.store.verify({})).toMatchObject({ problems: [] });
  });

  it.each([
    { name: "another amount", grant: {}, cents: 51 },
    { name: "another agent", grant: { agent: "b" }, cents: 5 },
    { name: "another tool", grant: { tool: "pay_back" }, cents: 5 },
    { name: "another version of the tool", grant: { toolVersion: "2" }, cents: 5 },
    { name: "an argument that is not there", grant: { where: [{ path: "$.amount", max: 50 }] }, cents: 5 },
    { name: "another value", grant: { where: [{ path: "$.cents", equals: 6 }] }, cents: 5 },
    { name: "a value of another type", grant: { where: [{ path: "$.cents", equals: "5" }] }, cents: 5 },
    { name: "text where a number is bounded", grant: { where: [{ path: "$.note", max: 50 }] }, cents: 5 },
    {
      name: "one condition of two",
      grant: {
        where: [
          { path: "$.cents", max: 50 },
          { path: "$.note", equals: "gift" },
        ],
      },
      cents: 5,
    },
  ])("and one that is about $name asks a person", async ({ grant, cents }) => {
    const pay = highPay();
    const opened = await open({ agents: [paying(pay)] });
    await grantStanding({ ...opened.runtime, agents: new Map() }, grantOf(opened, grant), dana);
    await run(opened, cents);
    expect(pay.runs).toEqual([]);
    expect(await opened.openRequests()).toHaveLength(1);
  });

  it("and is of a later version of the tool asks a person: it may mean something else by now", async () => {
    const opened = await open({ agents: [paying(highPay())] });
    const granted = await grantStanding(opened.runtime, grantOf(opened), dana);
    expect(granted.grant.toolVersion).toBe("1");
    const pay = payTool({ risk: "high", version: "2" });
    const later = await open({ agents: [paying(pay)] });
    await run(later, 5);
    expect(pay.runs).toEqual([]);
    expect(await later.openRequests()).toHaveLength(1);
  });

  it("runs only once its approval is in the log, also where its tool only reads", async () => {
    const seen: string[] = [];
    const threadId = "th_reading";
    const pay = payTool({
      risk: "high",
      effect: "read",
      run: async () => void seen.push(...(await opened.types(threadId))),
    });
    const opened = await open({ agents: [paying(pay)] });
    await grantStanding(opened.runtime, grantOf(opened), dana);
    await startThread(opened.runtime, "a", [1], { by: "test", threadId });
    await opened.settle(threadId);
    expect(seen).toEqual([
      "thread_started",
      "action_proposed",
      "request_opened",
      "request_decided",
      "action_started",
    ]);
  });

  it("asks a person when the uses are spent, also within one batch", async () => {
    const pay = highPay();
    const opened = await open({ agents: [paying(pay)] });
    await grantStanding(opened.runtime, grantOf(opened), dana);
    await run(opened, 1, 2, 3);
    expect(pay.runs).toHaveLength(2);
    expect(await opened.openRequests()).toHaveLength(1);
    expect(await listStanding(opened.runtime)).toEqual([]);
    expect(await listStanding(opened.runtime, { all: true })).toMatchObject([{ status: "used_up" }]);
  });

  it("asks a person after its end, which closes it", async () => {
    const pay = highPay();
    const opened = await open({ agents: [paying(pay)] });
    const { standingId } = await grantStanding(opened.runtime, grantOf(opened), dana);
    await opened.clock.advance(hourMs);
    await run(opened, 1);
    expect(pay.runs).toEqual([]);
    expect(await opened.types(standingId)).toEqual(["thread_started", "thread_completed"]);
    expect(await listStanding(opened.runtime, { all: true })).toMatchObject([{ status: "expired" }]);
  });

  it("asks a person after it was revoked, which nobody can undo", async () => {
    const pay = highPay();
    const opened = await open({ agents: [paying(pay)] });
    const { standingId } = await grantStanding(opened.runtime, grantOf(opened), dana);
    const revoked = await revokeStanding(opened.runtime, standingId, { ...dana, why: "too many" });
    expect(revoked).toMatchObject({
      status: "revoked",
      revoked: { by: "dana@example.com", why: "too many" },
    });
    await run(opened, 1);
    expect(pay.runs).toEqual([]);
    await expect(
      revokeStanding(opened.runtime, await run(opened, 2), { ...dana, why: "x" }),
    ).rejects.toMatchObject({ code: "standing_not_found" });
  });

  it("is denied where the gate denies it, and spends nothing", async () => {
    const pay = highPay();
    const opened = await open({ agents: [paying(pay, { rules: [{ outcome: "deny" }] })] });
    await grantStanding(opened.runtime, grantOf(opened), dana);
    const threadId = await run(opened, 1);
    expect(await opened.types(threadId)).toContain("action_denied");
    expect(await listStanding(opened.runtime)).toMatchObject([{ uses: [] }]);
  });

  it("asks a person where a rule is broken, which may be one that denies", async () => {
    const pay = highPay();
    const broken = { when: () => undefined as unknown as boolean, outcome: "deny" as const };
    const opened = await open({ agents: [paying(pay, { rules: [broken] })] });
    await grantStanding(opened.runtime, grantOf(opened), dana);
    await run(opened, 1);
    expect(pay.runs).toEqual([]);
    expect(await opened.openRequests()).toHaveLength(1);
  });

  it("asks a person where a limit on a sum is reached", async () => {
    const pay = highPay();
    const limit = {
      name: "paid",
      tool: "pay",
      per: "day" as const,
      max: 60,
      amount: (args: { cents: number }) => args.cents,
    };
    const opened = await open({ agents: [paying(pay, { cumulative: [limit] })] });
    await grantStanding(opened.runtime, grantOf(opened, { uses: 10 }), dana);
    await run(opened, 40);
    await run(opened, 40);
    expect(pay.runs).toHaveLength(1);
    expect(await opened.openRequests()).toHaveLength(1);
    await run(opened, 20);
    expect(pay.runs).toHaveLength(2);
  });

  it.each([
    { name: "the granter is none of the approvers", approvers: ["lee@example.com"], roles: [], runs: 0 },
    { name: "the granter is one", approvers: ["dana@example.com"], roles: [], runs: 1 },
    { name: "the granter has another role", approvers: ["role:lead"], roles: ["clerk"], runs: 0 },
    { name: "the granter has the role", approvers: ["role:lead"], roles: ["lead"], runs: 1 },
  ])("goes by who may approve: $name", async ({ approvers, roles, runs }) => {
    const pay = highPay();
    const opened = await open({ agents: [paying(pay, { approvers })] });
    await grantStanding({ ...opened.runtime, agents: new Map() }, grantOf(opened, { roles }), dana);
    await run(opened, 1);
    expect(pay.runs).toHaveLength(runs);
  });

  it("asks a person when a tool without a condition has become risky", async () => {
    const opened = await open({ agents: [paying(payTool({ risk: "low" }))] });
    await grantStanding(opened.runtime, grantOf(opened, { where: [] }), dana);
    const pay = highPay();
    const later = await open({ agents: [paying(pay)] });
    await run(later, 1);
    expect(pay.runs).toEqual([]);
  });
});

describe("a standing approval is refused", () => {
  const cases: readonly {
    readonly name: string;
    readonly extra: Record<string, unknown>;
    readonly says: string;
  }[] = [
    { name: "without a condition for a high risk", extra: { where: [] }, says: "every call of pay" },
    {
      name: "with a condition that allows everything",
      extra: { where: [{ path: "$.cents" }] },
      says: "everything",
    },
    { name: "with a path to many", extra: { where: [{ path: "$.lines[*].sku", equals: 1 }] }, says: "path" },
    { name: "with a path to the whole", extra: { where: [{ path: "$", equals: {} }] }, says: "path" },
    {
      name: "with bounds that nothing is within",
      extra: { where: [{ path: "$.cents", min: 5, max: 4 }] },
      says: "bounds",
    },
    {
      name: "with a condition that is code",
      extra: { where: [{ path: "$.cents", test: "x" }] },
      says: "unknown member",
    },
    { name: "without uses", extra: { uses: undefined }, says: "uses" },
    { name: "with uses without end", extra: { uses: Number.POSITIVE_INFINITY }, says: "uses" },
    { name: "without an end", extra: { expiresAt: undefined }, says: "an end" },
    { name: "for more than 90 days", extra: { expiresAt: "2026-04-02T00:00:00.000Z" }, says: "90 days" },
    { name: "with an end in the past", extra: { expiresAt: "2025-12-31T23:59:59.999Z" }, says: "future" },
    { name: "for every agent", extra: { agent: "*" }, says: "agent" },
    { name: "for every tool", extra: { tool: "*" }, says: "tool" },
    { name: "for a tool that the agent does not have", extra: { tool: "rob" }, says: "has no tool rob" },
    { name: "without a reason", extra: { why: " " }, says: "reason" },
  ];
  it.each(cases)("$name", async ({ extra, says }) => {
    const opened = await open({ agents: [paying(highPay())] });
    const grant = { ...grantOf(opened), ...extra } as StandingGrant;
    await expect(grantStanding(opened.runtime, grant, dana)).rejects.toMatchObject({
      code: "standing_invalid",
      message: expect.stringContaining(says),
    });
    expect(await listStanding(opened.runtime, { all: true })).toEqual([]);
  });

  it.each(["agent:a", "thread:th_1"])("when %s grants it", async (by) => {
    const opened = await open({ agents: [paying(highPay())] });
    await expect(grantStanding(opened.runtime, grantOf(opened), { by })).rejects.toMatchObject({
      code: "not_an_approver",
    });
  });

  it("when an approver is named, and another grants it", async () => {
    const opened = await open({ agents: [paying(highPay(), { approvers: ["lee@example.com"] })] });
    await expect(grantStanding(opened.runtime, grantOf(opened), dana)).rejects.toMatchObject({
      code: "standing_invalid",
      message: expect.stringContaining(
        "dana@example.com is none of the approvers of agent a: lee@example.com",
      ),
    });
  });

  it("when an action takes more approvals than one: it would never be used", async () => {
    const opened = await open({ agents: [paying(highPay(), { quorum: 2 })] });
    await expect(grantStanding(opened.runtime, grantOf(opened), dana)).rejects.toMatchObject({
      code: "standing_invalid",
      message: expect.stringContaining("take 2 approvals"),
    });
  });

  it("by being started as a thread, forked, or defined as an agent", async () => {
    const opened = await open({ agents: [paying(highPay())] });
    const { standingId } = await grantStanding(opened.runtime, grantOf(opened), dana);
    await expect(forkThread(opened.runtime, standingId, { at: 1, by: "x" })).rejects.toMatchObject({
      code: "usage",
    });
    await expect(
      startThread(opened.runtime, standingAgent, grantOf(opened), { by: "x" }),
    ).rejects.toMatchObject({ code: "agent_not_found" });
    expect(() => agent({ name: standingAgent })).toThrow(expect.objectContaining({ code: "agent_invalid" }));
  });

  it("when its log is a child's, or a copy", async () => {
    const opened = await open({ agents: [paying(highPay())] });
    const { standingId } = await grantStanding(opened.runtime, grantOf(opened), dana);
    const [started] = await opened.events(standingId);
    if (started?.type !== "thread_started") throw new Error("its log begins so");
    expect(readStanding([{ ...started, parent: { threadId: "th_1", key: "call:x#1" } }])).toBeNull();
    expect(readStanding([{ ...started, forkedFrom: { threadId: standingId, seq: 1 } }])).toBeNull();
    expect(
      readStanding([{ ...started, input: { value: { ...grantOf(opened), uses: 1e6 } as never } }]),
    ).toBeNull();
  });
});

describe("workers", () => {
  it("leave standing approvals alone", async () => {
    const problems: unknown[] = [];
    const opened = await open({
      agents: [paying(highPay())],
      observe: (hint) => hint.kind === "problem" && problems.push(hint.error),
    });
    const { standingId } = await grantStanding(opened.runtime, grantOf(opened), dana);
    const due = () => opened.runtime.store.due({ now: opened.clock.now() + 1e12, limit: 10 });
    expect(await due()).toMatchObject({ threadIds: [] });
    await run(opened, 1);
    expect((await due()).threadIds).toEqual([]);
    await sendSignal(opened.runtime, standingId, { signal: "x", value: 1, by: "test" }); // makes any thread due
    await opened.runtime.store.verify({ rebuild: true });
    const worker = startWorker(opened.runtime);
    while ((await due()).threadIds.includes(standingId)) await new Promise(setImmediate);
    await worker.close();
    expect(problems).toEqual([]);
    expect(await listStanding(opened.runtime)).toMatchObject([{ status: "open", uses: [{}] }]);
    await cancelThread(opened.runtime, standingId, { ...dana, why: "over" });
    expect(await listStanding(opened.runtime)).toEqual([]);
  });
});

describe("over crashes and processes", () => {
  it("a crash between the claim and the start spends no second use", async () => {
    const folder = tempFolder();
    const pay = highPay();
    const path = join(folder.path, "holdpoint.db");
    const faults = faultPoints(await openSqliteStore({ path }), {
      stopAt: {
        call: ({ method }, [first]) =>
          method === "append" && JSON.stringify(first).includes('"standing_used"'),
        when: "after",
      },
    });
    const agents = [paying(pay)];
    const before = await openTestRuntime({ folder, agents, store: faults.store });
    const { standingId } = await grantStanding(before.runtime, grantOf(before, { uses: 1 }), dana);
    const { threadId } = await startThread(before.runtime, "a", [5], { by: "test" });
    await expect(before.settle(threadId)).rejects.toMatchObject({ name: "ProcessStopped" });
    before.clock.set(before.clock.now() + 60_000);
    const after = await openTestRuntime({ folder, agents, clock: before.clock });
    await after.settle(threadId);
    expect(pay.runs).toHaveLength(1);
    expect(isOver(await after.events(threadId))).toBe(true);
    expect(await after.types(standingId)).toEqual(["thread_started", "standing_used"]);
    await after.close();
    folder.remove();
  });

  it("is never used more often than granted, by no interleaving, and as often as that", async () => {
    const plans = fc.record({
      uses: fc.integer({ min: 1, max: 4 }),
      inputs: fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 3 }), {
        minLength: 2,
        maxLength: 6,
      }),
    });
    await fc.assert(
      fc.asyncProperty(plans, fc.infiniteStream(fc.boolean()), async ({ uses, inputs }, sides) => {
        const folder = tempFolder();
        const pay = highPay();
        const agents = [paying(pay)];
        const one = await openTestRuntime({ folder, agents });
        const other = await openTestRuntime({ folder, agents, clock: one.clock });
        await grantStanding(one.runtime, grantOf(one, { uses }), dana);
        await Promise.all(inputs.map((input) => run(sides.next().value ? one : other, ...input)));
        const fitting = inputs.flat().filter((cents) => cents <= 50).length;
        expect(pay.runs).toHaveLength(Math.min(uses, fitting));
        expect((await listStanding(one.runtime, { all: true }))[0]?.uses).toHaveLength(
          Math.min(uses, fitting),
        );
        expect(await one.openRequests()).toHaveLength(inputs.flat().length - Math.min(uses, fitting));
        expect(await one.runtime.store.verify({})).toMatchObject({ problems: [] });
        await one.close();
        await other.close();
        folder.remove();
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});

describe("the work of a held action", () => {
  it("is bounded by the approvals that are open and have changed, not by all that were ever granted", async () => {
    const opened = await open({ agents: [paying(highPay())] });
    const { store } = opened.runtime;
    for (let index = 0; index < 30; index++) {
      const other = await grantStanding(
        opened.runtime,
        grantOf(opened, { where: [{ path: "$.cents", equals: 900 + index }] }),
        dana,
      );
      if (index % 3 > 0) await revokeStanding(opened.runtime, other.standingId, { ...dana, why: "over" });
    }
    let rows = 0;
    const logs: string[] = [];
    const counted = {
      ...opened.runtime,
      store: {
        ...store,
        threads: async (query: Parameters<typeof store.threads>[0]) => {
          const page = await store.threads(query);
          rows += page.rows.length;
          return page;
        },
        read: async (...args: Parameters<typeof store.read>) => {
          logs.push(args[0]);
          return store.read(...args);
        },
      },
    };
    const look = async (): Promise<readonly [number, number]> => {
      rows = 0;
      logs.length = 0;
      await findStanding(counted, { agent: "a", threadId: "th_x", opened: heldOpening });
      return [rows, logs.length];
    };
    expect(await look()).toEqual([10, 10]); // of 30
    expect(await look()).toEqual([10, 0]);
    await grantStanding(opened.runtime, grantOf(opened), dana);
    expect(await look()).toEqual([11, 1]);
  });

  it("finds the open ones by an index, whatever else runs", async () => {
    const opened = await open({ agents: [paying(highPay())] });
    const plans: string[] = [];
    const store = await openSqliteStore({
      path: opened.path,
      hooks: {
        opened(database) {
          const prepare = database.prepare.bind(database);
          database.prepare = (sql) => {
            if (/FROM threads/.test(sql) && sql.includes("'running'"))
              for (const { detail } of prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll("?", "1")}`).all())
                plans.push(String(detail));
            return prepare(sql);
          };
        },
      },
    });
    await store.threads({ agent: standingAgent, status: "running" });
    expect(plans.join("\n")).toContain("threads_standing");
    await store.close();
  });
});

const heldOpening: Parameters<typeof findStanding>[1]["opened"] = {
  ...{ type: "request_opened", v: 1, key: "act:pay#1", requestId: "r_x", kind: "approval" },
  ...{ why: "high", question: "?", choices: ["approve"], approvers: [], expiresAt: null },
  action: { tool: "pay", toolVersion: "1", args: { cents: 5_000 }, digest: "d" },
};
