import type {
  LanguageModelV3,
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
} from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import type { ModelInput } from "../ports/model.ts";
import { aiSdkModel } from "./ai-sdk.ts";

const signal = new AbortController().signal;

const input: ModelInput = {
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Refund order A7." },
    {
      role: "assistant",
      content: "",
      calls: [
        { callId: "decide_1_0", tool: "find_order", args: { orderId: "A7" } },
        { callId: "decide_1_1", tool: "read_policy", args: {} },
      ],
    },
    { role: "tool", callId: "decide_1_0", tool: "find_order", content: '{"cents":4200}' },
    { role: "tool", callId: "decide_1_1", tool: "read_policy", content: "Within 30 days." },
    {
      role: "assistant",
      content: "Found it.",
      calls: [{ callId: "decide_2_0", tool: "issue_refund", args: { cents: 4200 } }],
    },
    { role: "tool", callId: "decide_2_0", tool: "issue_refund", content: '{"status":"denied"}' },
    { role: "user", content: "Known now:\n{}" },
    { role: "user", content: "Try again." },
  ],
  tools: [
    {
      name: "find_order",
      description: "Finds an order.",
      inputSchema: { type: "object", properties: { orderId: { type: "string" } } },
    },
  ],
  maxOutputTokens: 321,
};

interface Fake {
  readonly model: LanguageModelV4;
  readonly options: LanguageModelV4CallOptions[];
}

const result: LanguageModelV4GenerateResult = {
  content: [{ type: "text", text: "done" }],
  finishReason: { unified: "stop", raw: "stop" },
  usage: {
    inputTokens: { total: 10, noCache: 4, cacheRead: 6, cacheWrite: 0 },
    outputTokens: { total: 5, text: 2, reasoning: 3 },
  },
  warnings: [],
};

function fake(changes: Partial<LanguageModelV4GenerateResult> = {}): Fake {
  const options: LanguageModelV4CallOptions[] = [];
  const model: LanguageModelV4 = {
    specificationVersion: "v4",
    provider: "acme.chat",
    modelId: "large",
    supportedUrls: {},
    async doGenerate(given) {
      options.push(given);
      return { ...result, ...changes };
    },
    doStream: () => Promise.reject(new Error("not called")),
  };
  return { model, options };
}

describe("what goes out", () => {
  test("is the model input, message by message, results of one turn together", async () => {
    const { model, options } = fake();
    await aiSdkModel(model).generate(input, { signal });
    expect(options).toEqual([
      {
        prompt: [
          { role: "system", content: "Be brief." },
          { role: "user", content: [{ type: "text", text: "Refund order A7." }] },
          {
            role: "assistant",
            content: [
              {
                type: "tool-call",
                toolCallId: "decide_1_0",
                toolName: "find_order",
                input: { orderId: "A7" },
              },
              { type: "tool-call", toolCallId: "decide_1_1", toolName: "read_policy", input: {} },
            ],
          },
          {
            role: "tool",
            content: [
              {
                type: "tool-result",
                toolCallId: "decide_1_0",
                toolName: "find_order",
                output: { type: "text", value: '{"cents":4200}' },
              },
              {
                type: "tool-result",
                toolCallId: "decide_1_1",
                toolName: "read_policy",
                output: { type: "text", value: "Within 30 days." },
              },
            ],
          },
          {
            role: "assistant",
            content: [
              { type: "text", text: "Found it." },
              {
                type: "tool-call",
                toolCallId: "decide_2_0",
                toolName: "issue_refund",
                input: { cents: 4200 },
              },
            ],
          },
          {
            role: "tool",
            content: [
              {
                type: "tool-result",
                toolCallId: "decide_2_0",
                toolName: "issue_refund",
                output: { type: "text", value: '{"status":"denied"}' },
              },
            ],
          },
          { role: "user", content: [{ type: "text", text: "Known now:\n{}" }] },
          { role: "user", content: [{ type: "text", text: "Try again." }] },
        ],
        tools: [
          {
            type: "function",
            name: "find_order",
            description: "Finds an order.",
            inputSchema: { type: "object", properties: { orderId: { type: "string" } } },
          },
        ],
        toolChoice: { type: "auto" },
        maxOutputTokens: 321,
        abortSignal: signal,
      },
    ]);
  });

  test("names neither tools nor a tool choice when there are no tools", async () => {
    const { model, options } = fake();
    await aiSdkModel(model).generate({ ...input, messages: [], tools: [] }, { signal });
    expect(options).toEqual([{ prompt: [], maxOutputTokens: 321, abortSignal: signal }]);
  });

  test("asks for JSON of a schema, by name", async () => {
    const { model, options } = fake();
    const schema = { type: "object" };
    await aiSdkModel(model).generate({ ...input, output: { name: "answer", schema } }, { signal });
    expect(options[0]?.responseFormat).toEqual({ type: "json", name: "answer", schema });
  });

  test("carries provider options; those of a Responses API say that nothing is to be stored", async () => {
    const { model, options } = fake();
    const responses = { ...model, provider: "acme.responses" };
    await aiSdkModel(responses).generate(input, { signal });
    await aiSdkModel(responses, { providerOptions: { acme: { user: "u1" }, other: { a: 1 } } }).generate(
      input,
      { signal },
    );
    await aiSdkModel(responses, { providerOptions: { acme: { store: true } } }).generate(input, { signal });
    expect(options.map((given) => given.providerOptions)).toEqual([
      { acme: { store: false } },
      { acme: { store: false, user: "u1" }, other: { a: 1 } },
      { acme: { store: true } },
    ]);
  });

  test("leaves the model input as it is", async () => {
    const before = structuredClone(input);
    await aiSdkModel(fake().model).generate(input, { signal });
    expect(input).toEqual(before);
  });
});

