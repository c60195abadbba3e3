import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { type Agent, agent } from "../../src/core/agent.ts";
import { actionDigest } from "../../src/core/digest.ts";
import type { Verdict } from "../../src/core/events.ts";
import type { ActionResult, Flow } from "../../src/core/flow.ts";
import { gate } from "../../src/core/gate.ts";
import type { LimitOptions } from "../../src/core/limits.ts";
import type { Tool } from "../../src/core/tool.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { decideRequest } from "../../src/runtime/verdicts.ts";
import { payTool, runtimesOfEachTest, type TestRuntime } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();

async function openWith(...agents: readonly Agent[]): Promise<TestRuntime> {
  return openRuntime({ agents });
}

const call = (args: unknown, tool = "pay") => ({ callId: `call ${tool}`, tool, args: args as never });

/** An agent whose flow makes these calls at once and ends with their results. */
function acting(
  tools: readonly Tool[],
  calls: readonly ReturnType<typeof call>[],
  limits: LimitOptions = {},
): Agent {
  const flow: Flow = async (t) => t.act(calls);
  return agent({ name: "acting", tools, flow, limits });
}

async function output(opened: TestRuntime, threadId: string): Promise<readonly ActionResult[]> {
  const end = (await opened.events(threadId)).at(-1);
  if (end?.type !== "thread_completed")
    throw new Error(`the thread ended with ${end?.type}: ${JSON.stringify(end)}`);
  return end.output.value as unknown as readonly ActionResult[];
}

async function start(opened: TestRuntime): Promise<string> {
  const { threadId } = await startThread(opened.runtime, "acting", null, { by: "test" });
  await opened.settle(threadId);
  return threadId;
}

async function startHeld(
  pay = payTool({ risk: "high" }),
): Promise<{ opened: TestRuntime; threadId: string; pay: ReturnType<typeof payTool>; requestId: string }> {
  const opened = await openWith(acting([pay], [call({ cents: 5 })]));
  const threadId = await start(opened);
  const [request] = await opened.openRequests();
  return { opened, threadId, pay, requestId: request?.requestId ?? "" };
}

/** An agent that pays 5, held, under a gate that denies more than `most`. */
async function openUpTo(most: number): Promise<{ opened: TestRuntime; pay: ReturnType<typeof payTool> }> {
  const pay = payTool({ risk: "high" });
  const rules = gate({
    decide: ({ args }) =>
      (args as { cents: number }).cents > most ? { kind: "deny", reason: `over ${most}` } : undefined,
  });
  const flow: Flow = async (t) => t.act([call({ cents: 5 })]);
  return { opened: await openWith(agent({ name: "acting", tools: [pay], gate: rules, flow })), pay };
}

async function heldUpTo(
  most: number,
): Promise<Awaited<ReturnType<typeof openUpTo>> & { threadId: string; requestId: string }> {
  const { opened, pay } = await openUpTo(most);
  const threadId = await start(opened);
  return { opened, pay, threadId, requestId: (await opened.openRequests())[0]?.requestId ?? "" };
}

