import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Agent, type AgentDefinition, agent } from "../../src/core/agent.ts";
import type { Flow } from "../../src/core/flow.ts";
import { cancelThread, sendSignal, settleAction, startThread } from "../../src/runtime/commands.ts";
import { forkThread } from "../../src/runtime/fork.ts";
import { calls, payTool, runtimesOfEachTest, type TestRuntime, type Turn, turns } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();

async function openWith(...agents: readonly Agent[]): Promise<TestRuntime> {
  return openRuntime({ agents });
}

async function run(opened: TestRuntime, input: unknown = null, name = "a"): Promise<string> {
  const { threadId } = await startThread(opened.runtime, name, input, { by: "test" });
  await opened.settle(threadId);
  return threadId;
}

async function end(opened: TestRuntime, threadId: string): Promise<unknown> {
  const last = (await opened.events(threadId)).at(-1);
  if (last?.type === "thread_completed") return last.output.value;
  return last?.type === "thread_failed" ? last.error : last?.type;
}

const flowing = (flow: Flow, rest: Partial<AgentDefinition<unknown, unknown, unknown>> = {}): Agent =>
  agent({ name: "a", flow, ...rest });

describe("the default loop", () => {
  it("decides and acts until the model answers, and returns the validated answer", async () => {
    const pay = payTool();
    const model = turns(
      calls(["pay", { cents: 5 }]),
      calls(["pay", { cents: "many" }]),
      calls(["answer", { paid: 5 }]),
    );
    const opened = await openWith(
      agent({ name: "a", model, prompt: "Pay.", tools: [pay], output: z.object({ paid: z.number() }) }),
    );
    const threadId = await run(opened, "please pay 5");
    expect(await end(opened, threadId)).toEqual({ paid: 5 });
    expect(pay.runs).toHaveLength(1);
    expect(await opened.types(threadId)).toContain("decision_rejected");
  });

  it("shows the model the prompt, the input, its calls and their results, and nothing of a rejected output", async () => {
    const model = turns(calls(["pay", { cents: 5 }]), calls(["rob", {}]), { text: "done" });
    const opened = await openWith(agent({ name: "a", model, prompt: "Pay.", tools: [payTool()] }));
    await run(opened, "please");
    const roles = model.inputs.map((input) => input.messages.map((message) => message.role));
    expect(roles).toEqual([
      ["system", "user"],
      ["system", "user", "assistant", "tool"],
      ["system", "user", "assistant", "tool", "user"],
    ]);
    expect(model.inputs[2]?.messages.at(-1)?.content).toContain('there is no tool "rob"');
    expect(JSON.stringify(model.inputs[2]?.messages.slice(0, 4))).not.toContain("rob");
  });

  it("runs a held call only after a person approved it, and shows the model a refusal", async () => {
    const pay = payTool({ risk: "high" });
    const model = turns(calls(["pay", { cents: 5 }]), { text: "I could not pay" });
    const opened = await openWith(agent({ name: "a", model, prompt: "Pay.", tools: [pay] }));
    const threadId = await run(opened);
    await opened.decide((await opened.openRequests())[0]?.requestId ?? "", {
      kind: "reject",
      why: "not today",
    });
    await opened.settle(threadId);
    expect(pay.runs).toEqual([]);
    expect(model.inputs[1]?.messages.at(-1)?.content).toContain("not today");
    expect(await end(opened, threadId)).toBe("I could not pay");
  });
});

