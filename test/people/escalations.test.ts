// What a thread cannot go on from by itself becomes a request: with what happened so far, and choices that make sense.
import { describe, expect, it } from "vitest";
import type { AgentDefinition } from "../../src/core/agent.ts";
import { HoldpointError } from "../../src/core/errors.ts";
import type { VerdictKind } from "../../src/core/events.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { eventsOf, oneAgentOfEachTest, runAgent } from "../kit/one-agent.ts";
import { calls, payTool, turns } from "../kit/runtime.ts";

const open = oneAgentOfEachTest();
type Definition = Partial<AgentDefinition<unknown, unknown, unknown>>;

const failing = payTool({
  run: () => Promise.reject(new HoldpointError("tool_failed", "the bank is closed")),
});
const look = payTool({ name: "look", effect: "read" });
const again = Array.from({ length: 6 }, () => calls(["look", { cents: 1 }]));
const pays = Array.from({ length: 6 }, (_, index) => calls(["pay", { cents: index + 1 }]));

const cases: readonly {
  readonly name: string;
  readonly definition: Definition;
  readonly reason: string;
  readonly choices: readonly VerdictKind[];
  readonly soFar: RegExp;
  readonly evidence?: RegExp;
}[] = [
  {
    name: "errors in a row",
    definition: { tools: [failing], model: turns(...pays), limits: { attemptsPerTool: 2 } },
    reason: "limit",
    choices: ["continue", "reject", "stop"],
    soFar: /pay#2 .*: failed: the bank is closed\ndecide#3: called pay$/,
  },
  {
    name: "a loop",
    definition: { tools: [look], model: turns(...again), limits: { identicalCalls: 2 } },
    reason: "limit",
    choices: ["continue", "reject", "stop"],
    soFar: /look .*: done\n.*\nlook#2/,
  },
  {
    name: "a limit of steps",
    definition: { tools: [look], model: turns(...again), limits: { steps: 1 } },
    reason: "limit",
    choices: ["continue", "stop"],
    soFar: /^decide#1: called look\nlook .*: done$/,
  },
  {
    name: "invalid outputs",
    definition: {
      tools: [look],
      model: turns(calls(["look", { cents: 1 }]), ...Array.from({ length: 3 }, () => calls(["rob", {}]))),
    },
    reason: "invalid_output",
    choices: ["continue", "stop"],
    soFar: /look .*: done$/,
    evidence: /there is no tool "rob"/,
  },
  {
    name: "a model that cannot be reached",
    definition: {
      tools: [look],
      model: turns(calls(["look", { cents: 1 }]), new HoldpointError("model_failed", "gone")),
      limits: { modelFailures: 0 },
    },
    reason: "model_failed",
    choices: ["continue", "stop"],
    soFar: /look .*: done$/,
  },
];

describe("a request for help", () => {
  it.each(cases)("after $name", async ({ definition, reason, choices, soFar, evidence = /^$/ }) => {
    const opened = await open(definition);
    await runAgent(opened);
    const [request, ...others] = await opened.openRequests();
    expect(others).toEqual([]);
    expect(request?.opened).toMatchObject({ kind: "escalation", reason, choices });
    expect(request?.opened.soFar?.join("\n")).toMatch(soFar);
    expect(request?.opened.evidence ?? "").toMatch(evidence);
  });

  it("after workers died in a row, with what was done before", async () => {
    const opened = await open({ flow: async (t) => [await t.step("load", () => 1), await t.wait("go")] });
    const threadId = await runAgent(opened);
    const { store } = opened.runtime;
    for (let crash = 0; crash < 3; crash++) {
      await store.lease({ threadId, owner: `dead ${crash}`, ttlMs: 1_000, now: opened.clock.now() });
      opened.clock.set(opened.clock.now() + 2_000);
    }
    await opened.settle(threadId);
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({
      reason: "crash_loop",
      choices: ["continue", "stop"],
      soFar: ["step load: done", "signal go: awaited"],
    });
  });

  it("about an action in doubt, with what was done before and the arguments", async () => {
    const opened = await open({
      tools: [payTool({ timeout: 1, run: () => new Promise(() => {}) })],
      flow: async (t) => [
        await t.step("load", () => 1),
        await t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }]),
      ],
    });
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const settled = opened.settle(threadId);
    while (opened.clock.pending < 2) await new Promise((resolve) => setImmediate(resolve));
    await opened.clock.advance(1);
    await settled;
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({
      reason: "in_doubt",
      choices: ["done", "not_done", "stop"],
      soFar: ["step load: done"],
      action: { args: { cents: 5 } },
    });
  });
});

it("at a limit a person may refuse the one call: the model learns why, and goes on", async () => {
  const opened = await open({
    tools: [look],
    limits: { identicalCalls: 2 },
    model: turns(...again.slice(0, 3), { text: "I give up" }),
  });
  const threadId = await runAgent(opened);
  await opened.decide((await opened.openRequests())[0]?.requestId ?? "", {
    kind: "reject",
    why: "look elsewhere",
  });
  await opened.settle(threadId);
  expect(await eventsOf(opened, threadId, "action_denied")).toMatchObject([
    { deniedBy: "person", by: "dana@example.com", why: "look elsewhere" },
  ]);
  expect((await opened.types(threadId)).at(-1)).toBe("thread_completed");
  expect(look.runs).not.toHaveLength(0);
});
