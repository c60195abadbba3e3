import { getEventListeners } from "node:events";
import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import type { ModelInput, ModelProgress } from "../ports/model.ts";
import { type AiSdkModelOptions, aiSdkModel } from "./ai-sdk.ts";

const input: ModelInput = { messages: [{ role: "user", content: "hello" }], tools: [], maxOutputTokens: 100 };
const usage = {
  inputTokens: { total: 10, noCache: 10, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 5, text: 5, reasoning: undefined },
};

type Parts = readonly LanguageModelV4StreamPart[];

const finish: LanguageModelV4StreamPart = {
  type: "finish",
  usage,
  finishReason: { unified: "stop", raw: "stop" },
};

function finishWith(unified: "length" | "tool-calls" | "other" | "interrupted", raw?: string): Parts {
  return [{ type: "finish", usage, finishReason: { unified, raw } }];
}

const hello: Parts = [
  { type: "stream-start", warnings: [] },
  { type: "text-start", id: "1" },
  { type: "text-delta", id: "1", delta: "Hel" },
  { type: "text-delta", id: "1", delta: "lo" },
  { type: "text-end", id: "1" },
];

const startedCall: Parts = [
  { type: "tool-input-start", id: "c1", toolName: "find_order" },
  { type: "tool-input-delta", id: "c1", delta: '{"orderId":' },
  { type: "tool-input-delta", id: "c1", delta: '"A7"}' },
];

const wholeCall: LanguageModelV4StreamPart = {
  type: "tool-call",
  toolCallId: "c1",
  toolName: "find_order",
  input: '{"orderId":"A7"}',
};

interface Source {
  readonly parts: Parts;
  /** What comes after the parts. Default: the end. */
  readonly after?: "silence" | "error";
}

interface Fake {
  readonly model: LanguageModelV4;
  readonly cancelled: unknown[];
}

