import { describe, expect, it } from "vitest";
import { describeEvent } from "../../src/cli/describe-event.ts";
import type { Flow } from "../../src/core/flow.ts";
import { gate } from "../../src/core/gate.ts";
import { rule } from "../../src/core/rule.ts";
import { eventsOf, oneAgentOfEachTest, runAgent } from "../kit/one-agent.ts";
import { payTool } from "../kit/runtime.ts";

const openAgent = oneAgentOfEachTest();
const plain = (_style: string, text: string): string => text;
const payFive: Flow = async (t) =>
  (await t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }])).map(({ status }) => status);

describe("a rule on trial", () => {
  it("changes nothing, and is recorded with what it would have done", async () => {
    const pay = payTool();
    const trial = rule({
      name: "over 4",
      tool: pay,
      when: ({ args }) => args.cents > 4,
      outcome: "deny",
      reason: "too much",
    });
    const opened = await openAgent({ tools: [pay], gate: gate({ shadow: [trial] }), flow: payFive });
    const threadId = await runAgent(opened);
    expect(pay.runs).toHaveLength(1);
    const [proposed] = await eventsOf(opened, threadId, "action_proposed");
    expect(proposed).toMatchObject({
      gate: { kind: "allow" },
      shadow: [{ rule: "over 4", outcome: "deny", reason: "too much" }],
    });
    expect(proposed && describeEvent(proposed, plain)).toContain("on trial, over 4: deny (too much)");
  });

  it("cannot change what runs", async () => {
    const pay = payTool();
    const trial = rule({
      name: "meddler",
      tool: pay,
      when: ({ args }) => {
        (args as { cents: number }).cents = 5_000;
        return true;
      },
      outcome: "hold",
    });
    const opened = await openAgent({ tools: [pay], gate: gate({ shadow: [trial] }), flow: payFive });
    const threadId = await runAgent(opened);
    expect(pay.runs).toEqual([{ cents: 5, note: "none" }]);
    const [proposed] = await eventsOf(opened, threadId, "action_proposed");
    expect(proposed?.shadow).toMatchObject([{ outcome: "hold", reason: expect.stringContaining("failed") }]);
  });
});

describe("a rule", () => {
  it("is given the time of the runtime's clock", async () => {
    const pay = payTool();
    const seen: string[] = [];
    const note = rule({
      when: ({ at }) => {
        seen.push(at);
        return false;
      },
      outcome: "deny",
    });
    const opened = await openAgent({ tools: [pay], gate: gate({ rules: [note] }), flow: payFive });
    await runAgent(opened);
    expect(new Set(seen)).toEqual(new Set([new Date(opened.clock.now()).toISOString()]));
  });

  it("puts no declared secret into the log by its reason", async () => {
    const pay = payTool();
    const leaky = rule({ outcome: "deny", reason: "the key is s3cret-value" });
    const secrets = new Map([["KEY", "s3cret-value"]]);
    const opened = await openAgent(
      { tools: [pay], gate: gate({ rules: [leaky], shadow: [leaky] }), flow: payFive },
      { secrets },
    );
    const threadId = await runAgent(opened);
    expect(JSON.stringify(await opened.events(threadId))).not.toContain("s3cret");
  });
});
