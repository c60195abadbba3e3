// Findings of a review of the session: each of these failed when it was written.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Agent, type AgentDefinition, agent } from "../../src/core/agent.ts";
import { defaultFlow } from "../../src/core/default-flow.ts";
import { HoldpointError } from "../../src/core/errors.ts";
import type { Flow } from "../../src/core/flow.ts";
import type { Store } from "../../src/ports/store.ts";
import { cancelThread, handleOperation, sendSignal, startThread } from "../../src/runtime/commands.ts";
import type { Hint, RuntimeOptions } from "../../src/runtime/runtime.ts";
import { settleThreads, startWorker } from "../../src/runtime/worker.ts";
import { faultPoints } from "../../src/testing/fault-points.ts";
import { calls, payTool, runtimesOfEachTest, type TestRuntime, turns } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();

async function openWith(
  agents: readonly Agent[],
  options: Partial<RuntimeOptions> = {},
): Promise<TestRuntime> {
  const { agents: _agents, clock: _clock, ...rest } = options;
  return openRuntime({ ...rest, agents });
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const flowing = (
  flow: Flow,
  more: Partial<AgentDefinition<unknown, unknown, unknown>> = {},
  name = "a",
): Agent => agent({ name, ...more, flow });

async function run(opened: TestRuntime, name = "a", input: unknown = null): Promise<string> {
  const { threadId } = await startThread(opened.runtime, name, input, { by: "test" });
  await opened.settle(threadId);
  return threadId;
}

/** Settles, and says whether it came to rest by itself: a loop without pause is stopped after a second. */
async function comesToRest(opened: TestRuntime, threadId: string): Promise<boolean> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 1_000);
  await settleThreads(opened.runtime, [threadId], { signal: stop.signal, patienceMs: 0 });
  clearTimeout(timer);
  return !stop.signal.aborted;
}

async function dueAt(opened: TestRuntime, threadId: string): Promise<number | null> {
  const at = (await opened.runtime.store.threads({ threadId })).rows[0]?.dueAt ?? null;
  return at === null ? null : Date.parse(at);
}

describe("what an effect gave (S2)", () => {
  it("is kept when something else in the thread cannot go on", async () => {
    const paying = Promise.withResolvers<void>();
    const pay = payTool({
      run: async () => {
        await paying.promise;
        return "paid";
      },
    });
    const flow: Flow = async (t) =>
      Promise.all([t.act(pay, { cents: 1, note: "" }), t.call("an agent of another worker", null)]);
    const opened = await openWith([flowing(flow, { tools: [pay] })]);
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const settled = opened.settle(threadId).catch(() => {});
    for (let turn = 0; turn < 200; turn++) await tick();
    paying.resolve();
    await settled;
    expect(await opened.types(threadId)).toContain("action_completed");
  });

  it.each([
    { name: "once", effect: "once", readFails: false },
    { name: "repeatable", effect: "repeatable", readFails: false },
    { name: "once, and the store fails to read as well", effect: "once", readFails: true },
  ] as const)(
    "is kept when the store fails to append it, while the lease lasts: $name",
    async ({ effect, readFails }) => {
      const pay = payTool({ effect });
      const flow: Flow = async (t) => t.act(pay, { cents: 1, note: "" });
      const first = await openWith([flowing(flow, { tools: [pay] })]);
      const real = first.runtime.store;
      const faults = { append: 1, read: 0 };
      const away = new HoldpointError("store_unavailable", "the disk is away", { retryable: true });
      const store: Store = {
        ...real,
        async append(append) {
          const isResult = append.events.some(({ body }) => body.type === "action_completed");
          if (!isResult || faults.append === 0) return real.append(append);
          faults.append -= 1;
          faults.read = readFails ? 1 : 0;
          throw away;
        },
        async read(threadId, options) {
          if (faults.read === 0) return real.read(threadId, options);
          faults.read -= 1;
          throw away;
        },
      };
      const opened = await openWith([flowing(flow, { tools: [pay] })], { store });
      const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
      const settled = opened.settle(threadId).catch(() => {});
      for (let step = 0; step < 20; step++) await opened.clock.advance(100);
      await settled;
      expect(pay.runs).toHaveLength(1);
      expect(await opened.types(threadId)).toContain("action_completed");
    },
  );

  it.each(["decision_made", "decision_rejected", "overflow_reported", "window_compacted"] as const)(
    "is in the log once when the store has it and says that it failed: %s",
    async (type) => {
      const agents = (): readonly Agent[] => {
        const look = payTool({ name: "look", effect: "read", run: () => "word ".repeat(300) });
        const looks = Array.from({ length: 4 }, () => calls(["look", { cents: 1 }]));
        const tooLong = new HoldpointError("model_overflow", "prompt is too long");
        const model = turns(...looks, tooLong, { text: "hal", finish: "length" }, { text: "done" });
        const summary = { model: turns(...looks.map(() => ({ text: "Looked." }))) };
        const limits = { identicalCalls: 100 };
        return [flowing(defaultFlow, { tools: [look], model, limits, window: { budget: 900, summary } })];
      };
      const { store: real } = (await openWith(agents())).runtime;
      let fails = 1;
      const store: Store = {
        ...real,
        async append(append) {
          const seq = await real.append(append);
          if (fails === 0 || !append.events.some(({ body }) => body.type === type)) return seq;
          fails -= 1;
          throw new HoldpointError("store_unavailable", "the disk is away", { retryable: true });
        },
      };
      const opened = await openWith(agents(), { store });
      const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
      const settled = opened.settle(threadId).catch(() => {});
      for (let step = 0; step < 30; step++) await opened.clock.advance(100);
      await settled;
      const events = await opened.events(threadId);
      expect(fails).toBe(0);
      expect(events.at(-1)?.type).toBe("thread_completed");
      const tries = events.flatMap((each) =>
        each.type === "window_compacted"
          ? [`${each.type} ${each.toSeq}`]
          : "attempt" in each && "model" in each
            ? [`${each.type} ${each.key} ${each.attempt}`]
            : [],
      );
      expect(new Set(tries).size).toBe(tries.length);
    },
  );

  it("adds nothing but the outcome of actions to a thread that was cancelled during a graceful stop", async () => {
    const slow = Promise.withResolvers<number>();
    const a = flowing(async (t) => t.step("slow", () => slow.promise));
    const opened = await openWith([a]);
    const worker = startWorker(opened.runtime);
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    while (opened.clock.pending < 3) await tick();
    const closing = worker.close();
    await tick();
    await cancelThread(opened.runtime, threadId, { by: "test", why: "enough" });
    slow.resolve(1);
    await closing;
    expect(await opened.types(threadId)).toEqual(["thread_started", "thread_cancelled"]);
  });
});

