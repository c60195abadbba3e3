// `limits.activeTime` holds for steps and actions as for decisions, and asks nobody twice.
import { describe, expect, it } from "vitest";
import { agent } from "../../src/core/agent.ts";
import type { Flow, FlowContext } from "../../src/core/flow.ts";
import type { Tool } from "../../src/core/tool.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { payTool, runtimesOfEachTest, type TestRuntime, turns } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();

interface Working {
  readonly opened: TestRuntime;
  readonly threadId: string;
  /** Names of the steps that ran, in order. */
  readonly ran: readonly string[];
}

type Work = (t: FlowContext, name: string) => Promise<unknown>;

/** Runs a flow whose steps take 900 ms each, with a limit of 2 s. */
async function working(
  flow: (t: FlowContext, work: Work) => Promise<unknown>,
  tools: readonly Tool[] = [],
): Promise<Working> {
  const ran: string[] = [];
  const work: Work = (t, name) =>
    t.step(
      name,
      async () => {
        ran.push(name);
        await opened.clock.advance(900);
        if (name === "flaky" && ran.filter((each) => each === name).length === 1) throw new Error("busy");
      },
      { backoff: 0 },
    );
  const whole: Flow = (t) => flow(t, work);
  const model = turns({ text: "decided" });
  const opened = await openRuntime({
    agents: [agent({ name: "a", flow: whole, tools, model, prompt: "Work.", limits: { activeTime: "2s" } })],
  });
  const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
  await opened.settle(threadId);
  return { opened, threadId, ran };
}

async function answer({ opened, threadId }: Working, kind: "continue" | "stop"): Promise<void> {
  const [request, ...others] = await opened.openRequests();
  expect(request?.opened).toMatchObject({ reason: "limit", choices: ["continue", "stop"] });
  expect(others).toEqual([]);
  await opened.decide(request?.requestId ?? "", { kind });
  await opened.settle(threadId);
}

const lastType = async ({ opened, threadId }: Working): Promise<string | undefined> =>
  (await opened.types(threadId)).at(-1);

const inTurn = async (t: FlowContext, work: Work): Promise<string> => {
  for (const name of ["s1", "s2", "s3", "s4", "s5", "s6"]) await work(t, name);
  return "done";
};

describe("the limit on active time", () => {
  it("stops a flow of steps alone, and lets it go on by the same allotment each time", async () => {
    const thread = await working(inTurn);
    expect(thread.ran).toEqual(["s1", "s2", "s3"]);
    expect((await thread.opened.openRequests())[0]?.opened.why).toBe("activeTime reached 2700 of 2000");
    await answer(thread, "continue");
    expect(thread.ran).toEqual(["s1", "s2", "s3", "s4", "s5"]);
    await answer(thread, "continue");
    expect(thread.ran).toEqual(["s1", "s2", "s3", "s4", "s5", "s6"]);
    expect(await lastType(thread)).toBe("thread_completed");
  });

  it("ends the thread when a person says stop", async () => {
    const thread = await working(inTurn);
    await answer(thread, "stop");
    expect(thread.ran).toHaveLength(3);
    expect(await lastType(thread)).toBe("thread_failed");
  });

  it("asks once for steps, actions and decisions side by side", async () => {
    const pay = payTool();
    const thread = await working(
      async (t, work) => {
        for (const name of ["s1", "s2", "s3"]) await work(t, name);
        await Promise.all([
          work(t, "left"),
          work(t, "right"),
          t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }]),
          t.decide(),
        ]);
      },
      [pay],
    );
    expect(await thread.opened.openRequests()).toHaveLength(1);
    expect(pay.runs).toEqual([]);
    await answer(thread, "continue");
    expect(thread.ran.slice(3).sort()).toEqual(["left", "right"]);
    expect(pay.runs).toHaveLength(1);
    expect(await lastType(thread)).toBe("thread_completed");
  });

  it("comes before an action that is new: it is proposed, and approved, only after that", async () => {
    const pay = payTool({ risk: "high" });
    const thread = await working(
      async (t, work) => {
        for (const name of ["s1", "s2", "s3"]) await work(t, name);
        await t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }]);
      },
      [pay],
    );
    await answer(thread, "continue");
    const [approval] = await thread.opened.openRequests();
    expect(approval?.opened.kind).toBe("approval");
    await thread.opened.decide(approval?.requestId ?? "", { kind: "approve" });
    await thread.opened.settle(thread.threadId);
    expect(pay.runs).toHaveLength(1);
  });

  it("keeps nothing that is approved from starting", async () => {
    const pay = payTool({ risk: "high" });
    const thread = await working(
      async (t, work) => {
        const paid = t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }]);
        for (const name of ["s1", "s2", "s3"]) await work(t, name);
        await paid;
        await work(t, "s4");
      },
      [pay],
    );
    const [approval, ...others] = await thread.opened.openRequests();
    expect([approval?.opened.kind, others.length]).toEqual(["approval", 0]);
    await thread.opened.decide(approval?.requestId ?? "", { kind: "approve" });
    await thread.opened.settle(thread.threadId);
    expect(pay.runs).toHaveLength(1);
    await answer(thread, "continue");
    expect(await lastType(thread)).toBe("thread_completed");
  });

  it("holds for another try of a step", async () => {
    const thread = await working(async (t, work) => {
      for (const name of ["s1", "s2"]) await work(t, name);
      await work(t, "flaky");
    });
    expect(thread.ran).toEqual(["s1", "s2", "flaky"]);
    await answer(thread, "continue");
    expect(thread.ran).toEqual(["s1", "s2", "flaky", "flaky"]);
    expect(await lastType(thread)).toBe("thread_completed");
  });
});
