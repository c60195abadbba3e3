// I5. Limits on sums: counted from the log when an action starts, over threads, processes and crashes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { type CumulativeLimit, cumulative } from "../../src/core/cumulative.ts";
import { type GatePolicy, gate } from "../../src/core/gate.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { forkThread } from "../../src/runtime/fork.ts";
import { eventsOf } from "../kit/one-agent.ts";
import {
  openTestRuntime,
  payTool,
  runtimesOfEachTest,
  type TestRuntime,
  tempFolder,
} from "../kit/runtime.ts";

const open = runtimesOfEachTest();

type Pay = ReturnType<typeof payTool>;

/** An agent that pays each amount of its input, one after the other. */
function paying(pay: Pay, policy: GatePolicy) {
  return agent({
    name: "a",
    tools: [pay],
    gate: gate(policy),
    limits: { identicalCalls: 100, attemptsPerTool: 100 },
    async flow(t, amounts: readonly number[]) {
      const statuses: string[] = [];
      for (const [index, cents] of amounts.entries()) {
        const call = { callId: `c${index}`, tool: "pay", args: { cents } };
        statuses.push(...(await t.act([call])).map(({ status }) => status));
      }
      return statuses;
    },
  });
}

const refunds = (extra: Partial<CumulativeLimit> = {}): CumulativeLimit => ({
  ...cumulative({ name: "refunds", tool: payTool(), amount: ({ cents }) => cents, per: "day", max: 100 }),
  ...extra,
});

async function run(opened: TestRuntime, amounts: readonly number[]): Promise<string> {
  const { threadId } = await startThread(opened.runtime, "a", amounts, { by: "test" });
  await opened.settle(threadId);
  return threadId;
}

async function gates(opened: TestRuntime, threadId: string) {
  return (await eventsOf(opened, threadId, "action_proposed")).map(({ gate: outcome }) => outcome);
}

