// What a thread does about its models: asking the next one, waiting, shrinking the window, asking a person.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { HoldpointError } from "../../src/core/errors.ts";
import type { Flow } from "../../src/core/flow.ts";
import { window } from "../../src/core/window/settings.ts";
import { modelLimiter } from "../../src/models/limit-model.ts";
import type { Model, ModelInput } from "../../src/ports/model.ts";
import { startThread } from "../../src/runtime/commands.ts";
import type { Hint } from "../../src/runtime/runtime.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { eventsOf, oneAgentOfEachTest, runAgent } from "../kit/one-agent.ts";
import { calls, payTool, type TestRuntime, type Turn, turns } from "../kit/runtime.ts";

const openWith = oneAgentOfEachTest();

async function end(opened: TestRuntime, threadId: string): Promise<unknown> {
  const last = (await opened.events(threadId)).at(-1);
  return last?.type === "thread_completed" ? last.output.value : last?.type;
}

const down = (message = "down"): HoldpointError =>
  new HoldpointError("model_failed", message, { retryable: true });
const refused = (): HoldpointError =>
  new HoldpointError("model_failed", "no access", { fix: "Check the key." });
const overflow = (limitTokens?: number): HoldpointError =>
  new HoldpointError("model_overflow", "prompt is too long", {
    details: limitTokens === undefined ? {} : { limitTokens },
  });

function named(id: string, ...script: readonly Turn[]): Model & { readonly inputs: readonly ModelInput[] } {
  return Object.assign(turns(...script), { id });
}

describe("several models", () => {
  it("are asked in order, each at once when the one before failed, and the log names them", async () => {
    const model = [named("m/1", down("first")), named("m/2", refused()), named("m/3", { text: "here" })];
    const opened = await openWith({ model });
    const threadId = await runAgent(opened);
    expect(await end(opened, threadId)).toBe("here");
    const rejections = await eventsOf(opened, threadId, "decision_rejected");
    expect(rejections.map(({ model, error }) => [model, error.message])).toEqual([
      ["m/1", "first"],
      ["m/2", "no access"],
    ]);
    expect((await eventsOf(opened, threadId, "decision_made"))[0]?.model).toBe("m/3");
  });

  it("include those that cannot even be found", async () => {
    const opened = await openWith({ model: ["nobody/model", named("m/2", { text: "here" })] });
    const threadId = await runAgent(opened);
    expect(await end(opened, threadId)).toBe("here");
    expect((await eventsOf(opened, threadId, "decision_rejected"))[0]).toMatchObject({
      model: "nobody/model",
      error: { code: "model_unavailable" },
    });
  });

  it("are all asked again after a wait when one of them may come back, and then a person is asked", async () => {
    const flaky = named("m/1", down(), down(), down());
    const locked = named("m/2", refused(), refused(), refused());
    const opened = await openWith({ model: [flaky, locked], limits: { modelFailures: 1 } });
    const threadId = await runAgent(opened);
    expect([flaky.inputs.length, locked.inputs.length]).toEqual([1, 1]);
    await opened.clock.advance(60_000);
    await opened.settle(threadId);
    expect([flaky.inputs.length, locked.inputs.length]).toEqual([2, 2]);
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({ reason: "model_failed", why: "no access (4 tries)" });
    expect(request?.opened.question).toContain("Check the key.");
  });

  it("go to a person at once when none can come back", async () => {
    const opened = await openWith({ model: [named("m/1", refused()), named("m/2", refused())] });
    await runAgent(opened);
    expect((await opened.openRequests())[0]?.opened.reason).toBe("model_failed");
  });
});