describe("what comes back", () => {
  test("is text, calls, reasoning and usage; sources are left out", async () => {
    const { model } = fake({
      content: [
        { type: "reasoning", text: "hm" },
        { type: "text", text: "I look " },
        { type: "source", sourceType: "url", id: "s1", url: "https://example.com" },
        { type: "text", text: "it up." },
        { type: "tool-call", toolCallId: "c1", toolName: "find_order", input: '{"orderId":"A7"}' },
      ],
      finishReason: { unified: "tool-calls", raw: "tool_use" },
    });
    expect(await aiSdkModel(model).generate(input, { signal })).toEqual({
      text: "I look it up.",
      calls: [{ callId: "c1", tool: "find_order", args: { orderId: "A7" } }],
      finish: "calls",
      reasoning: [{ text: "hm", providerData: { acme: {} } }],
      usage: { inputTokens: 10, outputTokens: 5, cachedTokens: 6, cacheWriteTokens: 0, reasoningTokens: 3 },
    });
  });

  const inputs = [
    { name: "no arguments at all", given: "", args: {} },
    { name: "JSON that is no object", given: "[1]", args: [1] },
    { name: "JSON that is cut off", given: '{"path":"/tmp', args: '{"path":"/tmp' },
    { name: "JSON that needs a repair", given: "{'path':'/tmp'}", args: "{'path':'/tmp'}" },
    { name: "JSON with a key twice", given: '{"path":"/a","path":"/b"}', args: '{"path":"/a","path":"/b"}' },
    { name: "prose", given: "the order A7", args: "the order A7" },
  ];
  for (const { name, given, args } of inputs) {
    test(`arguments: ${name}`, async () => {
      const { model } = fake({
        content: [{ type: "tool-call", toolCallId: "c1", toolName: "t", input: given }],
      });
      expect((await aiSdkModel(model).generate(input, { signal })).calls).toEqual([
        { callId: "c1", tool: "t", args },
      ]);
    });
  }

  const finishes = [
    ["stop", "stop"],
    ["tool-calls", "calls"],
    ["length", "length"],
    ["content-filter", "refused"],
    ["other", "other"],
  ] as const;
  for (const [unified, finish] of finishes) {
    test(`finish: ${unified} is ${finish}`, async () => {
      const { model } = fake({ finishReason: { unified, raw: undefined } });
      expect((await aiSdkModel(model).generate(input, { signal })).finish).toBe(finish);
    });
  }

  test("what a filter withheld comes with the provider's word for it", async () => {
    const { model } = fake({ finishReason: { unified: "content-filter", raw: "refusal" } });
    expect(await aiSdkModel(model).generate(input, { signal })).toMatchObject({
      text: "done",
      finish: "refused",
      warnings: ["withheld: refusal"],
    });
  });

  test("an end that the SDK does not know comes with the provider's word for it", async () => {
    const { model } = fake({ finishReason: { unified: "other", raw: "MODEL_ARMOR" } }); // Google's, recorded
    expect(await aiSdkModel(model).generate(input, { signal })).toMatchObject({
      finish: "other",
      warnings: ["ended with: MODEL_ARMOR"],
    });
  });

  test("what ended without a reason was interrupted, and is tried again", async () => {
    const { model } = fake({ finishReason: { unified: "interrupted", raw: undefined } });
    await expect(aiSdkModel(model).generate(input, { signal })).rejects.toMatchObject({
      code: "model_interrupted",
      retryable: true,
    });
  });

  test("warnings are sentences, each once, and short", async () => {
    const { model } = fake({
      warnings: [
        { type: "unsupported", feature: "responseFormat", details: "the schema is left out" },
        { type: "unsupported", feature: "responseFormat", details: "the schema is left out" },
        { type: "compatibility", feature: "tools" },
        { type: "deprecated", setting: "topK", message: "use topP" },
        { type: "other", message: "x".repeat(10_000) },
      ],
    });
    expect((await aiSdkModel(model).generate(input, { signal })).warnings).toEqual([
      "unsupported: responseFormat (the schema is left out)",
      "compatibility: tools",
      "deprecated: topK (use topP)",
      `${"x".repeat(500)}…`,
    ]);
  });

  test("an output that is longer than allowed is given up", async () => {
    const { model } = fake({ content: [{ type: "text", text: "x".repeat(2_000) }] });
    await expect(
      aiSdkModel(model, { maxResponseBytes: 1_000 }).generate(input, { signal }),
    ).rejects.toMatchObject({ code: "model_failed", retryable: false });
  });

  test("of comments and an answer in JSON, the last answer counts", async () => {
    const text = (itemId: string, phase: string, words: string) => ({
      type: "text" as const,
      text: words,
      providerMetadata: { acme: { itemId, phase } },
    });
    const { model } = fake({
      content: [
        text("m1", "commentary", "I look."),
        text("m2", "final_answer", '{"a"'),
        text("m2", "final_answer", ":1}"),
      ],
    });
    const output = { name: "answer", schema: {} };
    expect((await aiSdkModel(model).generate({ ...input, output }, { signal })).text).toBe('{"a":1}');
    expect((await aiSdkModel(model).generate(input, { signal })).text).toBe('I look.{"a":1}');
  });

  test("what broke off with an error is a failure that is tried again", async () => {
    const { model } = fake({ finishReason: { unified: "error", raw: undefined } });
    await expect(aiSdkModel(model).generate(input, { signal })).rejects.toMatchObject({
      code: "model_failed",
      retryable: true,
    });
  });

  test("usage is absent unless the provider reports both numbers", async () => {
    const { model } = fake({
      usage: { ...result.usage, outputTokens: { total: undefined, text: undefined, reasoning: undefined } },
    });
    expect(await aiSdkModel(model).generate(input, { signal })).not.toHaveProperty("usage");
  });

  test("a tool that the provider ran by itself is refused: it passed no gate", async () => {
    const { model } = fake({
      content: [
        { type: "tool-call", toolCallId: "c1", toolName: "web_search", input: "{}", providerExecuted: true },
      ],
    });
    await expect(aiSdkModel(model).generate(input, { signal })).rejects.toMatchObject({
      code: "model_failed",
      retryable: false,
    });
  });
});

