// Findings of a review of values, secrets, windows and people (I6, I7, I11): each of these failed when it was written.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Agent, type AgentDefinition, agent } from "../../src/core/agent.ts";
import type { Flow } from "../../src/core/flow.ts";
import { canonicalJson, toJson } from "../../src/core/json.ts";
import { handleOperation, sendSignal, startThread } from "../../src/runtime/commands.ts";
import type { RuntimeOptions } from "../../src/runtime/runtime.ts";
import { settleThreads } from "../../src/runtime/worker.ts";
import { calls, payTool, runtimesOfEachTest, type TestRuntime, turns } from "../kit/runtime.ts";

const secret = "sk-very-secret-value";
const secrets = new Map([["KEY", secret]]);

const openRuntime = runtimesOfEachTest();

async function openWith(
  agents: readonly Agent[],
  options: Partial<RuntimeOptions> = {},
): Promise<TestRuntime> {
  const { agents: _agents, clock: _clock, ...rest } = options;
  return openRuntime({ ...rest, agents });
}

const flowing = (flow: Flow, more: Partial<AgentDefinition<unknown, unknown, unknown>> = {}): Agent =>
  agent({ name: "a", ...more, flow });

async function run(opened: TestRuntime, input: unknown = null): Promise<string> {
  const { threadId } = await startThread(opened.runtime, "a", input, { by: "test" });
  await opened.settle(threadId);
  return threadId;
}

describe("secrets (I11)", () => {
  it.each([
    { name: "a step's result", flow: async (t) => t.step("big", () => [secret, "x".repeat(100_000)]) },
    { name: "a flow's output", flow: async () => [secret, "x".repeat(100_000)] },
    { name: "an input", flow: async () => null, input: [secret, "x".repeat(100_000)] },
  ] satisfies { name: string; flow: Flow; input?: unknown }[])(
    "reach no artifact: $name",
    async ({ flow, ...rest }) => {
      const opened = await openWith([flowing(flow)], { secrets });
      const threadId = await run(opened, "input" in rest ? rest.input : null);
      const digests = JSON.stringify(await opened.events(threadId)).match(/"digest":"[0-9a-f]{64}"/g) ?? [];
      expect(digests.length).toBeGreaterThan(0);
      for (const digest of digests)
        expect(await opened.runtime.store.artifact(digest.slice(10, -1))).not.toContain(secret);
    },
  );

  it.each([
    { name: "cut at its end", key: secret, text: "y".repeat(390) + secret },
    {
      name: "with a line break, as keys in PEM have",
      key: "first-half-\nsecond-half",
      text: "first-half-\nsecond-half",
    },
  ])("reach no preview in part: $name", async ({ key, text }) => {
    const flow: Flow = async (t) => t.step("big", () => text + "x".repeat(100_000)).then(() => null);
    const opened = await openWith([flowing(flow)], { secrets: new Map([["KEY", key]]) });
    const log = JSON.stringify(await opened.events(await run(opened)));
    expect(log).not.toContain(key.slice(0, 7));
  });

  it("reach no error in part", async () => {
    const flow: Flow = async (t) =>
      t.step("fails", () => Promise.reject(new Error("y".repeat(1_990) + secret)), { attempts: 1 });
    const opened = await openWith([flowing(flow)], { secrets });
    expect(JSON.stringify(await opened.events(await run(opened)))).not.toContain(secret.slice(0, 9));
  });

  it("reach no model", async () => {
    const model = turns({ text: "done" });
    const opened = await openWith([flowing(async (t) => t.decide({ see: { header: secret } }), { model })], {
      secrets,
    });
    await run(opened);
    expect(JSON.stringify(model.inputs)).not.toContain(secret);
  });

  it("change no key of an operation, whatever they are", async () => {
    let runs = 0;
    const flow: Flow = async (t) => t.step("query postgres", () => ++runs);
    const opened = await openWith([flowing(flow)], { secrets: new Map([["DB_PASSWORD", "postgres"]]) });
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 500);
    await settleThreads(opened.runtime, [threadId], { signal: stop.signal });
    clearTimeout(timer);
    expect(runs).toBe(1);
  });
});

describe("a window (I7)", () => {
  it("is not over its budget by the note about what was left out", async () => {
    const pay = payTool();
    const counter = { name: "characters", count: (text: string) => text.length };
    const tokensWith = async (budget: number): Promise<readonly number[]> => {
      const model = turns(calls(["pay", { cents: 1 }]), { text: "done" });
      const opened = await openWith([agent({ name: "a", model, tools: [pay], window: { budget } })], {
        counter,
      });
      return (await opened.events(await run(opened))).flatMap((one) =>
        one.type === "decision_made" ? [one.window.tokens] : [],
      );
    };
    const [pinned = 0] = await tokensWith(100_000);
    for (const extra of [0, 1, 20])
      expect(Math.max(...(await tokensWith(pinned + extra)))).toBeLessThanOrEqual(pinned + extra);
  });
});