describe("a decision", () => {
  const invalid: readonly { readonly name: string; readonly turn: Turn }[] = [
    { name: "an unknown tool", turn: calls(["rob", {}]) },
    { name: "wrong arguments", turn: calls(["pay", { cents: "5" }]) },
    { name: "arguments that are no object", turn: calls(["pay", '{"cents": 5']) },
    { name: "an answer beside calls", turn: calls(["answer", { ok: true }], ["pay", { cents: 5 }]) },
    { name: "text where an answer must validate", turn: { text: "all done" } },
    { name: "an invalid answer", turn: calls(["answer", { ok: "yes" }]) },
    { name: "nothing", turn: {} },
    { name: "an output cut off by its length", turn: { ...calls(["pay", { cents: 5 }]), finish: "length" } },
  ];
  it.each(invalid)(
    "asks a person after three unusable outputs, and runs nothing: $name",
    async ({ turn }) => {
      const pay = payTool();
      const model = turns(turn, turn, turn, calls(["answer", { ok: true }]));
      const opened = await openWith(
        agent({ name: "a", model, prompt: "Pay.", tools: [pay], output: z.object({ ok: z.boolean() }) }),
      );
      const threadId = await run(opened);
      expect(pay.runs).toEqual([]);
      expect(model.inputs).toHaveLength(3);
      const [request] = await opened.openRequests();
      expect(request?.opened).toMatchObject({ kind: "escalation", reason: "invalid_output" });
      await opened.decide(request?.requestId ?? "", { kind: "continue" });
      await opened.settle(threadId);
      expect(await end(opened, threadId)).toEqual({ ok: true });
    },
  );

  it("is tried again later when the provider fails, across processes, and then goes to a person", async () => {
    const down = Object.assign(new Error("overloaded"));
    const model = turns(down, down, down, down, down, { text: "back" });
    const opened = await openWith(agent({ name: "a", model, prompt: "Hi." }));
    const threadId = await run(opened);
    for (let tries = 1; tries <= 5; tries++) {
      expect(model.inputs).toHaveLength(tries);
      await opened.clock.advance(60_000);
      await opened.settle(threadId);
    }
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({ reason: "model_failed" });
    await opened.decide(request?.requestId ?? "", { kind: "continue" });
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toBe("back");
  });

  it.each([
    { limit: "steps", limits: { steps: 2 }, why: "steps reached 2 of 2" },
    { limit: "tokens", limits: { tokens: 30 }, why: "tokens reached 30 of 30" },
  ])("asks a person at the limit of $limit", async ({ limits, why }) => {
    const model = turns(calls(["pay", { cents: 1 }]), calls(["pay", { cents: 2 }]), { text: "done" });
    const opened = await openWith(agent({ name: "a", model, prompt: "Pay.", tools: [payTool()], limits }));
    const threadId = await run(opened);
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({ kind: "escalation", reason: "limit", why });
    await opened.decide(request?.requestId ?? "", { kind: "continue" });
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toBe("done");
  });

  it("stops the thread when even the pinned parts do not fit, naming them with their sizes", async () => {
    const model = turns({ text: "never" });
    const opened = await openWith(
      agent({ name: "a", model, prompt: "word ".repeat(500), window: { budget: 100 } }),
    );
    const threadId = await run(opened, "short");
    expect(await end(opened, threadId)).toMatchObject({
      code: "window_over_budget",
      message: expect.stringMatching(/prompt \d+, input \d+/),
    });
    expect(model.inputs).toHaveLength(0);
  });

  it("sees what the flow shows it, for this decision only", async () => {
    const model = turns(calls(["pay", { cents: 1 }]), { text: "ok" });
    const flow: Flow = async (t) => {
      const first = await t.decide({ see: { order: { id: "A7" } } });
      if (first.kind === "calls") await t.act(first.calls);
      return t.decide();
    };
    const opened = await openWith(flowing(flow, { model, prompt: "Hi.", tools: [payTool()] }));
    await run(opened);
    expect(model.inputs.map((input) => JSON.stringify(input.messages).includes("A7"))).toEqual([true, false]);
  });
});

describe("steps", () => {
  it("run once and keep what they returned", async () => {
    let loads = 0;
    const opened = await openWith(
      flowing(async (t) => [await t.step("load", () => ++loads), await t.step("load", () => ++loads)]),
    );
    expect(await end(opened, await run(opened))).toEqual([1, 2]);
  });

  it("are tried again, durably, and then fail in the flow", async () => {
    let tries = 0;
    const flow: Flow = async (t) =>
      t
        .step("flaky", () => {
          tries += 1;
          throw new Error(`down ${tries}`);
        })
        .catch((error: unknown) => (error as { code: string; message: string }).message);
    const opened = await openWith(flowing(flow));
    const threadId = await run(opened);
    for (const expected of [1, 2, 3]) {
      expect(tries).toBe(expected);
      await opened.clock.advance(60_000);
      await opened.settle(threadId);
    }
    expect(await end(opened, threadId)).toBe("down 3");
  });

  it("give a clear failure for what JSON cannot hold", async () => {
    const opened = await openWith(flowing(async (t) => t.step("bad", () => ({ when: 1n }))));
    expect(await end(opened, await run(opened))).toMatchObject({
      code: "step_failed",
      message: expect.stringContaining("$.when is a bigint"),
    });
  });

  it("record the time, randomness and ids once", async () => {
    const flow: Flow = async (t) => {
      const values = [(await t.now()).toISOString(), await t.random(), await t.uuid()];
      await t.wait("go");
      return values;
    };
    const opened = await openWith(flowing(flow));
    const threadId = await run(opened);
    await opened.clock.advance(5_000);
    await sendSignal(opened.runtime, threadId, { signal: "go", value: null, by: "test" });
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toEqual([
      "2026-01-01T00:00:00.000Z",
      0.5,
      "00000000-0000-4000-8000-000000000000",
    ]);
  });
});