describe("an action that the gate allows", () => {
  it("runs once, with validated arguments, after its intent", async () => {
    const pay = payTool();
    const opened = await openWith(acting([pay], [call({ cents: 5 })]));
    const threadId = await start(opened);
    expect(pay.runs).toEqual([{ cents: 5, note: "none" }]);
    expect(await opened.types(threadId)).toEqual([
      "thread_started",
      "action_proposed",
      "action_started",
      "action_completed",
      "thread_completed",
    ]);
    expect(await output(opened, threadId)).toMatchObject([{ status: "completed", value: { receipt: 1 } }]);
  });

  it.each([
    { name: "not JSON (a bigint)", value: () => ({ total: 1n }), code: "result_not_json" },
    { name: "a function", value: () => () => 1, code: "result_not_json" },
    { name: "50 MB", value: () => "x".repeat(50_000_000), code: "result_too_large" },
  ])("keeps that it happened when its result cannot be kept: $name", async ({ value, code }) => {
    const pay = payTool({ run: value });
    const opened = await openWith(acting([pay], [call({ cents: 5 })]));
    const [result] = await output(opened, await start(opened));
    expect(result).toMatchObject({
      status: "failed",
      error: { code, message: expect.stringContaining("the action happened") },
    });
  });

  it("keeps a large result beside the log and hands it to the flow whole", async () => {
    const big = "x".repeat(300_000);
    const pay = payTool({ run: () => big });
    const opened = await openWith(acting([pay], [call({ cents: 5 })]));
    const threadId = await start(opened);
    const done = (await opened.events(threadId)).find((event) => event.type === "action_completed");
    expect(done?.result.artifact).toMatchObject({ bytes: 300_002 });
    expect(JSON.stringify(done).length).toBeLessThan(2_000);
    const end = (await opened.events(threadId)).at(-1);
    expect(end?.type === "thread_completed" && end.output.artifact?.bytes).toBeGreaterThan(300_000);
  });

  it("gives a thrown error to the flow as data", async () => {
    const pay = payTool({
      run: () => {
        throw new Error("card declined");
      },
    });
    const opened = await openWith(acting([pay], [call({ cents: 5 })]));
    expect(await output(opened, await start(opened))).toMatchObject([
      { status: "failed", error: { code: "tool_failed", message: "card declined" } },
    ]);
  });

  it.each([
    { name: "wrong types", args: { cents: "a lot" } },
    { name: "a missing field", args: {} },
    { name: "null", args: null },
    { name: "a string", args: "cents: 5" },
  ])("is refused before anything else when its arguments are not valid: $name", async ({ args }) => {
    const pay = payTool();
    const opened = await openWith(acting([pay], [call(args)]));
    expect(await output(opened, await start(opened))).toMatchObject([
      { status: "denied", deniedBy: "validation" },
    ]);
    expect(pay.runs).toEqual([]);
  });

  it("is refused when there is no such tool, naming those there are", async () => {
    const opened = await openWith(acting([payTool()], [call({}, "rob")]));
    expect(await output(opened, await start(opened))).toMatchObject([
      { status: "denied", deniedBy: "validation", why: expect.stringContaining("pay") },
    ]);
  });
});

