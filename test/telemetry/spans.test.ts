// What leaves by OpenTelemetry's API, with its real SDK.
import { SpanStatusCode, trace } from "@opentelemetry/api";
import { describe, expect, test } from "vitest";
import { HoldpointError } from "../../src/core/errors.ts";
import { event } from "../../src/core/events.ts";
import { agent, openTelemetry, startThread, threadTrace } from "../../src/index.ts";
import { approvedRun, secret, threadId } from "../kit/approved-run.ts";
import { payTool, runtimesOfEachTest, turns } from "../kit/runtime.ts";
import { useSpans } from "../kit/spans.ts";

const open = runtimesOfEachTest();
const register = useSpans();
describe("spans", () => {
  test("stand in the tree of what ran, over two processes and a wait, in one trace", async () => {
    const spans = register();
    await approvedRun({ telemetry: openTelemetry() });
    expect(spans.names()).toEqual([
      "invoke_agent desk",
      "  step load order",
      "  chat scripted",
      "wait approval",
      "invoke_agent desk",
      "  execute_tool pay",
      "  chat scripted",
    ]);
    const { traceId, spanId } = threadTrace(threadId);
    for (const span of spans.ended()) {
      expect(span.spanContext().traceId).toBe(traceId);
      expect(span.instrumentationScope.name).toBe("holdpoint");
      expect(span.attributes).toMatchObject({
        "gen_ai.conversation.id": threadId,
        "holdpoint.thread.id": threadId,
        "gen_ai.agent.name": "desk",
        "gen_ai.agent.version": "7",
      });
      expect(span.status.code).toBe(SpanStatusCode.UNSET);
    }
    expect(spans.named("invoke_agent desk").map((span) => span.parentSpanContext?.spanId)).toEqual([
      spanId,
      spanId,
    ]);
  });

  test("say of a model call what it was and took", async () => {
    const spans = register();
    await approvedRun({ telemetry: openTelemetry() });
    const [first, second] = spans.named("chat scripted");
    expect(first?.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "test",
      "gen_ai.request.model": "scripted",
      "gen_ai.request.max_tokens": 4_096,
      "gen_ai.response.model": "scripted-2026",
      "gen_ai.response.finish_reasons": ["tool_call"],
      "gen_ai.response.time_to_first_chunk": 0.25,
      "gen_ai.usage.input_tokens": 10,
      "gen_ai.usage.output_tokens": 5,
      "holdpoint.operation.key": "decide#1",
      "holdpoint.attempt": 1,
      "holdpoint.outcome": "calls",
    });
    expect(second?.attributes).toMatchObject({
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": 30,
      "gen_ai.usage.cache_read.input_tokens": 20,
      "gen_ai.usage.cache_creation.input_tokens": 3,
      "gen_ai.usage.reasoning.output_tokens": 2,
      "holdpoint.outcome": "answer",
    });
  });

  test("say of an action what ran and how it is declared, and of a wait who kept it and how long", async () => {
    const spans = register();
    await approvedRun({ telemetry: openTelemetry() });
    expect(spans.named("execute_tool pay")[0]?.attributes).toMatchObject({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "pay",
      "gen_ai.tool.type": "function",
      "gen_ai.tool.call.id": "decide_1_0",
      "holdpoint.operation.key": "act:pay#1",
      "holdpoint.tool.risk": "high",
      "holdpoint.tool.effect": "once",
      "holdpoint.tool.version": "3",
      "holdpoint.outcome": "completed",
    });
    const [wait] = spans.named("wait approval");
    expect(wait?.attributes).toMatchObject({
      "holdpoint.operation.key": "act:pay#1",
      "holdpoint.wait.kind": "approval",
      "holdpoint.wait.outcome": "approve",
      "holdpoint.request.via": "test",
    });
    expect(wait?.duration).toEqual([3_600, 0]);
  });

  test("of turns say which events they saw and made, how they ended, and what happened beside effects", async () => {
    const spans = register();
    const events = await approvedRun({ telemetry: openTelemetry() });
    const [first, second] = spans.named("invoke_agent desk");
    expect(first?.attributes).toMatchObject({
      "gen_ai.operation.name": "invoke_agent",
      "holdpoint.turn.first_seq": 2,
      "holdpoint.turn.end": "parked",
    });
    expect(first?.events.map(({ name }) => name)).toEqual(["holdpoint.request_opened"]);
    expect(second?.attributes).toMatchObject({
      "holdpoint.turn.last_seq": events.length,
      "holdpoint.turn.end": "ended",
      "holdpoint.thread.outcome": "completed",
    });
    expect(second?.events.map(({ name }) => name)).toEqual(["holdpoint.request_decided"]);
  });

  test("tell failures by Holdpoint's codes, and never their messages", async () => {
    const spans = register();
    await approvedRun({
      telemetry: openTelemetry({ content: true }),
      run: () => {
        throw new Error("the till of Mrs. Lovelace is jammed");
      },
    });
    const [pay] = spans.named("execute_tool pay");
    expect(pay?.attributes["error.type"]).toBe("tool_failed");
    expect(pay?.status).toEqual({ code: SpanStatusCode.ERROR, message: "tool_failed" });
    expect(JSON.stringify(pay?.attributes)).not.toContain("jammed");
    const broken = await open({
      agents: [agent({ name: "broken", flow: async () => Promise.reject(new Error("no")) })],
      telemetry: openTelemetry(),
    });
    await startThread(broken.runtime, "broken", 1, { by: "kim@example.com", threadId: "th_2" });
    await broken.settle("th_2");
    const [turn] = spans.named("invoke_agent broken");
    expect(turn?.attributes).toMatchObject({
      "error.type": "flow_failed",
      "holdpoint.thread.outcome": "failed",
    });
    expect(turn?.status.code).toBe(SpanStatusCode.ERROR);
  });

  test("of a model that fails or puts out nothing usable carry the code, each try by itself", async () => {
    const spans = register();
    const model = turns(
      new Error("no route"),
      { text: "", calls: [{ callId: "1", tool: "nothing", args: {} }] },
      { text: "done" },
    );
    const { runtime, settle, clock } = await open({
      agents: [agent({ name: "a", prompt: "Work.", model })],
      telemetry: openTelemetry(),
    });
    await startThread(runtime, "a", 1, { by: "kim@example.com", threadId });
    for (let round = 0; round < 4; round++) {
      await settle(threadId);
      await clock.advance(60_000);
    }
    expect(
      spans
        .named("chat scripted")
        .map(({ attributes }) => [attributes["holdpoint.attempt"], attributes["error.type"] ?? null]),
    ).toEqual([
      [1, "model_failed"],
      [2, "invalid_decision"],
      [3, null],
    ]);
  });
});