describe("a limit on a sum", () => {
  it("holds what goes beyond it in a thread, and says the sum", async () => {
    const pay = payTool();
    const opened = await open({ agents: [paying(pay, { cumulative: [refunds({ per: "thread" })] })] });
    const threadId = await run(opened, [60, 40, 1]);
    expect(pay.runs).toHaveLength(2);
    const [request] = await opened.openRequests();
    expect(request?.opened.why).toBe('1 more would bring "refunds" to 101 in this thread, over 100');
    await run(opened, [100]);
    expect(pay.runs).toHaveLength(3); // another thread has a sum of its own
    expect(await eventsOf(opened, threadId, "action_started")).toMatchObject([
      { counts: [{ name: "refunds", per: "thread", amount: 60 }] },
      { counts: [{ name: "refunds", per: "thread", amount: 40 }] },
    ]);
  });

  it("holds what goes beyond it on a day over threads, and the next day begins anew", async () => {
    const pay = payTool();
    const opened = await open({ agents: [paying(pay, { cumulative: [refunds()] })] });
    await run(opened, [60]);
    const held = await run(opened, [41]);
    expect(pay.runs).toHaveLength(1);
    const [request] = await opened.openRequests();
    expect(request?.opened.why).toBe('41 more would bring "refunds" to 101 today, over 100');
    expect((await gates(opened, held)).map(({ kind }) => kind)).toEqual(["hold"]);
    await opened.clock.advance(24 * 3_600_000);
    await run(opened, [100]);
    expect(pay.runs).toHaveLength(2);
    expect(await opened.runtime.store.verify({})).toMatchObject({ problems: [] });
  });

  it("denies what goes beyond it, where it says so", async () => {
    const pay = payTool();
    const policy = { cumulative: [refunds({ outcome: "deny" })] };
    const opened = await open({ agents: [paying(pay, policy)] });
    const threadId = await run(opened, [60, 60, 40]);
    const end = (await opened.events(threadId)).at(-1);
    expect(end).toMatchObject({ output: { value: ["completed", "denied", "completed"] } });
  });

  it("counts what a person approved, and does not keep it from starting", async () => {
    const pay = payTool();
    const policy = { rules: [{ outcome: "hold" as const }], cumulative: [refunds()] };
    const opened = await open({ agents: [paying(pay, policy)] });
    const threadId = await run(opened, [1_000]);
    await opened.decide((await opened.openRequests())[0]?.requestId ?? "", { kind: "approve" });
    await opened.settle(threadId);
    expect(pay.runs).toHaveLength(1);
    const next = await open({ agents: [paying(pay, { cumulative: [refunds()] })] });
    await run(next, [1]);
    expect(pay.runs).toHaveLength(1);
    expect((await next.openRequests())[0]?.opened.why).toContain("to 1001 today");
  });

  it("counts an action that failed: it may have happened", async () => {
    const pay = payTool({ run: () => Promise.reject(new Error("timeout at the bank")) });
    const opened = await open({ agents: [paying(pay, { cumulative: [refunds()] })] });
    await run(opened, [60]);
    const threadId = await run(opened, [60]);
    expect((await gates(opened, threadId)).map(({ kind }) => kind)).toEqual(["hold"]);
  });

  it.each([
    { name: "a fraction", amount: () => 0.5 },
    { name: "a negative number", amount: () => -1 },
    { name: "text", amount: () => "60" as unknown as number },
    { name: "a promise", amount: () => Promise.reject(new Error("x")) as unknown as number },
    { name: "nothing, by throwing", amount: () => JSON.parse("") as number },
    { name: "more than can be summed up", amount: () => 1e13 },
  ])("holds an action whose amount is $name", async ({ amount }) => {
    const pay = payTool();
    const opened = await open({ agents: [paying(pay, { cumulative: [refunds({ amount })] })] });
    await run(opened, [5]);
    expect(pay.runs).toEqual([]);
    expect((await opened.openRequests())[0]?.opened.why).toContain("no whole number");
  });

  it("does not count, and does not hold, what adds nothing", async () => {
    const pay = payTool();
    const opened = await open({
      agents: [paying(pay, { cumulative: [refunds({ max: 0, amount: () => 0 })] })],
    });
    const threadId = await run(opened, [5]);
    expect(pay.runs).toHaveLength(1);
    expect((await eventsOf(opened, threadId, "action_started"))[0]).not.toHaveProperty("counts");
  });

  it("counts an action once that is started again after a crash", async () => {
    const again = payTool({ effect: "repeatable" });
    const stuck = payTool({ effect: "repeatable", run: () => new Promise(() => {}) });
    const before = await open({ agents: [paying(stuck, { cumulative: [refunds()] })], leaseMs: 1_000 });
    const { threadId } = await startThread(before.runtime, "a", [60], { by: "test" });
    void before.settle(threadId);
    while ((await before.types(threadId)).at(-1) !== "action_started") await new Promise(setImmediate);
    before.clock.set(before.clock.now() + 60_000); // its lease runs out, and nobody renews it
    const after = await open({ agents: [paying(again, { cumulative: [refunds()] })] });
    await after.settle(threadId);
    expect(again.runs).toHaveLength(1);
    expect((await eventsOf(after, threadId, "action_started")).map(({ counts }) => counts?.length)).toEqual([
      1,
      undefined,
    ]);
    await run(after, [40]);
    expect(again.runs).toHaveLength(2);
  });

  it("is not counted a second time by a fork, which keeps the sum of its thread", async () => {
    const pay = payTool();
    const policy = { cumulative: [refunds(), refunds({ name: "of a thread", per: "thread", max: 80 })] };
    const opened = await open({ agents: [paying(pay, policy)] });
    const threadId = await run(opened, [60, 30]);
    const done = (await eventsOf(opened, threadId, "action_completed"))[0]?.seq ?? 0;
    const forkId = await forkThread(opened.runtime, threadId, { at: done, by: "test" });
    await opened.settle(forkId);
    expect((await opened.openRequests()).map(({ opened: { why } }) => why)).toEqual([
      '30 more would bring "of a thread" to 90 in this thread, over 80',
      '30 more would bring "of a thread" to 90 in this thread, over 80',
    ]);
    await run(opened, [40]); // the day stands at 60, not at 120
    expect(pay.runs).toHaveLength(2);
  });

  it.each([
    { name: "no tool", given: { tool: undefined } },
    { name: "another period", given: { per: "week" } },
    { name: "no max", given: { max: Number.NaN } },
    { name: "an outcome that does not exist", given: { outcome: "allow" } },
    { name: "an amount that is none", given: { amount: 5 } },
    { name: "a member that does not exist", given: { minimum: 5 } },
    { name: "no name", given: { name: "" } },
  ])("is refused with $name", ({ given }) => {
    const limit = { ...refunds(), ...given } as unknown as CumulativeLimit;
    expect(() => gate({ cumulative: [limit] })).toThrow(expect.objectContaining({ code: "agent_invalid" }));
  });

  it("is refused when its name is there twice", () => {
    expect(() => gate({ cumulative: [refunds(), refunds({ per: "thread" })] })).toThrow(/twice/);
  });
});

describe("over two processes on one file", () => {
  it("no interleaving of threads goes beyond a day's limit, and what fits starts", async () => {
    const amounts = fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }), {
      minLength: 2,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(amounts, fc.infiniteStream(fc.boolean()), async (inputs, sides) => {
        const folder = tempFolder();
        const pay = payTool();
        const agents = [paying(pay, { cumulative: [refunds({ outcome: "deny" })] })];
        const one = await openTestRuntime({ folder, agents });
        const other = await openTestRuntime({ folder, agents, clock: one.clock });
        await Promise.all(inputs.map((input) => run(sides.next().value ? one : other, input)));
        const paid = (pay.runs as { readonly cents: number }[]).reduce((sum, { cents }) => sum + cents, 0);
        const smallest = Math.min(...inputs.flat());
        expect(paid).toBeLessThanOrEqual(100);
        if (pay.runs.length < inputs.flat().length)
          expect(paid + Math.max(...inputs.flat())).toBeGreaterThan(100);
        expect(paid).toBeGreaterThanOrEqual(smallest);
        expect(await one.runtime.store.verify({})).toMatchObject({ problems: [] });
        await one.close();
        await other.close();
        folder.remove();
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});