describe("an action that the gate holds", () => {
  it("is held when its risk is high, or not declared, or its gate fails", async () => {
    const failing = gate({
      decide: () => {
        throw new Error("policy server down");
      },
    });
    const { risk: _, ...undeclared } = payTool();
    let opened: TestRuntime | undefined;
    for (const [tool, rules] of [
      [payTool({ risk: "high" }), gate()],
      [{ ...undeclared, risk: undefined }, gate()],
      [payTool({ risk: "low" }), failing],
    ] as const) {
      opened = await openWith(
        agent({ name: "acting", tools: [tool], gate: rules, flow: async (t) => t.act([call({ cents: 5 })]) }),
      );
      await start(opened);
    }
    expect(await opened?.openRequests()).toHaveLength(3);
  });

  it("parks with a request that carries exactly what would run", async () => {
    const { opened, pay, threadId } = await startHeld();
    expect(pay.runs).toEqual([]);
    expect(await opened.types(threadId)).toEqual(["thread_started", "action_proposed", "request_opened"]);
    const [request] = await opened.openRequests();
    const args = { cents: 5, note: "none" };
    expect(request?.opened.action).toEqual({
      tool: "pay",
      toolVersion: "1",
      args,
      digest: actionDigest({ tool: "pay", toolVersion: "1", args }),
      risk: "high",
    });
  });

  it("runs after an approval, once", async () => {
    const { opened, pay, threadId, requestId } = await startHeld();
    await opened.decide(requestId, { kind: "approve" });
    await opened.settle(threadId);
    await opened.settle(threadId);
    expect(pay.runs).toHaveLength(1);
    expect((await opened.types(threadId)).slice(3)).toEqual([
      "request_decided",
      "action_started",
      "action_completed",
      "thread_completed",
    ]);
  });

  it("does not run after a rejection, and the flow hears why", async () => {
    const { opened, pay, threadId, requestId } = await startHeld();
    await opened.decide(requestId, { kind: "reject", why: "too much" });
    await opened.settle(threadId);
    expect(pay.runs).toEqual([]);
    expect(await output(opened, threadId)).toMatchObject([
      { status: "denied", deniedBy: "person", why: "too much" },
    ]);
  });

  it("is rejected when nobody answers by the deadline", async () => {
    const { opened, pay, threadId, requestId } = await startHeld();
    await opened.clock.advance(24 * 3_600_000 - 1);
    await opened.settle(threadId);
    expect(await opened.openRequests()).toHaveLength(1);
    await opened.clock.advance(1);
    await expect(opened.decide(requestId, { kind: "approve" })).rejects.toMatchObject({
      code: "request_already_decided",
    });
    await opened.settle(threadId);
    expect(pay.runs).toEqual([]);
    expect(await output(opened, threadId)).toMatchObject([{ status: "denied", deniedBy: "deadline" }]);
  });

  it("runs with the arguments that a person wrote, after they validated", async () => {
    const { opened, pay, threadId, requestId } = await startHeld();
    await expect(opened.decide(requestId, { kind: "edit", args: { cents: -1 } })).rejects.toMatchObject({
      code: "verdict_invalid",
    });
    await opened.decide(requestId, { kind: "edit", args: { cents: 3 } });
    await opened.settle(threadId);
    expect(pay.runs).toEqual([{ cents: 3, note: "none" }]);
    const proposals = (await opened.events(threadId)).filter((event) => event.type === "action_proposed");
    expect(proposals.map((event) => event.args)).toEqual([
      { cents: 5, note: "none" },
      { cents: 3, note: "none" },
    ]);
  });

  it("refuses an edit that the gate denies, saying why, and stays open", async () => {
    const { opened, pay, threadId, requestId } = await heldUpTo(100);
    const edit = (cents: number) => opened.decide(requestId, { kind: "edit", args: { cents } });
    await expect(edit(101)).rejects.toMatchObject({
      code: "verdict_invalid",
      message: expect.stringContaining("over 100"),
    });
    await edit(99);
    await opened.settle(threadId);
    expect(pay.runs).toMatchObject([{ cents: 99 }]);
  });

  it("does not run with an edit that the gate denies by now", async () => {
    const { opened, threadId, requestId } = await heldUpTo(100);
    await opened.decide(requestId, { kind: "edit", args: { cents: 99 } });
    const { opened: later, pay } = await openUpTo(50);
    await later.settle(threadId);
    expect(pay.runs).toEqual([]);
    expect(await output(later, threadId)).toMatchObject([
      { status: "denied", deniedBy: "gate", why: "over 50" },
    ]);
  });

  it("asks again when its tool changed after the approval", async () => {
    const { opened, threadId, requestId } = await startHeld();
    await opened.decide(requestId, { kind: "approve" });
    const newer = payTool({ risk: "high", version: "2" });
    const deployed = await openWith(acting([newer], [call({ cents: 5 })]));
    await deployed.settle(threadId);
    expect(newer.runs).toEqual([]);
    const [again] = await deployed.openRequests();
    expect(again?.requestId).not.toBe(requestId);
    expect(again?.opened.again).toContain("version 2");
    await deployed.decide(again?.requestId ?? "", { kind: "approve" });
    await deployed.settle(threadId);
    expect(newer.runs).toHaveLength(1);
  });

  it("is not approved when the log was changed, and shows other arguments", async () => {
    const { opened, threadId, requestId } = await startHeld();
    const database = new DatabaseSync(opened.path);
    database.exec(`UPDATE events SET body = replace(body, '"cents":5', '"cents":9') WHERE seq = 3`);
    database.close();
    for (const verdict of [{ kind: "approve" }, { kind: "edit", args: { cents: 6 } }] as const)
      await expect(opened.decide(requestId, verdict)).rejects.toMatchObject({
        code: "store_corrupt",
        message: expect.stringContaining(`${requestId} of thread ${threadId}`),
      });
    await opened.decide(requestId, { kind: "reject", why: "not what it says" });
  });

  it("takes one verdict: the same again is answered, another is refused with who and when", async () => {
    const { opened, requestId } = await startHeld();
    const decide = (verdict: Verdict, by: string) =>
      decideRequest(opened.runtime, requestId, { verdict, by, via: "test" });
    const said: Verdict = { kind: "approve", why: "the invoice says 5" };
    expect(await decide(said, "dana@example.com")).toMatchObject({ first: true });
    for (const again of [said, { kind: "approve" }, { kind: "approve", why: "in other words" }] as const)
      expect(await decide(again, "kim@example.com")).toMatchObject({
        first: false,
        request: { by: "dana@example.com", verdict: said },
      });
    await expect(decide({ kind: "reject", why: "no" }, "kim@example.com")).rejects.toMatchObject({
      code: "request_already_decided",
      message: expect.stringMatching(/dana@example\.com at 2026-01-01T/),
    });
    await expect(decide({ kind: "continue" }, "kim@example.com")).rejects.toMatchObject({
      code: "verdict_invalid",
    });
  });

  it("takes no verdict from an agent", async () => {
    const { opened, requestId, threadId } = await startHeld();
    const own = decideRequest(opened.runtime, requestId, {
      verdict: { kind: "approve" },
      by: `thread:${threadId}`,
      via: "test",
    });
    await expect(own).rejects.toMatchObject({ code: "not_an_approver" });
  });

  it("settles a batch call by call: approved, rejected and automatic give one result each", async () => {
    const risky = payTool({ name: "risky", risk: "high" });
    const other = payTool({ name: "other", risk: "high" });
    const easy = payTool({ name: "easy" });
    const opened = await openWith(
      acting(
        [risky, other, easy],
        [call({ cents: 1 }, "risky"), call({ cents: 2 }, "other"), call({ cents: 3 }, "easy")],
      ),
    );
    const threadId = await start(opened);
    expect(easy.runs).toHaveLength(1);
    for (const request of await opened.openRequests()) {
      await opened.decide(
        request.requestId,
        request.opened.action?.tool === "risky" ? { kind: "approve" } : { kind: "reject", why: "no" },
      );
      await opened.settle(threadId);
    }
    expect((await output(opened, threadId)).map((result) => [result.call.tool, result.status])).toEqual([
      ["risky", "completed"],
      ["other", "denied"],
      ["easy", "completed"],
    ]);
    expect([risky.runs.length, other.runs.length]).toEqual([1, 0]);
  });
});