describe("aiSdkModel", () => {
  test("is named after provider and model", () => {
    expect(aiSdkModel(fake().model).id).toBe("acme/large");
  });

  test("takes models of specification v3", async () => {
    const model: LanguageModelV3 = {
      specificationVersion: "v3",
      provider: "acme",
      modelId: "old",
      supportedUrls: {},
      doGenerate: async () => ({
        ...result,
        finishReason: { unified: "stop", raw: "stop" },
        content: [{ type: "text", text: "hi" }],
        warnings: [],
      }),
      doStream: () => Promise.reject(new Error("not called")),
    };
    expect((await aiSdkModel(model).generate(input, { signal })).text).toBe("hi");
  });

  test("an aborted call is not made, and rejects with the signal's reason", async () => {
    const { model, options } = fake();
    await expect(
      aiSdkModel(model).generate(input, { signal: AbortSignal.abort(new Error("before")) }),
    ).rejects.toThrow("before");
    expect(options).toEqual([]);
  });

  test("a call that is aborted under way rejects with the signal's reason, whatever the provider throws", async () => {
    const controller = new AbortController();
    const model: LanguageModelV4 = {
      ...fake().model,
      doGenerate: () => {
        controller.abort(new Error("stop"));
        return Promise.reject(new Error("socket closed"));
      },
    };
    await expect(aiSdkModel(model).generate(input, { signal: controller.signal })).rejects.toThrow("stop");
  });
});