describe("waiting", () => {
  it("sleeps across processes", async () => {
    const flow: Flow = async (t) => {
      await t.sleep("7d");
      return "awake";
    };
    const opened = await openWith(flowing(flow));
    const threadId = await run(opened);
    expect((await opened.runtime.store.threads({ threadId })).rows[0]).toMatchObject({
      status: "waiting",
      waits: ["sleep#1"],
      dueAt: "2026-01-08T00:00:00.000Z",
    });
    const later = await openWith(flowing(flow));
    await later.clock.advance(7 * 86_400_000);
    await later.settle(threadId);
    expect(await end(later, threadId)).toBe("awake");
  });

  it("fires timers late, not early, when the clock was set back", async () => {
    const opened = await openWith(flowing(async (t) => t.sleep("1h")));
    const threadId = await run(opened);
    opened.clock.set(Date.UTC(2025, 0, 1));
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toBe("timer_set");
    opened.clock.set(Date.UTC(2026, 0, 1, 1));
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toBeUndefined();
  });

  it("takes signals once each, also those that came early or twice", async () => {
    const opened = await openWith(
      flowing(async (t) =>
        [await t.wait("paid"), await t.wait("paid")].map((result) =>
          result.kind === "received" ? result.value : null,
        ),
      ),
    );
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    for (const [signalId, value] of [
      ["s1", 1],
      ["s1", 1],
      ["s2", 2],
    ] as const) {
      await sendSignal(opened.runtime, threadId, { signal: "paid", value, by: "test", signalId });
    }
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toEqual([1, 2]);
    await expect(
      sendSignal(opened.runtime, threadId, { signal: "paid", value: 3, by: "test" }),
    ).rejects.toMatchObject({ code: "thread_ended" });
    await expect(
      sendSignal(opened.runtime, "th_none", { signal: "paid", value: 3, by: "test" }),
    ).rejects.toMatchObject({ code: "thread_not_found" });
  });

  it("asks people, validates their answer, and goes on with it", async () => {
    const answer = z.object({ size: z.enum(["S", "M"]) });
    const opened = await openWith(flowing(async (t) => t.ask("Which size?", { answer })));
    const threadId = await run(opened);
    const [request] = await opened.openRequests();
    await expect(
      opened.decide(request?.requestId ?? "", { kind: "answer", value: { size: "XXL" } }),
    ).rejects.toMatchObject({ code: "verdict_invalid" });
    await opened.decide(request?.requestId ?? "", { kind: "answer", value: { size: "M" } });
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toEqual({
      kind: "answered",
      value: { size: "M" },
      by: "dana@example.com",
    });
  });
});

describe("children", () => {
  it("have a log of their own, and the parent sees their result", async () => {
    const child = agent({ name: "child", flow: async (t, input) => [input, await t.ask("ok?")] });
    const opened = await openWith(
      flowing(async (t) => t.call("child", { n: 1 })),
      child,
    );
    const threadId = await run(opened);
    const [request] = await opened.openRequests();
    expect(request?.threadId).not.toBe(threadId);
    await opened.decide(request?.requestId ?? "", { kind: "answer", value: "yes" });
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toMatchObject([{ n: 1 }, { value: "yes" }]);
    expect(await opened.types(threadId)).toEqual([
      "thread_started",
      "child_started",
      "child_completed",
      "thread_completed",
    ]);
  });

  it("hand their failure to the parent as an error", async () => {
    const child = agent({
      name: "child",
      flow: async () => {
        throw new Error("broken");
      },
    });
    const opened = await openWith(
      flowing(async (t) => t.call("child", 1).catch((error: unknown) => (error as { code: string }).code)),
      child,
    );
    expect(await end(opened, await run(opened))).toBe("child_failed");
  });

  it("wait for a worker that has their code", async () => {
    const parent = flowing(async (t) => t.call("child", 1));
    const opened = await openWith(parent);
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    await expect(opened.settle(threadId)).rejects.toMatchObject({ code: "agent_not_found" });
    const complete = await openWith(parent, agent({ name: "child", flow: async () => "done" }));
    await complete.settle(threadId);
    expect(await end(complete, threadId)).toBe("done");
  });

  it("are cancelled with their parent", async () => {
    const opened = await openWith(
      flowing(async (t) => t.call("child", 1)),
      agent({ name: "child", flow: async (t) => t.wait("never") }),
    );
    const threadId = await run(opened);
    await cancelThread(opened.runtime, threadId, { by: "dana@example.com", why: "mistake" });
    const rows = (await opened.runtime.store.threads({})).rows;
    expect(rows.map((row) => row.status)).toEqual(["cancelled", "cancelled"]);
  });
});

