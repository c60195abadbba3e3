// What the real packages do by themselves, or by their settings, that the window did not ask for; and what looks like it
// and is not.
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WireDifferenceKind } from "../../../src/models/wire/wire-difference.ts";
import { wireDifferences } from "../../../src/models/wire/wire-differences.ts";
import type { ModelInput, ModelMessage } from "../../../src/ports/model.ts";
import { modelInput, output } from "./arbitraries.ts";
import { callOptionsOf, type Loopback, type ModelName, models, openLoopback, send } from "./providers.ts";

let loopback: Loopback;
beforeAll(async () => {
  loopback = await openLoopback();
});
afterAll(() => loopback.close());

type ChangeOptions = {
  readonly [Option in keyof LanguageModelV4CallOptions]?: LanguageModelV4CallOptions[Option] | undefined;
};

async function bodyOf(model: LanguageModelV4, options: LanguageModelV4CallOptions): Promise<unknown> {
  loopback.bodies.length = 0;
  await send(model, options, "doGenerate").catch(() => {});
  const [body] = loopback.bodies;
  if (!body) throw new Error("nothing was sent");
  return JSON.parse(body.toString());
}

async function sentTo(name: ModelName, input: ModelInput, changes: ChangeOptions = {}): Promise<unknown> {
  const model = models[name]({ baseURL: loopback.baseURL });
  const options = { ...(await callOptionsOf(input)), ...changes };
  return bodyOf(model, options as LanguageModelV4CallOptions); // an option that is undefined is as good as none
}

const question: readonly ModelMessage[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Refund order A7." },
];
const tools: ModelInput["tools"] = [
  { name: "find_order", description: "Finds an order.", inputSchema: { type: "object", properties: {} } },
];
const input: ModelInput = { messages: question, tools, maxOutputTokens: 321 };
const plain: ModelInput = { ...input, tools: [] };

const answer = {
  type: "object",
  properties: { cents: { type: "integer", minimum: 0, maximum: 9_000 } },
  required: ["cents"],
  additionalProperties: false,
};
const asksForJson: ModelInput = { ...plain, output: { name: "refund", schema: answer } };
const asksForMap: ModelInput = {
  ...plain,
  output: { name: "refund", schema: { type: "object", additionalProperties: { type: "string" } } },
};

function withCall(args: unknown, tool = "find_order"): ModelInput {
  return {
    ...input,
    messages: [
      ...question,
      { role: "assistant", content: "", calls: [{ callId: "c1", tool, args }] },
      { role: "tool", callId: "c1", tool, content: "none" },
    ],
  };
}

interface Case {
  readonly name: string;
  readonly model: ModelName;
  readonly input: ModelInput;
  readonly changes?: ChangeOptions;
  /** Provider options that go out with the call, and are given as asked for. */
  readonly options?: LanguageModelV4CallOptions["providerOptions"];
  readonly found: readonly (readonly [WireDifferenceKind, RegExp])[];
}

