// I10. A parked thread is rows: newer code goes on with it, or says exactly where it no longer matches.
import { beforeEach, describe, expect, it } from "vitest";
import { type Agent, type AgentDefinition, agent } from "../../src/core/agent.ts";
import type { Flow } from "../../src/core/flow.ts";
import { handleOperation, sendSignal, startThread } from "../../src/runtime/commands.ts";
import { calls, payTool, runtimesOfEachTest, type TestRuntime, turns } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();
beforeEach(() => {
  pay.runs.splice(0);
});

async function deploy(deployed: Agent): Promise<TestRuntime> {
  return openRuntime({ agents: [deployed] });
}

type Definition = AgentDefinition<unknown, unknown, unknown>;

const pay = payTool({ risk: "high" });

/** The code that writes the log: loads, decides, parks at an approval, then waits for a signal. */
const oldFlow: Flow = async (t) => {
  const [order, customer] = await Promise.all([
    t.step("load order", () => "order"),
    t.step("load customer", () => "customer"),
  ]);
  const next = await t.decide();
  const results = next.kind === "calls" ? await t.act(next.calls) : [];
  const go = await t.wait("go");
  return [order, customer, results.map((result) => result.status), go.kind];
};
const expected = ["order", "customer", ["completed"], "received"];

const oldAgent: Definition = { name: "a", version: "1", prompt: "Old.", tools: [pay], flow: oldFlow };

async function parked(): Promise<{ threadId: string; requestId: string }> {
  const opened = await deploy(agent({ ...oldAgent, model: turns(calls(["pay", { cents: 5 }])) }));
  const { threadId } = await startThread(opened.runtime, "a", "x", { by: "test" });
  await opened.settle(threadId);
  return { threadId, requestId: (await opened.openRequests())[0]?.requestId ?? "" };
}

async function finish(opened: TestRuntime, threadId: string, requestId: string): Promise<unknown> {
  await opened.settle(threadId);
  await opened.decide(requestId, { kind: "approve" });
  await opened.settle(threadId);
  await sendSignal(opened.runtime, threadId, { signal: "go", value: null, by: "test" });
  await opened.settle(threadId);
  const last = (await opened.events(threadId)).at(-1);
  return last?.type === "thread_completed" ? last.output.value : last;
}

const changes: readonly {
  readonly name: string;
  readonly change: Partial<Definition>;
  readonly result?: unknown;
}[] = [
  { name: "another prompt", change: { prompt: "Entirely new." } },
  { name: "another model", change: { model: turns() } },
  { name: "another version", change: { version: "2" } },
  { name: "new tools", change: { tools: [pay, payTool({ name: "refund", risk: "high" })] } },
  {
    name: "a changed description of a tool",
    change: { tools: [payTool({ risk: "high", description: "Pays, but better." })] },
  },
  { name: "another limit and another window", change: { limits: { steps: 3 }, window: { budget: 5_000 } } },
  {
    name: "new steps after the parked point",
    change: {
      flow: async (t, input) => {
        const result = await oldFlow(t, input);
        return [...(result as unknown[]), await t.step("say thanks", () => "thanks")];
      },
    },
    result: [...expected, "thanks"],
  },
  {
    name: "a new step before the parked point",
    change: {
      flow: async (t, input) => {
        const shop = await t.step("load shop", () => "shop");
        return [shop, ...((await oldFlow(t, input)) as unknown[])];
      },
    },
    result: ["shop", ...expected],
  },
  {
    name: "a new step in the middle",
    change: {
      flow: async (t) => {
        const [order, customer] = await Promise.all([
          t.step("load order", () => "new code"),
          t.step("load customer", () => "new code"),
        ]);
        const stock = await t.step("load stock", () => "stock");
        const next = await t.decide();
        const results = next.kind === "calls" ? await t.act(next.calls) : [];
        const go = await t.wait("go");
        return [order, customer, results.map((result) => result.status), go.kind, stock];
      },
    },
    result: [...expected, "stock"],
  },
  {
    name: "renamed variables and other helpers",
    change: {
      flow: async (context) => {
        const load = (what: string) => context.step(`load ${what}`, () => what);
        const loaded = await Promise.all(["order", "customer"].map(load));
        const decision = await context.decide();
        const outcomes = decision.kind === "calls" ? await context.act(decision.calls) : [];
        const { kind } = await context.wait("go");
        return [...loaded, outcomes.map(({ status }) => status), kind];
      },
    },
  },
  {
    name: "reordered independent branches",
    change: {
      flow: async (t) => {
        const [customer, order] = await Promise.all([
          t.step("load customer", () => "x"),
          t.step("load order", () => "y"),
        ]);
        const next = await t.decide();
        const results = next.kind === "calls" ? await t.act(next.calls) : [];
        const go = await t.wait("go");
        return [order, customer, results.map((result) => result.status), go.kind];
      },
    },
  },
  {
    name: "parallel branches made sequential",
    change: {
      flow: async (t) => {
        const customer = await t.step("load customer", () => "x");
        const order = await t.step("load order", () => "y");
        const next = await t.decide();
        const results = next.kind === "calls" ? await t.act(next.calls) : [];
        const go = await t.wait("go");
        return [order, customer, results.map((result) => result.status), go.kind];
      },
    },
  },
];

