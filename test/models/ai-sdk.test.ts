// The real provider packages, over real HTTP, against a server on the loopback interface. Their responses are recorded
// ones of the providers (Apache-2.0, vercel/ai), read from where they lie.
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aiSdkModel } from "../../src/models/ai-sdk.ts";
import type { Model, ModelInput, ModelOutput } from "../../src/ports/model.ts";

const fixtures = new URL("../../../shared/data/ai-sdk-fixtures/", import.meta.url);
const hasFixtures = existsSync(fixtures);
const reason = hasFixtures ? "" : " (skipped: ../shared/data/ai-sdk-fixtures is not here)";

const apiKey = "sk-test-4f9aK2xQ7bT1mV8cR5nZ3wY6";

const inputSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: { location: { type: "string" }, days: { type: "integer", exclusiveMinimum: 0 } },
  required: ["location"],
};

const input: ModelInput = {
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Weather in San Francisco and Rome?" },
    {
      role: "assistant",
      content: "I look it up.",
      calls: [
        { callId: "decide_1_0", tool: "weather", args: { location: "San Francisco" } },
        { callId: "decide_1_1", tool: "weather", args: { location: "Rome" } },
      ],
    },
    { role: "tool", callId: "decide_1_0", tool: "weather", content: '{"celsius":18}' },
    { role: "tool", callId: "decide_1_1", tool: "weather", content: "no data" },
    { role: "user", content: "Known now:\n{}" },
  ],
  tools: [{ name: "weather", description: "Tells the weather.", inputSchema }],
  maxOutputTokens: 321,
};

interface Provider {
  readonly name: string;
  readonly id: string;
  readonly create: (baseURL: string) => Model;
  readonly path: string;
  /** The request's whole body: nothing is in it that we did not put there. */
  readonly body: unknown;
  readonly recorded: readonly { readonly file: string; readonly output: unknown }[];
}

const systemChat = { role: "system", content: "Be brief." };
const chatBody = {
  max_tokens: 321,
  messages: [
    systemChat,
    { role: "user", content: "Weather in San Francisco and Rome?" },
    {
      role: "assistant",
      content: "I look it up.",
      tool_calls: [
        {
          id: "decide_1_0",
          type: "function",
          function: { name: "weather", arguments: '{"location":"San Francisco"}' },
        },
        {
          id: "decide_1_1",
          type: "function",
          function: { name: "weather", arguments: '{"location":"Rome"}' },
        },
      ],
    },
    { role: "tool", tool_call_id: "decide_1_0", content: '{"celsius":18}' },
    { role: "tool", tool_call_id: "decide_1_1", content: "no data" },
    { role: "user", content: "Known now:\n{}" },
  ],
  tools: [
    {
      type: "function",
      function: { name: "weather", description: "Tells the weather.", parameters: inputSchema },
    },
  ],
  tool_choice: "auto",
};