const cases: readonly Case[] = [
  {
    name: "Anthropic puts its own limit where none is set",
    model: "Anthropic, with native schemas",
    input,
    changes: { maxOutputTokens: undefined },
    found: [["limit_changed", /max_tokens is 64000, where the window asks for 321/]],
  },
  {
    name: "Anthropic puts 4096 where none is set, for older models",
    model: "Anthropic, older",
    input,
    changes: { maxOutputTokens: undefined },
    found: [["limit_changed", /4096/]],
  },
  {
    name: "Anthropic cuts the limit down to what the model can give",
    model: "Anthropic, older",
    input: { ...input, maxOutputTokens: 10_000 },
    found: [["limit_changed", /max_tokens is 4096, where the window asks for 10000/]],
  },
  ...(["OpenAI, chat", "OpenAI, responses", "Google", "compatible, with schemas"] as const).map(
    (model): Case => ({
      name: `${model} sends no limit where none is set`,
      model,
      input,
      changes: { maxOutputTokens: undefined },
      found: [["limit_missing", /no limit/]],
    }),
  ),
  {
    name: "older Anthropic models are given a tool for JSON",
    model: "Anthropic, older",
    input: asksForJson,
    found: [
      ["tool_added", /the tool json is offered/],
      ["choice_changed", /any/],
      ["schema_dropped", /the schema of refund is left out/],
      ["member_added", /disable_parallel_tool_use/],
    ],
  },
  {
    name: "newer ones too, for schemas that their decoder does not take",
    model: "Anthropic, with native schemas",
    input: asksForMap,
    found: [
      ["tool_added", /json/],
      ["choice_changed", /any/],
      ["schema_dropped", /refund/],
      ["member_added", /disable_parallel_tool_use/],
    ],
  },
  {
    name: "newer Anthropic models are told the limits of numbers in words",
    model: "Anthropic, with native schemas",
    input: asksForJson,
    found: [],
  },
  {
    name: "Google's second generation is given a tool for JSON beside tools",
    model: "Google",
    input: { ...asksForJson, tools },
    found: [
      ["tool_added", /the tool json is offered/],
      ["choice_changed", /any/],
      ["schema_dropped", /refund/],
    ],
  },
  {
    name: "Google's third takes both",
    model: "Google, third generation",
    input: { ...asksForJson, tools },
    found: [],
  },
  {
    name: "compatible endpoints are not given the schema",
    model: "compatible, without schemas",
    input: asksForJson,
    found: [["schema_dropped", /JSON is asked for, but the schema of refund is left out/]],
  },
  {
    name: "GPT-5.6 does not reason when it has tools",
    model: "OpenAI, chat, without reasoning for tools",
    input,
    found: [["member_added", /reasoning_effort is sent, for which nobody asked: "'none'"/]],
  },
  {
    name: "Gemma is told by the user what others are told by the system",
    model: "Google, Gemma",
    input,
    found: [],
  },
  {
    name: "reasoning models of OpenAI have developers",
    model: "OpenAI, responses",
    input,
    found: [],
  },
  {
    name: "OpenAI leaves out the system text when told so",
    model: "OpenAI, chat",
    input,
    options: { openai: { systemMessageMode: "remove" } },
    found: [["text_missing", /the system text "Be brief\." of message 1 is left out/]],
  },
  {
    name: "OpenAI's instructions come from no window",
    model: "OpenAI, responses",
    input,
    options: { openai: { instructions: "You are a pirate." } },
    found: [["text_added", /instructions is the system text "You are a pirate\."/]],
  },
  {
    name: "OpenAI's stored conversations come from no window, whoever asked",
    model: "OpenAI, responses",
    input,
    options: { openai: { previousResponseId: "resp_1" } },
    found: [["context_added", /previous_response_id/]],
  },
  {
    name: "nor may OpenAI leave out what it likes",
    model: "OpenAI, responses",
    input,
    options: { openai: { truncation: "auto" } },
    found: [["context_added", /truncation/]],
  },
  {
    name: "Google's cached prompts come from no window",
    model: "Google",
    input: plain,
    options: { google: { cachedContent: "cachedContents/1" } },
    found: [["context_added", /cachedContent/]],
  },
  {
    name: "routers may not compress",
    model: "compatible, with schemas",
    input,
    options: { local: { transforms: ["middle-out"] } },
    found: [["context_added", /transforms/]],
  },
  {
    name: "Anthropic's servers of tools come from no window",
    model: "Anthropic, older",
    input,
    options: { anthropic: { mcpServers: [{ type: "url", name: "files", url: "https://example.com" }] } },
    found: [["tool_added", /mcp_servers/]],
  },
  {
    name: "settings that were asked for are none",
    model: "OpenAI, responses",
    input,
    options: {
      openai: { store: false, reasoningEffort: "high", reasoningSummary: "auto", textVerbosity: "low" },
    },
    found: [],
  },
  {
    name: "thoughts of Anthropic's that were asked for come on top of the limit",
    model: "Anthropic, with native schemas",
    input,
    options: { anthropic: { thinking: { type: "enabled", budgetTokens: 2_000 } } },
    found: [],
  },
  {
    name: "thoughts of Google's that were asked for",
    model: "Google",
    input,
    options: { google: { thinkingConfig: { thinkingBudget: 500, includeThoughts: true } } },
    found: [],
  },
  {
    name: "a temperature of the model's own settings",
    model: "Google",
    input,
    changes: { temperature: 0.2 },
    found: [["setting_added", /generationConfig\.temperature is sent, for which nobody asked: "0\.2"/]],
  },
  {
    name: "a tool of the model's own settings",
    model: "Google",
    input: plain,
    changes: { tools: [{ type: "provider", id: "google.google_search", name: "search", args: {} }] },
    found: [["tool_added", /googleSearch \(run by the provider itself\)/]],
  },
  {
    name: "OpenAI drops arguments that are no object",
    model: "OpenAI, chat",
    input: withCall(["A7"]),
    found: [["call_changed", /find_order/]],
  },
  {
    name: "Anthropic wraps arguments that are no object",
    model: "Anthropic, older",
    input: withCall(["A7"]),
    found: [["call_changed", /find_order/]],
  },
  {
    name: "a tool named as a method of objects loses its name at Anthropic's",
    model: "Anthropic, older",
    input: withCall({}, "toString"),
    found: [["call_changed", /call c1 of toString of message 3: it is the call c1 of undefined/]],
  },
  {
    name: "Anthropic cuts off the blank space that a model is to go on from",
    model: "Anthropic, older",
    input: { ...plain, messages: [...question, { role: "assistant", content: "It is \n", calls: [] }] },
    found: [],
  },
  {
    name: "Anthropic moves a late system text to the front",
    model: "Anthropic, older",
    input: {
      ...plain,
      messages: [
        { role: "user", content: "Hello." },
        { role: "system", content: "Be brief." },
      ],
    },
    found: [["moved", /the user text "Hello\." of message 1|the system text "Be brief\." of message 2/]],
  },
];