describe("cancellation", () => {
  it("withdraws open requests and lets nothing run afterwards", async () => {
    const pay = payTool({ risk: "high" });
    const opened = await openWith(flowing(async (t) => t.act(pay, { cents: 1, note: "" }), { tools: [pay] }));
    const threadId = await run(opened);
    const [request] = await opened.openRequests();
    await cancelThread(opened.runtime, threadId, { by: "test", why: "mistake" });
    await cancelThread(opened.runtime, threadId, { by: "test", why: "again" });
    expect(await opened.openRequests()).toEqual([]);
    await expect(opened.decide(request?.requestId ?? "", { kind: "approve" })).rejects.toMatchObject({
      code: "request_already_decided",
    });
    await opened.settle(threadId);
    expect(pay.runs).toEqual([]);
  });

  it("leaves what had started in doubt, and a person can still say what became of it", async () => {
    const pay = payTool({ run: () => new Promise(() => {}) });
    const dead = await openWith(flowing(async (t) => t.act(pay, { cents: 1, note: "" }), { tools: [pay] }));
    const { threadId } = await startThread(dead.runtime, "a", null, { by: "test" });
    void dead.settle(threadId).catch(() => {});
    while (!(await dead.types(threadId)).includes("action_started"))
      await new Promise((resolve) => setImmediate(resolve));
    dead.clock.set(dead.clock.now() + 31_000); // its worker is dead
    const opened = await openWith(flowing(async () => 1));
    await cancelThread(opened.runtime, threadId, { by: "test", why: "enough" });
    expect((await opened.types(threadId)).slice(-2)).toEqual(["action_in_doubt", "thread_cancelled"]);
    const blank = { verdict: { kind: "not_done", why: " " }, by: "dana@example.com" } as const;
    await expect(settleAction(opened.runtime, threadId, "act:pay#1", blank)).rejects.toMatchObject({
      code: "verdict_invalid",
    });
    const verdict = { kind: "done", value: "seen at the bank" } as const;
    await settleAction(opened.runtime, threadId, "act:pay#1", { verdict, by: "dana@example.com" });
    expect((await opened.events(threadId)).at(-1)).toMatchObject({
      type: "action_completed",
      settledBy: "dana@example.com",
    });
    await expect(
      settleAction(opened.runtime, threadId, "act:pay#1", { verdict, by: "dana@example.com" }),
    ).rejects.toMatchObject({ code: "request_already_decided" });
    expect((await opened.runtime.store.verify({})).problems).toEqual([]);
  });

  it("tells a running tool to stop, and still records what it did", async () => {
    let stopped = false;
    const pay = payTool({
      run: (_args, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            stopped = true;
            resolve("had happened already");
          });
        }),
    });
    const opened = await openWith(flowing(async (t) => t.act(pay, { cents: 1, note: "" }), { tools: [pay] }));
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const settled = opened.settle(threadId);
    while (!(await opened.types(threadId)).includes("action_started"))
      await new Promise((resolve) => setImmediate(resolve));
    await cancelThread(opened.runtime, threadId, { by: "test", why: "mistake" });
    while (!stopped) {
      await opened.clock.advance(250); // the heartbeat finds the cancellation
      await new Promise((resolve) => setImmediate(resolve));
    }
    await settled;
    expect((await opened.types(threadId)).slice(-2)).toEqual(["thread_cancelled", "action_completed"]);
    expect((await opened.runtime.store.verify({})).problems).toEqual([]);
  });
});