describe("an action that started and has no result (in doubt)", () => {
  /** A log in which a worker died while the tool ran. */
  async function crashed(
    pay: ReturnType<typeof payTool>,
  ): Promise<{ opened: TestRuntime; threadId: string }> {
    const dead = await openWith(
      acting([{ ...pay, run: () => new Promise(() => {}), verify: undefined }], [call({ cents: 5 })]),
    );
    const { threadId } = await startThread(dead.runtime, "acting", null, { by: "test" });
    void dead.settle(threadId).catch(() => {});
    while (!(await dead.types(threadId)).includes("action_started"))
      await new Promise((resolve) => setImmediate(resolve));
    dead.clock.set(dead.clock.now() + 31_000); // its lease runs out, and it does not notice
    return { opened: await openWith(acting([pay], [call({ cents: 5 })])), threadId };
  }

  it.each(["read", "repeatable"] as const)(
    "runs again when a second run does no harm: %s",
    async (effect) => {
      const pay = payTool({ effect });
      const dead = effect === "read" ? { ...pay, effect: "repeatable" as const } : pay; // reads leave no intent behind
      const { threadId } = await crashed({ ...dead });
      const opened = await openWith(acting([pay], [call({ cents: 5 })]));
      await opened.settle(threadId);
      expect(pay.runs).toHaveLength(1);
      expect(await opened.types(threadId)).toContain("thread_completed");
    },
  );

  it("never runs again by itself otherwise: a person says what became of it", async () => {
    const pay = payTool();
    const { opened, threadId } = await crashed(pay);
    await opened.settle(threadId);
    expect(pay.runs).toEqual([]);
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({
      reason: "in_doubt",
      choices: ["done", "not_done", "stop"],
      expiresAt: null,
    });
    await opened.decide(request?.requestId ?? "", { kind: "done", value: { receipt: "seen at the bank" } });
    await opened.settle(threadId);
    expect(pay.runs).toEqual([]);
    expect(await output(opened, threadId)).toMatchObject([
      { status: "completed", value: { receipt: "seen at the bank" } },
    ]);
  });

  it("is failed, not run again, when a person says that it did not happen", async () => {
    const pay = payTool();
    const { opened, threadId } = await crashed(pay);
    await opened.settle(threadId);
    await opened.decide((await opened.openRequests())[0]?.requestId ?? "", {
      kind: "not_done",
      why: "not on the statement",
    });
    await opened.settle(threadId);
    expect(pay.runs).toEqual([]);
    expect(await output(opened, threadId)).toMatchObject([
      { status: "failed", error: { code: "did_not_happen" } },
    ]);
  });

  it("takes the word of verify that it happened", async () => {
    const pay = payTool({ verify: () => ({ happened: true, value: { receipt: 9 } }) });
    const { opened, threadId } = await crashed(pay);
    await opened.settle(threadId);
    expect(pay.runs).toEqual([]);
    expect(await output(opened, threadId)).toMatchObject([{ status: "completed", value: { receipt: 9 } }]);
  });

  it("runs again, under the same idempotency key, when verify says that it did not happen", async () => {
    const keys: string[] = [];
    const pay = payTool({
      verify: (_args, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        return { happened: false };
      },
    });
    const { opened, threadId } = await crashed(pay);
    await opened.settle(threadId);
    expect(pay.runs).toHaveLength(1);
    const starts = (await opened.events(threadId)).filter((event) => event.type === "action_started");
    expect(starts.map((event) => [event.attempt, event.idempotencyKey])).toEqual([
      [1, keys[0]],
      [2, keys[0]],
    ]);
  });

  it.each([
    { name: "cannot tell", verify: () => ({ happened: "unknown" as const }) },
    {
      name: "fails",
      verify: () => {
        throw new Error("bank is closed");
      },
    },
  ])("asks a person when verify $name", async ({ verify }) => {
    const pay = payTool({ verify });
    const { opened, threadId } = await crashed(pay);
    await opened.settle(threadId);
    expect(pay.runs).toEqual([]);
    expect(await opened.openRequests()).toMatchObject([{ opened: { reason: "in_doubt" } }]);
  });
});