describe("a parked thread goes on under", () => {
  it.each(changes)("$name", async ({ change, result = expected }) => {
    const { threadId, requestId } = await parked();
    const newer = await deploy(agent({ ...oldAgent, ...change }));
    expect(await finish(newer, threadId, requestId)).toEqual(result);
    expect(await newer.openRequests()).toEqual([]);
  });
});

describe("a flow that no longer matches its log", () => {
  const misfits: readonly {
    readonly name: string;
    readonly flow: Flow;
    readonly key: string;
    readonly flowSide: RegExp;
  }[] = [
    {
      name: "a recorded step is gone, and the flow wants something else done",
      flow: async (t) => {
        await t.step("load customer", () => 1);
        await t.ask("What now?");
      },
      key: "step:load order#1",
      flowSide: /asks for ask#1/,
    },
    {
      name: "the flow ends early",
      flow: async (t) => t.step("load order", () => 1),
      key: "step:load customer#1",
      flowSide: /ends without it/,
    },
    {
      name: "the flow throws where it did not",
      flow: async () => {
        throw new Error("not yet implemented");
      },
      key: "step:load order#1",
      flowSide: /throws: not yet implemented/,
    },
    {
      name: "an action is called with other arguments",
      flow: async (t) => {
        await Promise.all([t.step("load order", () => "order"), t.step("load customer", () => "customer")]);
        await t.decide();
        return t.act([{ callId: "decide_1_0", tool: "pay", args: { cents: 500 } }]);
      },
      key: "act:pay#1",
      flowSide: /called with \{"cents":500\}/,
    },
  ];

  it.each(misfits)(
    "stops, naming the operation, both sides and the ways out: $name",
    async ({ flow, key, flowSide }) => {
      const { threadId, requestId } = await parked();
      const changed = await deploy(agent({ ...oldAgent, flow }));
      await changed.decide(requestId, { kind: "approve" });
      await changed.settle(threadId);
      const problem = (await changed.openRequests())[0]?.opened;
      expect(problem).toMatchObject({ kind: "escalation", reason: "flow_changed" });
      expect(problem?.why).toContain(key);
      expect(problem?.why).toMatch(/Log: recorded/);
      expect(problem?.why).toMatch(flowSide);
      expect(problem?.question).toMatch(/continue.*holdpoint fork.*--handled/s);
      expect(pay.runs).toEqual([]);
    },
  );

  it("goes on when the version that wrote the log is back", async () => {
    const { threadId, requestId } = await parked();
    const broken = await deploy(agent({ ...oldAgent, flow: async (t) => t.ask("?") }));
    await broken.decide(requestId, { kind: "approve" });
    await broken.settle(threadId);
    const [problem] = await broken.openRequests();
    await broken.decide(problem?.requestId ?? "", { kind: "continue" });
    const restored = await deploy(agent(oldAgent));
    await restored.settle(threadId);
    expect((await restored.events(threadId)).map((event) => event.type)).toContain("action_completed");
  });

  it("goes on when a person marks the operation handled", async () => {
    const flow: Flow = async (t) => [
      await t.step("load order", () => 1),
      await t.step("audit", () => 2),
      await t.wait("go"),
    ];
    const first = await deploy(agent({ name: "a", flow }));
    const { threadId } = await startThread(first.runtime, "a", null, { by: "test" });
    await first.settle(threadId);
    const without = await deploy(
      agent({ name: "a", flow: async (t) => [await t.step("load order", () => 1), await t.ask("ok?")] }),
    );
    await sendSignal(without.runtime, threadId, { signal: "go", value: null, by: "test" });
    await without.settle(threadId);
    expect((await without.openRequests())[0]?.opened.why).toContain("step:audit#1");
    for (const key of ["step:audit#1", "wait:go#1"])
      await handleOperation(without.runtime, threadId, key, {
        by: "dana@example.com",
        why: "removed on purpose",
      });
    await without.settle(threadId);
    expect((await without.openRequests()).map((request) => request.opened.kind)).toEqual(["question"]);
  });
});