describe("a flow that fails or ends oddly", () => {
  it.each([
    {
      name: "throws",
      flow: async () => Promise.reject(new TypeError("x is not a function")),
      code: "flow_failed",
    },
    { name: "returns what JSON cannot hold", flow: async () => new Map(), code: "not_json" },
    { name: "throws no error", flow: async () => Promise.reject("text"), code: "flow_failed" },
  ])("fails the thread with a clear error: it $name", async ({ flow, code }) => {
    const opened = await openWith(flowing(flow));
    expect(await end(opened, await run(opened))).toMatchObject({ code });
  });

  it("asks a person when it awaits something that is no operation", async () => {
    const opened = await openWith(flowing(async () => new Promise(() => {})));
    await run(opened);
    expect(await opened.openRequests()).toMatchObject([{ opened: { reason: "flow_stuck" } }]);
  });

  it("waits for effects that it started and did not await", async () => {
    const pay = payTool();
    const flow: Flow = async (t) => {
      void t.act(pay, { cents: 1, note: "" });
      await t.step("a", () => 1);
      return "early";
    };
    const opened = await openWith(flowing(flow, { tools: [pay] }));
    const threadId = await run(opened);
    const types = await opened.types(threadId);
    expect(types.at(-1)).toBe("thread_completed");
    expect(types.includes("action_completed")).toBe(pay.runs.length === 1);
  });
});

describe("starting", () => {
  it("refuses input that the agent's schema refuses", async () => {
    const opened = await openWith(
      agent({ name: "a", input: z.object({ id: z.string() }), flow: async () => 1 }),
    );
    await expect(run(opened, { id: 5 })).rejects.toMatchObject({ code: "invalid_input" });
    await expect(run(opened, {}, "unknown")).rejects.toMatchObject({
      code: "agent_not_found",
      fix: expect.stringContaining("a"),
    });
  });

  it("starts once per key", async () => {
    const opened = await openWith(flowing(async () => 1));
    const starts = await Promise.all(
      [1, 2, 3].map(() => startThread(opened.runtime, "a", null, { by: "test", key: "mail-1" })),
    );
    expect(new Set(starts.map((start) => start.threadId)).size).toBe(1);
    expect(starts.filter((start) => start.created)).toHaveLength(1);
  });
});

describe("a fork", () => {
  it("goes its own way from an event on, and leaves the original as it was", async () => {
    const flow: Flow = async (t) => [await t.step("load", () => 1), await t.wait("go")];
    const opened = await openWith(flowing(flow));
    const threadId = await run(opened);
    const before = await opened.events(threadId);
    const forkId = await forkThread(opened.runtime, threadId, { at: 2, by: "test" });
    await opened.settle(forkId);
    await sendSignal(opened.runtime, forkId, { signal: "go", value: "fork", by: "test" });
    await opened.settle(forkId);
    expect(await end(opened, forkId)).toMatchObject([1, { value: "fork" }]);
    expect(await opened.events(threadId)).toEqual(before);
    await expect(forkThread(opened.runtime, threadId, { at: 99, by: "test" })).rejects.toMatchObject({
      code: "usage",
    });
  });

  it("asks again for an approval that was not used: one approval starts one action", async () => {
    const pay = payTool({ risk: "high" });
    const opened = await openWith(flowing(async (t) => t.act(pay, { cents: 1, note: "" }), { tools: [pay] }));
    const threadId = await run(opened);
    await opened.decide((await opened.openRequests())[0]?.requestId ?? "", { kind: "approve" });
    const forkId = await forkThread(opened.runtime, threadId, { at: 4, by: "test" });
    await opened.settle(forkId);
    expect(pay.runs).toEqual([]);
    expect(await opened.openRequests()).toMatchObject([{ threadId: forkId }]);
    await opened.settle(threadId);
    expect(pay.runs).toHaveLength(1);
  });
});

describe("secrets", () => {
  it("reach no event, wherever they turn up", async () => {
    const secret = "sk-very-secret-value";
    const flow: Flow = async (t) => {
      await t.step("leaks", () => ({ header: `Bearer ${secret}`, [secret]: [secret] }));
      await t
        .step("fails", () => Promise.reject(new Error(`401 for ${secret}`)), { attempts: 1 })
        .catch(() => null);
      return secret;
    };
    const secrets = new Map([["API_KEY", secret]]);
    const opened = await openRuntime({ agents: [flowing(flow)], secrets });
    const threadId = await run(opened, `my key is ${secret}`);
    expect(JSON.stringify(await opened.events(threadId))).not.toContain(secret);
    expect(await end(opened, threadId)).toBe("[secret API_KEY]");
  });
});