describe("models that fail each in its own way", () => {
  const later = (retryAfterMs: number): HoldpointError =>
    new HoldpointError("model_throttled", "slow down", { retryable: true, retryAfterMs });

  async function nextTryMs(...scripts: readonly (readonly Turn[])[]): Promise<number | null> {
    const model = scripts.map((script, index) => named(`m/${index}`, ...script));
    const opened = await openWith({ model });
    const threadId = await runAgent(opened);
    const last = (await eventsOf(opened, threadId, "decision_rejected")).at(-1);
    return last?.retryAt ? Date.parse(last.retryAt) - opened.clock.now() : null;
  }

  it("are asked again when the first of them is back", async () => {
    expect(await nextTryMs([later(5_000)], [later(3_600_000)])).toBeLessThan(10_000);
    expect(await nextTryMs([later(3_600_000)], [later(5_000)])).toBeLessThan(10_000);
    expect(await nextTryMs([down()], [later(3_600_000)])).toBeLessThan(10_000);
  });

  it("are not asked before the only one that comes back is there", async () => {
    expect(await nextTryMs([later(600_000)], [refused()])).toBeGreaterThanOrEqual(600_000);
  });

  it("are asked again when one failed by an error of nobody's making", async () => {
    expect(await nextTryMs([new Error("socket hang up")], [refused()])).not.toBeNull();
  });

  it("are not asked again for an output that was none", async () => {
    const opened = await openWith({
      model: [named("m/0", refused()), named("m/1", calls(["rob", {}]), refused())],
    });
    await runAgent(opened);
    expect((await opened.openRequests())[0]?.opened.reason).toBe("model_failed");
  });

  it("and one with too little room for what must be shown, do not end the thread", async () => {
    const facts = (id: string) => (id === "m/small" ? { contextTokens: 100 } : undefined);
    const prompt = "p ".repeat(200);
    for (const order of [
      ["m/small", "m/large"],
      ["m/large", "m/small"],
    ] as const) {
      const model = order.map((id) => named(id, ...(id === "m/large" ? [down(), { text: "fine" }] : [])));
      const opened = await openWith({ model, prompt }, { modelFacts: facts });
      const threadId = await runAgent(opened);
      await opened.clock.advance(60_000);
      await opened.settle(threadId);
      expect(await end(opened, threadId)).toBe("fine");
    }
  });

  it("and one whose input never fits, hand over to the next", async () => {
    const model = [named("m/a", overflow(60), overflow(60)), named("m/b", { text: "fine" })];
    const opened = await openWith({ model, prompt: "p ".repeat(200) });
    expect(await end(opened, await runAgent(opened))).toBe("fine");
  });
});

describe("a Model that keeps no form", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const deep: unknown = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
  const call = (args: unknown, more: object = {}) => ({
    calls: [{ callId: "1", tool: "pay", args, ...more }],
  });
  const malformed: readonly (readonly [string, unknown])[] = [
    ["a bigint among the arguments", call({ cents: 1n })],
    ["arguments in a circle", call(cyclic)],
    ["arguments nested too deep", call(deep)],
    ["a call without a tool", { calls: [{ callId: "1", args: {} }] }],
    ["no text", { text: undefined, calls: [], finish: "stop" }],
    ["calls that are no list", { calls: 7 }],
    ["an unknown finish", { text: "ok", finish: "done" }],
    ["provider data that is no JSON", call({ cents: 1 }, { providerData: { y: 1n } })],
    [
      "reasoning that is no JSON",
      { ...call({ cents: 1 }), reasoning: [{ text: "x", providerData: { y: 1n } }] },
    ],
  ];

  it.each(malformed)(
    "is asked again a bounded number of times, and a person then: %s",
    async (_name, turn) => {
      const model = turns(turn as Turn, turn as Turn, turn as Turn);
      const opened = await openWith({ model, tools: [payTool()] });
      const threadId = await runAgent(opened);
      expect((await eventsOf(opened, threadId, "decision_rejected")).map(({ error }) => error.code)).toEqual(
        Array.from({ length: 3 }, () => "invalid_decision"),
      );
      expect((await opened.openRequests())[0]?.opened.reason).toBe("invalid_output");
    },
  );

  it("is not asked again for what it counts: that is estimated", async () => {
    const usage = { inputTokens: Number.NaN, outputTokens: 5 };
    const opened = await openWith({ model: turns({ text: "ok", usage }) });
    const threadId = await runAgent(opened);
    expect(await end(opened, threadId)).toBe("ok");
    expect((await eventsOf(opened, threadId, "decision_made"))[0]?.usage.inputTokens).toBeGreaterThan(0);
  });

  it("and announces calls without any, gives no answer", async () => {
    const model = turns({ text: "Let me look it up.", finish: "calls" }, { text: "found" });
    const opened = await openWith({ model });
    expect(await end(opened, await runAgent(opened))).toBe("found");
  });
});