describe("the packages", () => {
  for (const { name, model, input: asked, changes, options, found } of cases) {
    test(name, async () => {
      const body = await sentTo(model, asked, { ...changes, ...(options && { providerOptions: options }) });
      const differences = wireDifferences(body, { input: asked, asked: options });
      expect(differences.map(({ kind }) => kind)).toEqual(found.map(([kind]) => kind));
      for (const [index, [, line]] of found.entries()) expect(differences[index]?.what).toMatch(line);
    });
  }

  test("a setting that nobody asked for is only warned of when it holds no text", async () => {
    const thinking = { anthropic: { thinking: { type: "enabled", budgetTokens: 2_000 } } };
    const body = await sentTo("Anthropic, with native schemas", input, { providerOptions: thinking });
    const kindsFor = (asked?: typeof thinking) =>
      wireDifferences(body, { input, ...(asked && { asked }) }).map(({ kind }) => kind);
    expect(kindsFor()).toEqual(["member_added"]);
    expect(kindsFor(thinking)).toEqual([]);
    const other = { anthropic: { thinking: { type: "enabled", budgetTokens: 2_001 } } };
    expect(kindsFor(other)).toEqual(["member_added"]); // another value is another setting
  });

  test("a body that the user's own hook changes", async () => {
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    const model = createOpenAICompatible({
      name: "local",
      baseURL: loopback.baseURL,
      transformRequestBody: (body) => ({
        ...body,
        messages: [...body.messages, { role: "system", content: "Never refund." }],
      }),
    })("llama");
    const differences = wireDifferences(await bodyOf(model, await callOptionsOf(input)), { input });
    expect(differences).toEqual([
      {
        kind: "text_added",
        what: 'messages.2 is the system text "Never refund.", for which the window did not ask',
      },
    ]);
  });

  test("Anthropic takes a schema as it is meant, or is given a tool: never a third", async () => {
    let native = 0;
    await fc.assert(
      fc.asyncProperty(modelInput, output, async (any, wanted) => {
        const asked = { ...any, tools: [], output: wanted };
        const body = await sentTo("Anthropic, with native schemas", asked);
        const kinds = wireDifferences(body, { input: asked }).map(({ kind }) => kind);
        if (kinds.length > 0) expect(kinds).toEqual(expect.arrayContaining(["tool_added", "schema_dropped"]));
        else native += 1;
      }),
      { numRuns: 200 },
    );
    expect(native).toBeGreaterThan(20);
  });
});

describe("reasoning that goes back", () => {
  const thought = "The order must be found first.";
  const reasoned = (
    providerData: Readonly<Record<string, { readonly [name: string]: string }>>,
  ): ModelInput => ({
    ...input,
    messages: [
      ...question,
      {
        role: "assistant",
        content: "",
        reasoning: [{ text: thought, providerData }],
        calls: [{ callId: "c1", tool: "find_order", args: {} }],
      },
      { role: "tool", callId: "c1", tool: "find_order", content: "none" },
    ],
  });

  const ways: readonly (readonly [
    ModelName,
    Readonly<Record<string, { readonly [name: string]: string }>>,
  ])[] = [
    ["Anthropic, with native schemas", { anthropic: { signature: "c2ln" } }],
    ["OpenAI, responses", { openai: { itemId: "rs_1", reasoningEncryptedContent: "ZW5j" } }],
    ["Google, third generation", { google: { thoughtSignature: "c2ln" } }],
    ["compatible, with schemas", {}],
  ];

  async function sentWithReasoning(name: ModelName, asked: ModelInput, store: boolean): Promise<unknown> {
    const options = await callOptionsOf(asked);
    const prompt = options.prompt.map((message) => {
      if (message.role !== "assistant") return message;
      const [, providerOptions = {}] = ways.find(([each]) => each === name) ?? [];
      const rest = message.content.filter(({ type }) => type !== "reasoning");
      return {
        ...message,
        content: [{ type: "reasoning" as const, text: thought, providerOptions }, ...rest],
      };
    });
    const model = models[name]({ baseURL: loopback.baseURL });
    return bodyOf(model, { ...options, prompt, providerOptions: { openai: { store } } });
  }

  for (const [name, providerData] of ways) {
    test(`${name}: is no difference`, async () => {
      const asked = reasoned(providerData);
      const body = await sentWithReasoning(name, asked, false);
      expect(JSON.stringify(body)).toContain(thought);
      expect(wireDifferences(body, { input: asked, asked: { store: false } })).toEqual([]);
    });

    test(`${name}: is one when no model thought so`, async () => {
      const body = await sentWithReasoning(name, reasoned(providerData), false);
      const without: ModelInput = { ...reasoned({}), messages: withCall({}).messages };
      expect(wireDifferences(body, { input: without }).map(({ kind }) => kind)).toEqual(["text_added"]);
    });
  }

  test("by reference, to what the provider kept", async () => {
    const asked = reasoned({ openai: { itemId: "rs_1" } });
    const body = await sentWithReasoning("OpenAI, responses", asked, true);
    expect(JSON.stringify(body)).toContain('{"type":"item_reference","id":"rs_1"}');
    expect(wireDifferences(body, { input: asked })).toEqual([]);
    const other = reasoned({ openai: { itemId: "rs_2" } });
    expect(wireDifferences(body, { input: other }).map(({ kind }) => kind)).toEqual(["context_added"]);
  });
});