describe("spans of what seldom happens", () => {
  test("an action that gave no answer is in doubt, and its tool is asked", async () => {
    const spans = register();
    const begun = Promise.withResolvers<void>();
    const pay = payTool({
      effect: "once",
      timeout: "1s",
      run() {
        begun.resolve();
        return new Promise(() => {});
      },
      verify: () => ({ happened: true, value: { receipt: 1 } }),
    });
    const model = turns({ calls: [{ callId: "1", tool: "pay", args: { cents: 1 } }] }, { text: "done" });
    const desk = agent({ name: "desk", prompt: "Work.", model, tools: [pay] });
    const { runtime, settle, clock } = await open({ agents: [desk], telemetry: openTelemetry() });
    await startThread(runtime, "desk", 1, { by: "kim@example.com", threadId });
    const settling = settle(threadId);
    await begun.promise;
    await clock.advance(1_000);
    await settling;
    const told = spans.named("execute_tool pay").map(({ attributes }) => attributes);
    expect(
      told.map((each) => [
        each["holdpoint.tool.verify"] ?? false,
        each["holdpoint.outcome"],
        each["error.type"] ?? null,
      ]),
    ).toEqual([
      [false, "in_doubt", "in_doubt"],
      [true, "completed", null],
    ]);
    const [turn] = spans.named("invoke_agent desk");
    expect(turn?.events.map(({ name }) => name)).toContain("holdpoint.action_in_doubt");
  });

  test("a summary's model is known at its end; what was stopped, or failed with the store, says so", () => {
    const spans = register();
    const desk = agent({ name: "desk", prompt: "Work.", model: turns() });
    const started = event("thread_started", {
      threadId,
      agent: "desk",
      agentVersion: "1",
      input: {},
      by: "kim",
    });
    const events = [{ ...started, seq: 1, at: "2026-01-01T00:00:00.000Z" }];
    const turn = openTelemetry().startTurn({ threadId, agent: desk, events, clean: (value) => value });
    const input = { messages: [], tools: [], maxOutputTokens: 300 };
    const summary = { kind: "model", key: "decide#2", attempt: 1, model: null, input } as const;
    const usage = { inputTokens: 900, outputTokens: 40 };
    const compacted = event("window_compacted", {
      key: "decide#2",
      durationMs: 1,
      model: "google/small",
      usage,
      toSeq: 9,
      summary: "…",
    });
    turn?.startEffect(summary)?.end({ events: [compacted] });
    turn?.startEffect({ kind: "step", key: "step:look#1", attempt: 1 })?.end({ events: [] });
    turn
      ?.startEffect({ kind: "step", key: "step:look#2", attempt: 1 })
      ?.end({ thrown: new HoldpointError("store_full", "no room") });
    turn?.end({ thrown: new HoldpointError("store_full", "no room") });
    const told = spans
      .ended()
      .map(({ name, attributes }) => [
        name,
        attributes["holdpoint.outcome"] ?? null,
        attributes["error.type"] ?? null,
      ]);
    expect(told).toEqual([
      ["chat small", "completed", null],
      ["step look", "stopped", null],
      ["step look", null, "store_full"],
      ["invoke_agent desk", null, "store_full"],
    ]);
    expect(spans.named("chat small")[0]?.attributes).toMatchObject({
      "gen_ai.provider.name": "gcp.gemini",
      "gen_ai.request.model": "small",
      "gen_ai.usage.input_tokens": 900,
    });
    expect(spans.named("invoke_agent desk")[0]?.attributes["holdpoint.turn.end"]).toBe("failed");
  });
});