describe("a provider that says when to come back", () => {
  it("is asked then and not before, by whichever worker is there", async () => {
    const throttled = new HoldpointError("model_throttled", "slow down", {
      retryable: true,
      retryAfterMs: 600_000,
    });
    const first = await openWith({ model: turns(throttled) });
    const threadId = await runAgent(first);
    const model = turns({ text: "thanks" });
    const later = await openWith({ model });
    await later.clock.advance(599_000);
    await later.settle(threadId);
    expect(model.inputs).toHaveLength(0);
    await later.clock.advance(152_000); // with up to a quarter of jitter
    await later.settle(threadId);
    expect(await end(later, threadId)).toBe("thanks");
  });
});

describe("an input that does not fit the model", () => {
  const look: Flow = async (t) => {
    for (;;) {
      const next = await t.decide();
      if (next.kind === "answer") return next.value;
      await t.act(next.calls);
    }
  };
  const read = payTool({ name: "pay", effect: "read", run: () => "word ".repeat(300) });
  const looks = Array.from({ length: 6 }, () => calls(["pay", { cents: 1 }]));
  const limits = { identicalCalls: 100 };

  it("is reported, and sent again in a smaller window", async () => {
    const model = turns(...looks, overflow(3_000), { text: "fits" });
    const opened = await openWith({ model, tools: [read], flow: look, limits, maxOutputTokens: 500 });
    const threadId = await runAgent(opened);
    expect(await end(opened, threadId)).toBe("fits");
    const [report] = await eventsOf(opened, threadId, "overflow_reported");
    expect(report).toMatchObject({ key: "decide#7", limitTokens: 3_000, message: "prompt is too long" });
    const last = (await eventsOf(opened, threadId, "decision_made")).at(-1)?.window;
    expect(last?.budget).toBeLessThanOrEqual(3_000 - 500);
    expect(last?.tokens).toBeLessThanOrEqual(Math.floor((report?.sentTokens ?? 0) * 0.7));
    expect(last?.view?.referenced).toBeGreaterThan(0);
  });

  it("goes to a person when it does not fit then either", async () => {
    const model = turns(...looks, overflow(), overflow(), { text: "fits" });
    const opened = await openWith({ model, tools: [read], flow: look, limits });
    const threadId = await runAgent(opened);
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({ reason: "overflow", choices: ["continue", "stop"] });
    await opened.decide(request?.requestId ?? "", { kind: "continue" });
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toBe("fits");
  });

  it("is found out when the provider says nothing", async () => {
    const cut: Turn = { finish: "length", usage: { inputTokens: 999, outputTokens: 0 } };
    const over: Turn = { text: "…", usage: { inputTokens: 9_000, outputTokens: 1 } };
    for (const silent of [cut, over]) {
      const model = turns(...looks, silent, { text: "whole" });
      const opened = await openWith(
        { model, tools: [read], flow: look, limits, maxOutputTokens: 100 },
        { modelFacts: () => ({ contextTokens: 8_000 }) },
      );
      const threadId = await runAgent(opened);
      expect(await end(opened, threadId)).toBe("whole");
      expect(await eventsOf(opened, threadId, "overflow_reported")).toHaveLength(1);
    }
  });

  it("goes to a person when nothing can be left out", async () => {
    const opened = await openWith({ model: turns(overflow(), { text: "fits" }) });
    const threadId = await runAgent(opened);
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({ reason: "overflow" });
    expect(request?.opened.why).toContain("always stay");
    await opened.decide(request?.requestId ?? "", { kind: "continue" });
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toBe("fits");
  });

  it("is never sent when the model's limit is known", async () => {
    const model = turns(...looks, { text: "fits" });
    const opened = await openWith(
      { model, tools: [read], flow: look, limits, maxOutputTokens: 500 },
      { modelFacts: () => ({ contextTokens: 2_000 }) },
    );
    const threadId = await runAgent(opened);
    expect(await end(opened, threadId)).toBe("fits");
    const windows = await eventsOf(opened, threadId, "decision_made");
    expect(windows.every(({ window }) => window.tokens <= 1_500)).toBe(true);
  });
});