function fake({ parts, after }: Source): Fake {
  const cancelled: unknown[] = [];
  const rest = [...parts];
  const stream = new ReadableStream<LanguageModelV4StreamPart>(
    {
      pull(controller) {
        const part = rest.shift();
        if (part) return controller.enqueue(part);
        if (after === "error") return controller.error(new TypeError("terminated"));
        if (after === undefined) return controller.close();
        return Promise.withResolvers<void>().promise; // never
      },
      cancel: (reason) => void cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
  const model: LanguageModelV4 = {
    specificationVersion: "v4",
    provider: "acme.chat",
    modelId: "large",
    supportedUrls: {},
    doGenerate: async () => ({
      content: [{ type: "text", text: "at once" }],
      finishReason: { unified: "stop", raw: "stop" },
      usage,
      warnings: [],
    }),
    doStream: async () => ({ stream }),
  };
  return { model, cancelled };
}

interface Running {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ModelProgress) => void;
}

function generate(model: LanguageModelV4, options: AiSdkModelOptions = {}, running: Running = {}) {
  const { signal = new AbortController().signal, onProgress = () => {} } = running;
  return aiSdkModel(model, options).generate(input, { signal, onProgress });
}

const interrupted = { code: "model_interrupted", retryable: true };

describe("a stream that comes to its end", () => {
  test("is shown piece by piece, and put together", async () => {
    const progress: ModelProgress[] = [];
    const parts: Parts = [
      { type: "stream-start", warnings: [{ type: "other", message: "careful" }] },
      { type: "reasoning-start", id: "1", providerMetadata: { acme: { part: 1 } } },
      { type: "reasoning-delta", id: "1", delta: "hm" },
      { type: "reasoning-delta", id: "1", delta: "", providerMetadata: { acme: { signature: "s" } } },
      { type: "reasoning-end", id: "1" },
      ...hello.slice(1),
      ...startedCall,
      { type: "tool-input-end", id: "c1" },
      { ...wholeCall, providerMetadata: { acme: { itemId: "i" } } },
      { type: "tool-call", toolCallId: "c2", toolName: "read_policy", input: "" },
      ...finishWith("tool-calls", "calls"),
    ];
    let now = 1_000;
    const clock = { now: () => (now += 25) };
    const onProgress = (piece: ModelProgress) => void progress.push(piece);
    expect(await generate(fake({ parts }).model, clock, { onProgress })).toEqual({
      text: "Hello",
      reasoning: [{ text: "hm", providerData: { acme: { signature: "s" } } }],
      calls: [
        {
          callId: "c1",
          tool: "find_order",
          args: { orderId: "A7" },
          providerData: { acme: { itemId: "i" } },
        },
        { callId: "c2", tool: "read_policy", args: {} },
      ],
      finish: "calls",
      usage: { inputTokens: 10, outputTokens: 5 },
      warnings: ["careful"],
      firstTokenMs: 25,
    });
    expect(progress).toEqual([
      { kind: "reasoning", text: "hm" },
      { kind: "text", text: "Hel" },
      { kind: "text", text: "lo" },
      { kind: "call", callId: "c1", tool: "find_order", text: "" },
      { kind: "call", callId: "c1", tool: "find_order", text: '{"orderId":' },
      { kind: "call", callId: "c1", tool: "find_order", text: '"A7"}' },
      { kind: "call", callId: "c2", tool: "read_policy", text: "" },
    ]);
  });

  test("arguments that are no JSON stay text", async () => {
    const parts: Parts = [{ ...wholeCall, input: '{"orderId":"A' }, ...finishWith("length", "max_tokens")];
    expect(await generate(fake({ parts }).model)).toMatchObject({
      calls: [{ callId: "c1", tool: "find_order", args: '{"orderId":"A' }],
      finish: "length",
    });
  });

  test("a call that a length limit cut off is no interruption", async () => {
    const parts = [...startedCall, ...finishWith("length", "max_tokens")];
    expect(await generate(fake({ parts }).model)).toMatchObject({ calls: [], finish: "length" });
  });

  test("what throws in the display breaks nothing", async () => {
    const thrown = () => {
      throw new Error("display");
    };
    const rejected = (() => Promise.reject(new Error("display"))) as () => void; // as an async function is taken for one
    for (const onProgress of [thrown, rejected])
      expect(await generate(fake({ parts: [...hello, finish] }).model, {}, { onProgress })).toMatchObject({
        text: "Hello",
      });
  });

  test("one that has said all and does not close is not waited for", async () => {
    const { model, cancelled } = fake({ parts: [...hello, finish], after: "silence" });
    expect(await generate(model, { idleMs: 5 })).toMatchObject({ text: "Hello", finish: "stop" });
    expect(cancelled).toHaveLength(1);
  });

  test("one that fails after it has said all has said all", async () => {
    const { model } = fake({ parts: [...hello, finish], after: "error" });
    expect(await generate(model)).toMatchObject({ text: "Hello", finish: "stop" });
  });

  test("without onProgress nothing is streamed", async () => {
    const { model } = fake({ parts: [] });
    const output = await aiSdkModel(model).generate(input, { signal: new AbortController().signal });
    expect(output).toMatchObject({ text: "at once" });
    expect(output).not.toHaveProperty("firstTokenMs");
  });
});

describe("a stream of which nothing is returned", () => {
  const cases: readonly (Source & { readonly name: string; readonly error?: object })[] = [
    { name: "ends without its finish", parts: hello },
    { name: "is empty", parts: [] },
    { name: "ends with a finish without a reason", parts: [...hello, ...finishWith("other")] },
    { name: "says that it was interrupted", parts: [...hello, ...finishWith("interrupted")] },
    { name: "breaks", parts: hello, after: "error" },
    { name: "ends within a call", parts: [...hello, ...startedCall, ...finishWith("tool-calls", "calls")] },
    { name: "goes on after its finish, and ends", parts: [...hello, finish, ...hello] },
    {
      name: "reports an error",
      parts: [...hello, { type: "error", error: { message: "overloaded" } }, finish],
    },
    {
      name: "is garbled",
      parts: [{ type: "error", error: Object.assign(new Error("x"), { name: "AI_JSONParseError" }) }, finish],
    },
    {
      name: "reports what trying again does not mend",
      parts: [...hello, { type: "error", error: { message: "no", statusCode: 400, isRetryable: false } }],
      error: { code: "model_failed", retryable: false },
    },
    {
      name: "stalls",
      parts: hello,
      after: "silence",
      error: { code: "model_timeout", retryable: true, message: expect.stringContaining("5 ms") },
    },
    {
      name: "runs a tool at the provider",
      parts: [{ type: "tool-input-start", id: "c1", toolName: "web_search", providerExecuted: true }],
      after: "silence",
      error: { code: "model_failed", retryable: false, message: expect.stringContaining("past the gate") },
    },
  ];
  for (const { name, error = interrupted, ...source } of cases) {
    test(`one that ${name}`, async () => {
      await expect(generate(fake(source).model, { idleMs: 5 })).rejects.toMatchObject(error);
    });
  }

  test("one that is too long is let go of", async () => {
    const parts: Parts = Array.from({ length: 100 }, () => ({
      type: "text-delta",
      id: "1",
      delta: "x".repeat(100),
    }));
    const { model, cancelled } = fake({ parts, after: "silence" });
    await expect(generate(model, { maxResponseBytes: 1_000 })).rejects.toMatchObject({
      code: "model_failed",
      retryable: false,
    });
    expect(cancelled).toHaveLength(1);
  });

  test("one that is aborted is let go of, rejects with the signal's reason, and leaves no listener", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const { model, cancelled } = fake({ parts: hello, after: "silence" });
    const reason = new Error("stop");
    const onProgress = () => controller.abort(reason);
    await expect(generate(model, {}, { signal, onProgress })).rejects.toBe(reason);
    expect(cancelled).toEqual([reason]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("listeners and objects that do less than they should", () => {
  test("a signal is left as it was", async () => {
    const { signal } = new AbortController();
    await generate(fake({ parts: [...hello, finish] }).model, {}, { signal });
    await generate(fake({ parts: hello }).model, {}, { signal }).catch(() => {});
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("a call that does not heed the signal is not waited for", async () => {
    const never = Promise.withResolvers<never>().promise;
    for (const doStream of [() => never, undefined]) {
      const controller = new AbortController();
      const { model } = fake({ parts: [] });
      const deaf = { ...model, doGenerate: () => never, doStream } as LanguageModelV4; // as objects come from JavaScript
      const output = generate(deaf, {}, { signal: controller.signal });
      controller.abort(new Error("stop"));
      await expect(output).rejects.toThrow("stop");
    }
  });

  test("an object that cannot stream is called at once", async () => {
    const { model } = fake({ parts: [] });
    const unsupported = Object.assign(new Error("streaming"), { name: "AI_UnsupportedFunctionalityError" });
    for (const doStream of [undefined, () => Promise.reject(unsupported)]) {
      const object = { ...model, doStream } as LanguageModelV4; // as above
      expect(await generate(object)).toMatchObject({ text: "at once" });
    }
  });
});