describe("a tool that gives no answer in time", () => {
  async function hang(effect: "once" | "repeatable"): Promise<{ opened: TestRuntime; threadId: string }> {
    const pay = payTool({ effect, timeout: "5s", run: () => new Promise(() => {}) });
    const opened = await openWith(acting([pay], [call({ cents: 5 })]));
    const { threadId } = await startThread(opened.runtime, "acting", null, { by: "test" });
    const settled = opened.settle(threadId);
    while (opened.clock.pending < 2) await new Promise((resolve) => setImmediate(resolve)); // the heartbeat, and the tool's deadline
    await opened.clock.advance(5_000);
    await settled;
    return { opened, threadId };
  }

  it("fails when a second run does no harm", async () => {
    const { opened, threadId } = await hang("repeatable");
    expect(await output(opened, threadId)).toMatchObject([
      { status: "failed", error: { code: "tool_timeout" } },
    ]);
  });

  it("is in doubt otherwise", async () => {
    const { opened } = await hang("once");
    expect(await opened.openRequests()).toMatchObject([{ opened: { reason: "in_doubt" } }]);
  });
});

describe("limits on actions", () => {
  it("ask a person after three failures of a tool in a row, and three more after a continue", async () => {
    const pay = payTool({
      run: () => {
        throw new Error("down");
      },
    });
    const flow: Flow = async (t) => {
      for (let cents = 1; cents <= 9; cents++) await t.act(pay, { cents, note: "" });
    };
    const opened = await openWith(agent({ name: "acting", tools: [pay], flow }));
    const threadId = await start(opened);
    const failures = async () =>
      (await opened.types(threadId)).filter((type) => type === "action_failed").length;
    expect(await failures()).toBe(3);
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({ reason: "limit", why: "attemptsPerTool:pay reached 3 of 3" });
    await opened.decide(request?.requestId ?? "", { kind: "continue" });
    await opened.settle(threadId);
    expect(await failures()).toBe(6);
    await opened.decide((await opened.openRequests())[0]?.requestId ?? "", { kind: "stop" });
    await opened.settle(threadId);
    expect((await opened.events(threadId)).at(-1)).toMatchObject({
      type: "thread_failed",
      error: { code: "stopped_by_person" },
    });
  });

  it("ask a person when one call is made again and again", async () => {
    const pay = payTool({ effect: "repeatable" });
    const flow: Flow = async (t) => {
      for (;;) await t.act(pay, { cents: 1, note: "" });
    };
    const opened = await openWith(agent({ name: "acting", tools: [pay], flow }));
    await start(opened);
    expect(pay.runs).toHaveLength(3);
    expect(await opened.openRequests()).toMatchObject([
      { opened: { reason: "limit", why: "identicalCalls:pay reached 3 of 3" } },
    ]);
  });
});