describe("a thread that waits for people", () => {
  it("does not spin on a timer that came due while its changed flow waits for a person", async () => {
    const before = await openWith([flowing(async (t) => t.sleep("1h"))]);
    const threadId = await run(before);
    const opened = await openWith([flowing(async (t) => t.wait("other"))]);
    await opened.settle(threadId);
    expect(await opened.openRequests()).toMatchObject([{ opened: { reason: "flow_changed" } }]);
    await opened.clock.advance(2 * 3_600_000);
    expect(await comesToRest(opened, threadId)).toBe(true);
    expect((await dueAt(opened, threadId)) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(opened.clock.now());
  });

  it("does not spin on a model's retry when a limit sends it to a person", async () => {
    const model = turns({ text: "" }, { text: "fine" }); // the first is no answer, and is asked for again at once
    const a = agent({ name: "a", model, limits: { tokens: 10 } });
    const opened = await openWith([a]);
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const rested = await comesToRest(opened, threadId);
    expect(await opened.openRequests()).toMatchObject([{ opened: { reason: "limit" } }]);
    expect(rested).toBe(true);
    expect((await dueAt(opened, threadId)) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(opened.clock.now());
  });

  it("does not spin on a timer that a person marked as handled", async () => {
    const before = await openWith([flowing(async (t) => t.sleep("1h"))]);
    const threadId = await run(before);
    const opened = await openWith([flowing(async (t) => t.wait("other"))]);
    await opened.settle(threadId);
    await handleOperation(opened.runtime, threadId, "sleep#1", { by: "dana", why: "not needed" });
    await opened.clock.advance(2 * 3_600_000);
    expect(await comesToRest(opened, threadId)).toBe(true);
  });

  it("closes the request of an operation that a person marked as handled", async () => {
    const pay = payTool({ risk: "high" });
    const before = await openWith([
      flowing(async (t) => t.act(pay, { cents: 1, note: "" }), { tools: [pay] }),
    ]);
    const threadId = await run(before);
    const opened = await openWith([flowing(async (t) => t.wait("go"), { tools: [pay] })]);
    await opened.settle(threadId);
    await handleOperation(opened.runtime, threadId, "act:pay#1", { by: "dana", why: "not needed" });
    await opened.settle(threadId);
    expect(await opened.openRequests()).toEqual([]);
  });

  it("closes the request of an action that was denied meanwhile, because its tool is gone", async () => {
    const pay = payTool({ risk: "high" });
    const flow: Flow = async (t) => [
      await t.act([{ callId: "c", tool: "pay", args: { cents: 1 } }]),
      await t.wait("go"),
    ];
    const before = await openWith([flowing(flow, { tools: [pay] })]);
    const threadId = await run(before);
    const opened = await openWith([flowing(flow)]);
    await sendSignal(opened.runtime, threadId, { signal: "any", value: 1, by: "test" });
    await opened.settle(threadId);
    expect(await opened.openRequests()).toEqual([]);
  });

  it("takes two signals with two waits for one name that were begun one after the other", async () => {
    const flow: Flow = async (t) => {
      const first = t.wait("paid");
      await t.step("between", () => 1);
      const second = t.wait("paid");
      return Promise.all([first, second]);
    };
    const opened = await openWith([flowing(flow)]);
    const threadId = await run(opened);
    for (const value of [1, 2])
      await sendSignal(opened.runtime, threadId, { signal: "paid", value, by: "test" });
    await opened.settle(threadId);
    expect(await opened.types(threadId)).toContain("thread_completed");
  });

  it("tells in its end who stopped it, not that they let it go on", async () => {
    const opened = await openWith([flowing(async () => new Promise(() => {}))]);
    const threadId = await run(opened);
    await opened.decide((await opened.openRequests())[0]?.requestId ?? "", { kind: "stop" });
    await opened.settle(threadId);
    const end = (await opened.events(threadId)).at(-1);
    expect(end?.type === "thread_failed" && end.error.message).not.toContain("dana@example.com let it go on");
  });
});

describe("a lease", () => {
  it("stays with its live holder when the clock is set back", async () => {
    const a = flowing(async (t) => t.step("slow", () => new Promise(() => {}), { timeout: "9h" }));
    const opened = await openWith([a]);
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const stop = new AbortController();
    const settled = settleThreads(opened.runtime, [threadId], { signal: stop.signal });
    while (opened.clock.pending < 2) await tick(); // the heartbeat, the step's deadline
    opened.clock.set(opened.clock.now() - 3_600_000);
    for (let beat = 0; beat < 8; beat++) await opened.clock.advance(250);
    const { store, clock } = opened.runtime;
    expect(await store.lease({ threadId, owner: "other", ttlMs: 30_000, now: clock.now() })).toBeNull();
    stop.abort();
    for (let second = 0; second < 15; second++) await opened.clock.advance(1_000);
    await settled;
  });
});

describe("a renewal that fails", () => {
  it("is told of as the error that it was", async () => {
    const a = flowing(async (t) => t.step("slow", () => new Promise(() => {}), { timeout: "9h" }));
    const opened = await openWith([a]);
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const full = new HoldpointError("store_full", "the disk is full", { fix: "Make room." });
    const { store } = faultPoints(opened.runtime.store, {
      throwAt: {
        call: ({ method }, [request]) => method === "lease" && Object.hasOwn(request as object, "number"),
        when: "before",
        error: full,
      },
    });
    const told: unknown[] = [];
    const observe = (hint: Hint) => hint.kind === "problem" && told.push(hint.error);
    const stop = new AbortController();
    const settled = settleThreads({ ...opened.runtime, store, observe }, [threadId], { signal: stop.signal });
    while (opened.clock.pending < 2) await tick(); // the heartbeat, the step's deadline
    for (let second = 0; second < 15; second++) await opened.clock.advance(1_000);
    expect(told[0]).toBe(full);
    stop.abort();
    for (let second = 0; second < 15; second++) await opened.clock.advance(1_000);
    await settled;
  });
});

describe("settling several threads", () => {
  it("runs the others to their end when one of them cannot be run", async () => {
    const slow = flowing(async (t) => {
      for (let step = 0; step < 20; step++) await t.step(`step ${step}`, tick);
      return 1;
    });
    const stranger = await openWith([flowing(async () => 1, {}, "stranger")]);
    const lost = await startThread(stranger.runtime, "stranger", null, { by: "test" });
    const opened = await openWith([slow]);
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const signal = new AbortController().signal;
    await settleThreads(opened.runtime, [lost.threadId, threadId], { signal }).catch(() => {});
    expect(await opened.types(threadId)).toContain("thread_completed");
  });
});

describe("user code that throws while the thread is planned", () => {
  const throwing = {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: () => {
        throw new Error("the validator broke");
      },
      jsonSchema: { input: () => ({ type: "object" }) },
    },
  };
  const broken = payTool({ input: throwing as never });

  it.each([
    {
      name: "a prompt",
      a: flowing(async (t) => t.decide(), { prompt: () => JSON.parse("{"), model: turns({ text: "x" }) }),
    },
    {
      name: "a getter in see",
      a: flowing(
        async (t) =>
          t.decide({
            see: {
              get x(): number {
                throw new Error("no");
              },
            },
          }),
        { model: turns({ text: "x" }) },
      ),
    },
    { name: "a duration of sleep", a: flowing(async (t) => t.sleep("a week" as never)) },
    { name: "a sleep beyond all dates", a: flowing(async (t) => t.sleep(1e17)) },
    { name: "a step's timeout", a: flowing(async (t) => t.step("x", () => 1, { timeout: "soon" as never })) },
    {
      name: "an answer's schema without JSON Schema",
      a: flowing(async (t) => t.ask("when?", { answer: z.date() })),
    },
    { name: "a child's input that JSON cannot hold", a: flowing(async (t) => t.call("a", { n: 1n })) },
    {
      name: "a tool's schema",
      a: flowing(async (t) => t.act(broken, { cents: 1, note: "" }), { tools: [broken] }),
    },
  ])(
    "is told to the flow, to a person, or in the thread's end, not tried again for ever: $name",
    async ({ a }) => {
      const opened = await openWith([a]);
      const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
      await opened.settle(threadId).catch(() => {});
      const known = await opened.types(threadId);
      expect(known.some((type) => type !== "thread_started")).toBe(true);
    },
  );

  it("does not call (and pay) the model again and again when a tool's schema throws", async () => {
    let generated = 0;
    const call = calls(["pay", { cents: 1 }]);
    const generate = () => {
      generated += 1;
      return call;
    };
    const model = turns(...Array.from({ length: 20 }, () => generate));
    const opened = await openWith([agent({ name: "a", model, tools: [broken] })]);
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    for (let turn = 0; turn < 12; turn++) {
      await opened.settle(threadId).catch(() => {});
      await opened.clock.advance(60_000);
    }
    expect(generated).toBeLessThan(8);
  });
});

describe("children", () => {
  const child = flowing(async (t) => t.wait("never"), {}, "child");

  async function childStatus(opened: TestRuntime, threadId: string): Promise<string | undefined> {
    return (await opened.runtime.store.threads({ parentId: threadId })).rows[0]?.status;
  }

  it("are not started after their parent was cancelled", async () => {
    const parent = flowing(async (t) => t.call("child", null), {}, "parent");
    const first = await openWith([parent, child]);
    const real = first.runtime.store;
    let cancelled = false;
    const store: Store = {
      ...real,
      async threads(query) {
        const page = await real.threads(query);
        if (!cancelled && query.threadId?.startsWith("th_") && page.rows.length === 0) {
          cancelled = true; // between the intent and the child's start
          await cancelThread(first.runtime, parentId, { by: "test", why: "enough" });
        }
        return page;
      },
    };
    const opened = await openWith([parent, child], { store });
    const { threadId: parentId } = await startThread(opened.runtime, "parent", null, { by: "test" });
    await opened.settle(parentId);
    expect(cancelled).toBe(true);
    expect([undefined, "cancelled"]).toContain(await childStatus(opened, parentId));
  });

  it("do not outlive a parent that failed, or went on without them", async () => {
    const parent = flowing(
      async (t) => Promise.race([t.call("child", null), t.step("fast", () => 1)]),
      {},
      "parent",
    );
    const opened = await openWith([parent, child]);
    const threadId = await run(opened, "parent");
    expect(await opened.types(threadId)).toContain("thread_completed");
    expect([undefined, "cancelled"]).toContain(await childStatus(opened, threadId));
  });

  it("hand a large result to their parent", async () => {
    const parent = flowing(async (t) => String(await t.call("child", null)).length, {}, "parent");
    const opened = await openWith([parent, flowing(async () => "x".repeat(100_000), {}, "child")]);
    const { threadId } = await startThread(opened.runtime, "parent", null, { by: "test" });
    await expect(opened.settle(threadId)).resolves.toBeUndefined();
    expect(await opened.types(threadId)).toContain("thread_completed");
  });

  it("take a large input that their schema changes or refuses, and the parent can still be resumed", async () => {
    const parent = flowing(
      async (t) => [await t.call("child", { text: "x".repeat(100_000) }), await t.wait("go")],
      {},
      "parent",
    );
    const changing = agent({
      name: "child",
      input: z.object({ text: z.string(), more: z.string().default("a default") }),
      flow: async () => 1,
    });
    const opened = await openWith([parent, changing]);
    const threadId = await run(opened, "parent");
    await sendSignal(opened.runtime, threadId, { signal: "go", value: 1, by: "test" });
    await expect(opened.settle(threadId)).resolves.toBeUndefined();
    expect(await opened.types(threadId)).toContain("thread_completed");
  });
});