describe("the room that a model has", () => {
  it("bounds what it is asked for, and leaves half of a small context to the input", async () => {
    const cases = [
      { facts: { maxOutputTokens: 1_000 }, asked: 1_000 },
      { facts: { contextTokens: 6_000, maxOutputTokens: 9_000 }, asked: 3_000 },
      { facts: { contextTokens: 200_000 }, asked: 4_096 },
    ];
    for (const { facts, asked } of cases) {
      const model = turns({ text: "done" });
      const opened = await openWith({ model }, { modelFacts: () => facts });
      expect(await end(opened, await runAgent(opened))).toBe("done");
      expect(model.inputs[0]?.maxOutputTokens).toBe(asked);
    }
  });

  it("is never so small, by what a provider says, that a thread cannot go on", async () => {
    const model = turns(overflow(300), { text: "never shown" });
    const opened = await openWith({ model, prompt: "Work. ".repeat(60), maxOutputTokens: 4_096 });
    const threadId = await runAgent(opened);
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({ reason: "overflow" });
    await opened.decide(request?.requestId ?? "", { kind: "continue" });
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toBe("never shown");
    expect(model.inputs[1]?.maxOutputTokens).toBe(4_096); // who says "continue" does not believe the limit
  });
});

describe("an unusable output", () => {
  it("goes to a person as it came, and into no window", async () => {
    const model = turns(
      calls(["rob", { bank: "north" }]),
      { text: "half a", finish: "length" },
      { text: "I cannot help with that", finish: "refused" },
      { text: "done" },
    );
    const opened = await openWith({ model, tools: [payTool()] });
    const threadId = await runAgent(opened);
    const [request] = await opened.openRequests();
    for (const part of ['"bank":"north"', "half a", "I cannot help with that"])
      expect(request?.opened.evidence).toContain(part);
    await opened.decide(request?.requestId ?? "", { kind: "continue" });
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toBe("done");
    const shown = JSON.stringify(model.inputs.map(({ messages }) => messages));
    for (const part of ["north", "half a", "cannot help"]) expect(shown).not.toContain(part);
  });

  it("does not end a thread by what has to be said about it", async () => {
    const prompt = "p ".repeat(20);
    for (const budget of [140, 150, 160, 170]) {
      const model = turns(calls(["nope".repeat(30), {}]), { text: "fine" });
      const opened = await openWith({ model, prompt, tools: [payTool()], window: window({ budget }) });
      const threadId = await runAgent(opened);
      expect(await opened.types(threadId)).toContain("decision_rejected"); // else the budget is under what always stays
      expect(await end(opened, threadId)).toBe("fine");
    }
  });

  it("is corrected also when the model could not be reached meanwhile", async () => {
    const model = turns(calls(["rob", {}]), down(), { text: "fine" });
    const opened = await openWith({ model });
    const threadId = await runAgent(opened);
    await opened.clock.advance(60_000);
    await opened.settle(threadId);
    expect(JSON.stringify(model.inputs[2]?.messages)).toContain("could not be used");
  });

  it("is told of without secrets, and without halves of them", async () => {
    const secret = "hunter2-correct-horse-battery-staple-0123456789";
    const outputs: readonly Turn[] = [
      calls([`${"x".repeat(70)}${secret}`, {}]),
      calls(["pay", { [secret]: 1, cents: secret }]),
      { text: `{"calls": [${secret}]}` },
    ];
    for (const encoding of ["tools", "json", "text"] as const) {
      const model = turns(...outputs, { text: "done" });
      const opened = await openWith(
        { model, encoding, tools: [payTool()], output: z.object({ ok: z.boolean() }) },
        { secrets: new Map([["TOKEN", secret]]) },
      );
      const threadId = await runAgent(opened);
      const told = JSON.stringify([await opened.events(threadId), model.inputs]);
      for (let at = 0; at + 8 <= secret.length; at++) expect(told).not.toContain(secret.slice(at, at + 8));
    }
  });

  it("is kept without secrets, also where it is cut", async () => {
    const secrets = new Map([["TOKEN", "hunter2-hunter2"]]);
    const long = `${"x".repeat(3_900)}hunter2-hunter2`;
    const model = turns({ text: long, finish: "length" }, { text: "done" });
    const opened = await openWith({ model }, { secrets });
    const threadId = await runAgent(opened);
    const [rejection] = await eventsOf(opened, threadId, "decision_rejected");
    expect(rejection?.evidence).toContain("xxx");
    expect(rejection?.evidence).not.toContain("hunter2");
  });
});