describe("content", () => {
  const told = ["Lovelace", "counter", "A7", "re_55", "kim@example.com", "dana@example.com", "4200"];

  test("stays here by default", async () => {
    const spans = register();
    await approvedRun({ telemetry: openTelemetry() });
    const all = JSON.stringify(
      spans
        .ended()
        .map(({ name, attributes, events, status, links }) => ({ name, attributes, events, status, links })),
    );
    for (const text of [...told, secret]) expect(all).not.toContain(text);
  });

  test("leaves when it is asked for, in the conventions' form and without secrets", async () => {
    const spans = register();
    await approvedRun({ telemetry: openTelemetry({ content: true }) });
    const all = JSON.stringify(spans.ended().map(({ attributes }) => attributes));
    expect(all).not.toContain(secret);
    for (const text of told.filter((name) => name !== "kim@example.com")) expect(all).toContain(text);
    const [first, second] = spans.named("chat scripted").map(({ attributes }) => attributes);
    const parsed = (text: unknown): unknown => JSON.parse(String(text));
    expect(parsed(first?.["gen_ai.system_instructions"])).toEqual([
      { type: "text", content: "You are at the counter. The till opens with [secret TILL_KEY]." },
    ]);
    expect(parsed(first?.["gen_ai.output.messages"])).toEqual([
      {
        role: "assistant",
        parts: [{ type: "tool_call", id: "m0", name: "pay", arguments: { cents: 4_200, note: "order A7" } }],
        finish_reason: "tool_call",
      },
    ]);
    expect(parsed(second?.["gen_ai.output.messages"])).toEqual([
      {
        role: "assistant",
        parts: [{ type: "text", content: "Paid for Mrs. Lovelace with [secret TILL_KEY]." }],
        finish_reason: "stop",
      },
    ]);
    const messages = parsed(second?.["gen_ai.input.messages"]) as readonly { readonly role: string }[];
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool"]);
    const [pay] = spans.named("execute_tool pay");
    expect(parsed(pay?.attributes["gen_ai.tool.call.arguments"])).toEqual({ cents: 4_200, note: "order A7" });
    expect(parsed(pay?.attributes["gen_ai.tool.call.result"])).toEqual({
      receipt: "re_55",
      key: "[secret TILL_KEY]",
    });
    const [begin, end] = spans.named("invoke_agent desk");
    expect(parsed(begin?.attributes["holdpoint.input"])).toBe("Pay Mrs. Lovelace.");
    expect(parsed(end?.attributes["holdpoint.output"])).toBe(
      "Paid for Mrs. Lovelace with [secret TILL_KEY].",
    );
    expect(parsed(spans.named("wait approval")[0]?.attributes["holdpoint.request.by"])).toBe(
      "dana@example.com",
    );
  });
});