const providers: readonly Provider[] = [
  {
    name: "OpenAI, responses",
    id: "openai/gpt-5",
    create: (baseURL) => aiSdkModel(createOpenAI({ apiKey, baseURL })("gpt-5")),
    path: "/responses",
    body: {
      model: "gpt-5",
      max_output_tokens: 321,
      store: false,
      include: ["reasoning.encrypted_content"],
      input: [
        { role: "developer", content: "Be brief." },
        { role: "user", content: [{ type: "input_text", text: "Weather in San Francisco and Rome?" }] },
        { role: "assistant", content: "I look it up." },
        {
          type: "function_call",
          call_id: "decide_1_0",
          name: "weather",
          arguments: '{"location":"San Francisco"}',
        },
        { type: "function_call", call_id: "decide_1_1", name: "weather", arguments: '{"location":"Rome"}' },
        { type: "function_call_output", call_id: "decide_1_0", output: '{"celsius":18}' },
        { type: "function_call_output", call_id: "decide_1_1", output: "no data" },
        { role: "user", content: [{ type: "input_text", text: "Known now:\n{}" }] },
      ],
      tools: [
        {
          type: "function",
          name: "weather",
          description: "Tells the weather.",
          parameters: inputSchema,
          strict: false,
        },
      ],
      tool_choice: "auto",
    },
    recorded: [
      {
        file: "openai/responses/openai-phase.1.json",
        output: { text: expect.stringMatching(/\S/), calls: [], finish: "stop" },
      },
      {
        file: "openai/responses/parallel-tool-call-wrapper.1.json",
        output: {
          calls: [expect.objectContaining({ callId: "call_parallel", tool: "parallel" })],
          finish: "calls",
          usage: { inputTokens: 34, outputTokens: 28 },
        },
      },
    ],
  },
  {
    name: "OpenAI, chat completions",
    id: "openai/gpt-4.1-nano",
    create: (baseURL) => aiSdkModel(createOpenAI({ apiKey, baseURL }).chat("gpt-4.1-nano")),
    path: "/chat/completions",
    body: { model: "gpt-4.1-nano", ...chatBody },
    recorded: [
      {
        file: "openai/chat/openai-text.json",
        output: {
          text: expect.stringMatching(/^\*\*Holiday Name:\*\* Galaxy Day/),
          calls: [],
          finish: "stop",
          usage: { inputTokens: 16, outputTokens: 363 },
        },
      },
    ],
  },
  {
    name: "Anthropic",
    id: "anthropic/claude-sonnet-4-5",
    create: (baseURL) => aiSdkModel(createAnthropic({ apiKey, baseURL })("claude-sonnet-4-5")),
    path: "/messages",
    body: {
      model: "claude-sonnet-4-5",
      max_tokens: 321,
      system: [{ type: "text", text: "Be brief." }],
      messages: [
        { role: "user", content: [{ type: "text", text: "Weather in San Francisco and Rome?" }] },
        {
          role: "assistant",
          content: [
            { type: "text", text: "I look it up." },
            { type: "tool_use", id: "decide_1_0", name: "weather", input: { location: "San Francisco" } },
            { type: "tool_use", id: "decide_1_1", name: "weather", input: { location: "Rome" } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "decide_1_0", content: '{"celsius":18}' },
            { type: "tool_result", tool_use_id: "decide_1_1", content: "no data" },
            { type: "text", text: "Known now:\n{}" },
          ],
        },
      ],
      tools: [{ name: "weather", description: "Tells the weather.", input_schema: inputSchema }],
      tool_choice: { type: "auto" },
    },
    recorded: [
      {
        file: "anthropic/anthropic-text.json",
        output: {
          text: expect.stringMatching(/^Hello! I'm doing well/),
          calls: [],
          finish: "stop",
          usage: { inputTokens: 12, outputTokens: 29 },
        },
      },
      {
        file: "anthropic/anthropic-tool-no-args.json",
        output: {
          text: expect.stringContaining("I will update the current issue list"),
          calls: [{ callId: "toolu_01LRmxn9vGM1d2DZSDBowdZ1", tool: "updateIssueList", args: {} }],
          finish: "calls",
          usage: { inputTokens: 602, outputTokens: 93 },
        },
      },
      {
        file: "anthropic/anthropic-json-other-tool.1.json",
        output: {
          text: "",
          calls: [
            {
              callId: "toolu_01PQjhxo3eirCdKNvCJrKc8f",
              tool: "weather",
              args: { location: "San Francisco" },
            },
          ],
          finish: "calls",
        },
      },
    ],
  },
  {
    name: "Google",
    id: "google/gemini-2.5-flash",
    create: (baseURL) => aiSdkModel(createGoogle({ apiKey, baseURL })("gemini-2.5-flash")),
    path: "/models/gemini-2.5-flash:generateContent",
    body: {
      generationConfig: { maxOutputTokens: 321 },
      systemInstruction: { parts: [{ text: "Be brief." }] },
      contents: [
        { role: "user", parts: [{ text: "Weather in San Francisco and Rome?" }] },
        {
          role: "model",
          parts: [
            { text: "I look it up." },
            { functionCall: { id: "decide_1_0", name: "weather", args: { location: "San Francisco" } } },
            { functionCall: { id: "decide_1_1", name: "weather", args: { location: "Rome" } } },
          ],
        },
        {
          role: "user",
          parts: [
            {
              functionResponse: {
                id: "decide_1_0",
                name: "weather",
                response: { name: "weather", content: '{"celsius":18}' },
              },
            },
            {
              functionResponse: {
                id: "decide_1_1",
                name: "weather",
                response: { name: "weather", content: "no data" },
              },
            },
          ],
        },
        { role: "user", parts: [{ text: "Known now:\n{}" }] },
      ],
      tools: [
        {
          functionDeclarations: [
            { name: "weather", description: "Tells the weather.", parametersJsonSchema: inputSchema },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: "AUTO" } },
    },
    recorded: [
      {
        file: "google/google-text.json",
        output: { text: expect.stringMatching(/\S/), calls: [], finish: "stop" },
      },
      {
        file: "google/google-tool-call.json",
        output: {
          text: "",
          calls: [{ callId: expect.any(String), tool: "weather", args: { location: "San Francisco" } }],
          finish: "calls",
          usage: { inputTokens: 29, outputTokens: 908 },
        },
      },
    ],
  },
  {
    name: "OpenAI-compatible",
    id: "local/llama",
    create: (baseURL) => aiSdkModel(createOpenAICompatible({ name: "local", apiKey, baseURL })("llama")),
    path: "/chat/completions",
    body: { model: "llama", ...chatBody },
    recorded: [
      {
        file: "openai-compatible/chat/xai-text.json",
        output: { text: expect.stringMatching(/\S/), calls: [], finish: "stop" },
      },
      {
        file: "openai-compatible/chat/xai-tool-call.json",
        output: {
          text: "",
          calls: [{ callId: "call_46427107", tool: "weather", args: { location: "San Francisco" } }],
          finish: "calls",
          usage: { inputTokens: 307, outputTokens: 26 },
        },
      },
      {
        file: "groq/groq-tool-call.json",
        output: { calls: [{ callId: "ax9fskhev", tool: "weather", args: {} }], finish: "calls" },
      },
      {
        file: "mistral/mistral-tool-call.json",
        output: {
          calls: [{ callId: "gSIMJiOkT", tool: "weather", args: { location: "San Francisco" } }],
          finish: "calls",
        },
      },
      {
        file: "deepseek/chat/deepseek-tool-call.json",
        output: {
          calls: [
            {
              callId: "call_00_9V0vrf86Pc9aelHCJMZqnJBo",
              tool: "weather",
              args: { location: "San Francisco" },
            },
          ],
          usage: { inputTokens: 339, outputTokens: 92 },
        },
      },
    ],
  },
];

interface Received {
  readonly path: string;
  readonly body: unknown;
}

let server: Server;
let baseURL: string;
let respond: (response: ServerResponse) => void;
let received: Received[];

beforeEach(async () => {
  received = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ path: request.url ?? "", body: JSON.parse(body) });
      respond(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listens on a port, so it has one
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function respondWith(
  status: number,
  body: string,
  headers: Record<string, string> = { "content-type": "application/json" },
): void {
  respond = (response) => response.writeHead(status, headers).end(body);
}

function generate(model: Model, signal: AbortSignal = new AbortController().signal): Promise<ModelOutput> {
  return model.generate(input, { signal });
}

for (const provider of providers) {
  describe(provider.name, () => {
    describe.skipIf(!hasFixtures)(`recorded responses${reason}`, () => {
      for (const { file, output } of provider.recorded) {
        test(`${file} comes out right, for a request that is the model input`, async () => {
          respondWith(200, readFileSync(new URL(file, fixtures), "utf8"));
          const model = provider.create(baseURL);
          expect(model.id).toBe(provider.id);
          expect(await generate(model)).toMatchObject(output as object);
          expect(received).toEqual([{ path: provider.path, body: provider.body }]);
        });
      }
    });

    const failures = [
      {
        name: "a refused key",
        status: 401,
        body: `{"error":{"message":"Incorrect API key provided: ${apiKey}","type":"auth","code":"invalid_api_key"}}`,
        retryable: false,
      },
      { name: "a key without the right", status: 403, body: "", retryable: false },
      { name: "a model that is not there", status: 404, body: "", retryable: false },
      {
        name: "too many requests",
        status: 429,
        body: '{"error":{"message":"slow down","type":"rate_limit","code":429,"status":"RESOURCE_EXHAUSTED"}}',
        code: "model_throttled",
        retryable: true,
      },
      {
        name: "a server's error",
        status: 500,
        body: '{"error":{"message":"oops","type":"server_error","code":500,"status":"INTERNAL"}}',
        retryable: true,
      },
      {
        name: "a gateway's page",
        status: 502,
        body: "<html><body>Bad Gateway</body></html>",
        retryable: true,
      },
      {
        name: "a page instead of an answer",
        status: 200,
        body: "<!doctype html><p>Welcome to the Wi-Fi</p>",
        retryable: true,
      },
      {
        name: "an answer that is cut off",
        status: 200,
        body: '{"id":"1","choices":[{"index":0,"mess',
        retryable: true,
      },
    ];
    for (const { name, status, body, code = "model_failed", retryable } of failures) {
      test(`${name} (HTTP ${status}) is ${retryable ? "" : "not "}tried again, and is asked for once`, async () => {
        respondWith(status, body);
        const error = await generate(provider.create(baseURL)).catch((caught: unknown) => caught);
        expect(error).toMatchObject({ code, retryable });
        const { message, fix = "" } = error as { message: string; fix?: string };
        expect(message).toMatch(new RegExp(`^${provider.id.replace(".", "\\.")} .*\\(HTTP ${status}\\)`));
        expect(message + fix).not.toContain(apiKey);
        expect(received).toHaveLength(1);
      });
    }

    test("a connection that breaks in the middle is tried again", async () => {
      respond = (response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
        response.write('{"id":', () => response.destroy());
      };
      await expect(generate(provider.create(baseURL))).rejects.toMatchObject({
        code: "model_interrupted",
        retryable: true,
      });
    });

    test("a server that is not there is tried again", async () => {
      const unused = createServer();
      await new Promise<void>((resolve) => unused.listen(0, "127.0.0.1", resolve));
      const { port } = unused.address() as AddressInfo; // as above
      await new Promise((resolve) => unused.close(resolve));
      await expect(generate(provider.create(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
        code: "model_failed",
        retryable: true,
      });
    });

    test("an abort ends the request, and rejects with the signal's reason", async () => {
      const controller = new AbortController();
      const hungUp = new Promise<void>((resolve) => {
        respond = (response) => {
          response.once("close", resolve);
          controller.abort(new Error("stop"));
        };
      });
      await expect(generate(provider.create(baseURL), controller.signal)).rejects.toThrow("stop");
      await hungUp;
    });
  });
}

describe.skipIf(!hasFixtures)(`recorded refusals${reason}`, () => {
  test("Anthropic's refusal is one", async () => {
    respondWith(200, readFileSync(new URL("anthropic/anthropic-refusal.json", fixtures), "utf8"));
    const model = aiSdkModel(createAnthropic({ apiKey, baseURL })("claude-sonnet-4-5"));
    expect(await generate(model)).toMatchObject({
      text: "",
      calls: [],
      finish: "refused",
      warnings: ["withheld: refusal"],
    });
  });

  test("OpenAI's empty account is not waited for, though its status says so", async () => {
    respondWith(429, readFileSync(new URL("openai/responses/openai-error.1.json", fixtures), "utf8"));
    const model = aiSdkModel(createOpenAI({ apiKey, baseURL })("gpt-5"));
    await expect(generate(model)).rejects.toMatchObject({ code: "model_failed", retryable: false });
  });

  test("Google's rate limit is tried again", async () => {
    respondWith(429, readFileSync(new URL("google/google-429-retry-info.json", fixtures), "utf8"));
    const model = aiSdkModel(createGoogle({ apiKey, baseURL })("gemini-2.5-flash"));
    await expect(generate(model)).rejects.toMatchObject({
      code: "model_throttled",
      retryable: true,
      retryAfterMs: 34_400,
      message: expect.stringContaining("HTTP 429"),
    });
  });
});