describe("what a provider wants back", () => {
  it("stays as it is, or goes when a secret is in it", async () => {
    const secrets = new Map([["TOKEN", "hunter2-hunter2"]]);
    const dirty = { m: { note: "hunter2-hunter2" } };
    const clean = { m: { signature: "s" } };
    const model = turns(
      {
        calls: [
          { callId: "a", tool: "pay", args: { cents: 1 }, providerData: dirty },
          { callId: "b", tool: "pay", args: { cents: 2 }, providerData: clean },
        ],
        reasoning: [
          { text: "Think.", providerData: dirty },
          { text: "Use hunter2-hunter2." },
          { text: "Pay.", providerData: clean },
        ],
      },
      { text: "done" },
    );
    const opened = await openWith({ model, tools: [payTool()] }, { secrets });
    const threadId = await runAgent(opened);
    const [made] = await eventsOf(opened, threadId, "decision_made");
    expect(made?.decision).toMatchObject({ reasoning: [{ text: "Pay.", providerData: clean }] });
    expect(JSON.stringify(await opened.events(threadId))).not.toContain("hunter2");
    expect(made?.decision.kind === "calls" ? made.decision.calls[1]?.providerData : null).toEqual(clean);
  });
});

describe("a decision with a schema of its own", () => {
  const category = z.object({ category: z.enum(["bug", "praise"]) });

  it("gives the value, validated, also on resume", async () => {
    const flow: Flow = async (t) => {
      const { category: found } = await t.decide({ output: category });
      await t.ask("ok?");
      return found;
    };
    const model = turns(calls(["answer", { category: "rant" }]), calls(["answer", { category: "bug" }]));
    const opened = await openWith({ model, flow, tools: [payTool()] });
    const threadId = await runAgent(opened);
    expect(model.inputs[0]?.tools.map(({ name }) => name)).toEqual(["answer"]);
    const later = await openWith({ flow });
    const [request] = await later.openRequests();
    await later.decide(request?.requestId ?? "", { kind: "answer", value: "yes" });
    await later.settle(threadId);
    expect(await end(later, threadId)).toBe("bug");
  });

  it("is not made of calls that the log has in its place", async () => {
    const before: Flow = async (t) => {
      await t.decide();
      return t.ask("ok?");
    };
    const after: Flow = async (t) => {
      await t.decide({ output: category });
      return t.ask("ok?");
    };
    const first = await openWith({
      model: turns(calls(["pay", { cents: 1 }])),
      flow: before,
      tools: [payTool()],
    });
    const threadId = await runAgent(first);
    const later = await openWith({ flow: after, tools: [payTool()] });
    const [question] = await later.openRequests();
    await later.decide(question?.requestId ?? "", { kind: "answer", value: "yes" });
    await later.settle(threadId);
    const [request] = await later.openRequests();
    expect(request?.opened).toMatchObject({ reason: "flow_changed" });
    expect(request?.opened.why).toContain("decide#1");
  });
});

describe("a model that streams", () => {
  const streaming = (...pieces: readonly string[]): Model => ({
    id: "m/stream",
    async generate(_input, { onProgress }) {
      for (const text of pieces) onProgress?.({ kind: "text", text });
      return { text: pieces.join(""), calls: [], finish: "stop", firstTokenMs: 12.6 };
    },
  });

  function texts(hints: readonly Hint[]): string {
    return hints.map((hint) => (hint.kind === "progress" ? hint.progress.text : "")).join("");
  }

  it("shows its pieces as they come, and only the decision is in the log", async () => {
    const hints: Hint[] = [];
    const opened = await openWith({ model: streaming("Hel", "lo") }, { observe: (hint) => hints.push(hint) });
    const threadId = await runAgent(opened);
    expect(texts(hints)).toBe("Hello");
    expect(await opened.types(threadId)).toEqual(["thread_started", "decision_made", "thread_completed"]);
    expect((await eventsOf(opened, threadId, "decision_made"))[0]?.firstTokenMs).toBe(13);
  });

  it("shows no secret, however it is cut", async () => {
    const secret = "hunter2-hunter2";
    const whole = `before ${secret} after ${"x".repeat(30)}`;
    for (let at = 1; at < whole.length; at++) {
      const hints: Hint[] = [];
      const secrets = new Map([["TOKEN", secret]]);
      const pieces = [whole.slice(0, at), whole.slice(at)];
      const opened = await openWith(
        { model: streaming(...pieces) },
        { secrets, observe: (hint) => hints.push(hint) },
      );
      await runAgent(opened);
      expect(texts(hints)).not.toContain("hunter2");
      expect(texts(hints)).toContain("before [secret TOKEN] after");
    }
  });

  it("shows no secret that another begins with, and none as JSON writes it", async () => {
    const secrets = new Map([
      ["LONG", "abcdefXYZW9"],
      ["SHORT", "abcdef"],
      ["PEM", "-----BEGIN-----\nMIIEvQ\n-----END-----"],
    ]);
    const tail = "x".repeat(60);
    for (const pieces of [
      ["abcdef", `XYZW9 end${tail}`],
      [JSON.stringify({ key: secrets.get("PEM") }), tail],
    ]) {
      const hints: Hint[] = [];
      const opened = await openWith(
        { model: streaming(...pieces) },
        { secrets, observe: (hint) => hints.push(hint) },
      );
      await runAgent(opened);
      expect(texts(hints)).not.toMatch(/XYZW9|MIIEvQ|abcdef/);
      expect(texts(hints)).toMatch(/\[secret (LONG|PEM)\]/);
    }
  });

  it("does not when the runtime is told not to", async () => {
    const hints: Hint[] = [];
    const opened = await openWith(
      { model: streaming("Hello") },
      { stream: false, observe: (hint) => hints.push(hint) },
    );
    await runAgent(opened);
    expect(texts(hints)).toBe("");
  });
});