describe("contexts", () => {
  test("what a tool, a step and a model do is in the trace, under their spans", async () => {
    const spans = register();
    const own = (name: string): void => trace.getTracer("own").startSpan(name).end();
    const model = {
      id: "own/m",
      async generate() {
        own("POST /chat");
        return { text: "x", calls: [], finish: "stop" as const };
      },
    };
    const flow = agent({
      name: "a",
      prompt: "Work.",
      model,
      tools: [payTool({ run: () => Promise.resolve().then(() => own("POST /pay")) })],
      flow: async (t) => {
        await t.step("look", () => own("GET /order"));
        await t.act([{ callId: "c1", tool: "pay", args: { cents: 1 } }]);
        await t.decide();
      },
    });
    const { runtime, settle } = await open({ agents: [flow], telemetry: openTelemetry() });
    await startThread(runtime, "a", 1, { by: "kim@example.com", threadId });
    await settle(threadId);
    expect(spans.names()).toEqual([
      "invoke_agent a",
      "  step look",
      "    GET /order",
      "  execute_tool pay",
      "    POST /pay",
      "  chat m",
      "    POST /chat",
    ]);
  });

  test("a child has a trace of its own, with a link to its parent's", async () => {
    const spans = register();
    const child = agent({ name: "child", flow: async () => 1 });
    const parent = agent({ name: "parent", flow: async (t) => t.call("child", 1) });
    const { runtime, settle } = await open({ agents: [child, parent], telemetry: openTelemetry() });
    await startThread(runtime, "parent", 1, { by: "kim@example.com", threadId });
    await settle(threadId);
    const [turn] = spans.named("invoke_agent child");
    expect(turn?.links).toMatchObject([
      {
        context: { traceId: threadTrace(threadId).traceId },
        attributes: { "holdpoint.thread.id": threadId },
      },
    ]);
    expect(turn?.attributes["holdpoint.thread.parent.id"]).toBe(threadId);
    expect(turn?.spanContext().traceId).toBe(
      threadTrace(String(turn?.attributes["holdpoint.thread.id"])).traceId,
    );
    expect(spans.named("wait child").map(({ attributes }) => attributes["holdpoint.wait.outcome"])).toEqual([
      "completed",
    ]);
  });

  test("of a share of threads all turns are sampled, or none", async () => {
    const spans = register();
    const run = () => trace.getTracer("own").startSpan("POST /pay").end();
    await approvedRun({ telemetry: openTelemetry({ share: 0 }), run });
    expect(spans.ended()).toEqual([]); // nor are the user's own
    const isSampled = (id: number): boolean => threadTrace(`th_${id}`, 0.25).traceFlags === 1;
    const sampled = Array.from({ length: 4_000 }, (_, id) => id).filter(isSampled).length;
    expect(Math.abs(sampled - 1_000)).toBeLessThan(100);
    expect(() => openTelemetry({ share: 2 })).toThrow("share");
  });
});