describe("a decision", () => {
  it("counts outputs that do not validate apart from calls that fail", async () => {
    const model = turns(new Error("down"), new Error("down"), { text: "" }, { text: "fine" });
    const opened = await openWith([agent({ name: "a", model })]);
    const threadId = await run(opened);
    for (let attempt = 0; attempt < 4; attempt++) {
      await opened.clock.advance(60_000);
      await opened.settle(threadId);
    }
    expect(await opened.types(threadId)).toContain("thread_completed");
  });
});

describe("an answer", () => {
  it.each([
    {
      name: "is refused when the whole schema refuses it",
      answer: z.string().refine((text) => text.startsWith("A")),
      given: "B7",
      want: "refused",
    },
    {
      name: "is handed over as the schema makes it",
      answer: z.object({ cents: z.number().default(5) }),
      given: {},
      want: { cents: 5 },
    },
  ])("$name", async ({ answer, given, want }) => {
    const opened = await openWith([flowing(async (t) => t.ask("Which?", { answer }))]);
    const threadId = await run(opened);
    const [request] = await opened.openRequests();
    const refused = await opened.decide(request?.requestId ?? "", { kind: "answer", value: given }).then(
      () => false,
      () => true,
    );
    await opened.settle(threadId);
    const end = (await opened.events(threadId)).at(-1);
    const got = end?.type === "thread_completed" ? (end.output.value as { value: unknown }).value : null;
    expect(want === "refused" ? refused || got === null : got).toEqual(want === "refused" ? true : want);
  });
});

describe("marking an operation as handled", () => {
  async function changed(): Promise<{ opened: TestRuntime; threadId: string }> {
    const before = await openWith([flowing(async (t) => t.wait("old"))]);
    const threadId = await run(before);
    const opened = await openWith([flowing(async (t) => t.wait("new"))]);
    await opened.settle(threadId);
    return { opened, threadId };
  }

  it("is for people, since it answers a request", async () => {
    const { opened, threadId } = await changed();
    await expect(
      handleOperation(opened.runtime, threadId, "wait:old#1", { by: "agent:a", why: "I say so" }),
    ).rejects.toMatchObject({ code: "not_an_approver" });
  });

  it("answers no request whose deadline has passed (I6)", async () => {
    const { opened, threadId } = await changed();
    await opened.clock.advance(48 * 3_600_000);
    await handleOperation(opened.runtime, threadId, "wait:old#1", { by: "dana", why: "late" }).catch(
      () => {},
    );
    expect(await opened.types(threadId)).not.toContain("request_decided");
  });
});

describe("a mistake in a flow", () => {
  it("does not become an unhandled rejection, which would end the worker with all its threads", async () => {
    const rejections: unknown[] = [];
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (reason) => rejections.push(reason));
    try {
      const flow: Flow = async (t) => {
        const first = t.step("x", () => 1);
        const second = t.step("x", () => 2); // ambiguous
        return [await first, await second];
      };
      await run(await openWith([flowing(flow)]));
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.removeAllListeners("unhandledRejection");
      for (const listener of others) process.on("unhandledRejection", listener);
    }
    expect(rejections).toEqual([]);
  });
});

describe("an observer that throws", () => {
  it("changes nothing for the thread", async () => {
    const pay = payTool();
    const flow: Flow = async (t) => t.act(pay, { cents: 1, note: "" });
    const opened = await openWith([flowing(flow, { tools: [pay] })], {
      observe: ({ kind }) => {
        if (kind === "performing") throw new Error("the display broke");
      },
    });
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    await opened.settle(threadId).catch(() => {});
    expect(await opened.types(threadId)).toContain("action_completed");
  });
});

describe("values", () => {
  it.each([
    { name: "an error", value: new Error("lost") },
    { name: "a promise that nobody awaited", value: Promise.resolve(1) },
    { name: "a regular expression", value: /x/ },
    { name: "a weak map", value: new WeakMap() },
  ])("are refused, not emptied, when JSON cannot hold them: $name", ({ value }) => {
    expect(() => toJson({ value })).toThrow();
  });

  it("have one canonical form, also with holes in an array", () => {
    const holes = new Array(2);
    holes[1] = 1;
    const value = toJson(holes);
    expect(canonicalJson(value)).toBe(canonicalJson(JSON.parse(JSON.stringify(value))));
  });

  it.each([
    { name: "no JSON", value: 1n, code: "not_json" },
    { name: "too large", value: "x".repeat(20_000_000), code: "result_too_large" },
  ])("of a signal are refused with a code when they are $name", async ({ value, code }) => {
    const opened = await openWith([flowing(async (t) => t.wait("go"))]);
    const threadId = await run(opened);
    await expect(
      sendSignal(opened.runtime, threadId, { signal: "go", value: value as never, by: "test" }),
    ).rejects.toMatchObject({ code });
  });
});

describe("limits", () => {
  it.each([Number.NaN, -1])("are refused when they limit nothing or everything: %s", (steps) => {
    expect(() => agent({ name: "a", limits: { steps } })).toThrow();
  });
});