describe("what a call cost", () => {
  it("is recorded with the date of the price, also for an output that could not be used", async () => {
    const usage = { inputTokens: 100_000, outputTokens: 50_000, cachedTokens: 40_000 };
    const price = { input: 3, output: 15, cached: 0.3, asOf: "2026-11-01" };
    const model = turns({ text: "cut", finish: "length", usage }, { text: "done", usage });
    const opened = await openWith({ model }, { modelFacts: () => ({ price }) });
    const threadId = await runAgent(opened);
    const cost = { usd: expect.closeTo(0.06 * 3 + 0.04 * 0.3 + 0.05 * 15, 9), pricedAt: "2026-11-01" };
    expect((await eventsOf(opened, threadId, "decision_rejected"))[0]?.cost).toEqual(cost);
    expect((await eventsOf(opened, threadId, "decision_made"))[0]).toMatchObject({ cost, usage });
  });
});

describe("a model under limits", () => {
  /** Answers when told to. */
  function gated(): Model & { readonly answers: (() => void)[] } {
    const answers: (() => void)[] = [];
    return {
      id: "m/gated",
      answers,
      generate: () =>
        new Promise((resolve) => answers.push(() => resolve({ text: "here", calls: [], finish: "stop" }))),
    };
  }

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  }

  it("has its whole time from its turn on, however long it waited for it", async () => {
    const clock = manualClock(Date.UTC(2026, 0, 1));
    const model = gated();
    const limited = modelLimiter({ everyProvider: { concurrency: 1 } }, clock)(model);
    const opened = await openWith({ model: limited, modelTimeout: "10s" }, { clock });
    const started = await Promise.all(
      ["one", "two"].map((input) => startThread(opened.runtime, "a", input, { by: "test" })),
    );
    const settled = Promise.all(started.map(({ threadId }) => opened.settle(threadId)));
    await until(() => model.answers.length === 1 && clock.pending >= 3); // two heartbeats, one deadline
    await clock.advance(9_000);
    model.answers[0]?.();
    await until(() => model.answers.length === 2);
    await clock.advance(9_000);
    model.answers[1]?.();
    await settled;
    for (const { threadId } of started)
      expect(await opened.types(threadId)).toEqual(["thread_started", "decision_made", "thread_completed"]);
    expect(clock.pending).toBe(0);
  });
});

describe("a model that does not answer", () => {
  it("is given up after the agent's time for it, and asked again", async () => {
    let waited = false;
    let onCall = (): void => {};
    const called = new Promise<void>((resolve) => (onCall = resolve));
    const model: Model = {
      id: "m/slow",
      async generate(_input, { signal }) {
        if (waited) return { text: "late", calls: [], finish: "stop" };
        waited = true;
        onCall();
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    };
    const opened = await openWith({ model, modelTimeout: "10s" });
    const { threadId } = await startThread(opened.runtime, "a", "hello", { by: "test" });
    const settled = opened.settle(threadId);
    await called;
    await opened.clock.advance(10_000);
    await settled;
    expect((await eventsOf(opened, threadId, "decision_rejected"))[0]?.error.code).toBe("model_timeout");
    await opened.clock.advance(60_000);
    await opened.settle(threadId);
    expect(await end(opened, threadId)).toBe("late");
  });
});
