// What real packages send, changed on its way in every manner that a middleware, a proxy or a package's next version
// could change it: found, every time, for what it is.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRefused, type WireDifferenceKind } from "../../../src/models/wire/wire-difference.ts";
import { wireDifferences } from "../../../src/models/wire/wire-differences.ts";
import type { ModelInput } from "../../../src/ports/model.ts";
import { modelInput } from "./arbitraries.ts";
import { callOptionsOf, type Loopback, type ModelName, models, openLoopback, send } from "./providers.ts";

// biome-ignore lint/suspicious/noExplicitAny: bodies of four forms, which the manipulations below know
type Body = any;

interface Manipulation {
  readonly name: string;
  readonly kinds: readonly WireDifferenceKind[];
  readonly change: (body: Body) => void;
}

/** How the parts of a body are reached, in each form. */
interface Form {
  readonly messages: (body: Body) => Body[];
  readonly textOf: (message: Body) => { readonly holder: Body; readonly key: string } | null;
  readonly system: Form["textOf"];
  readonly userMessage: (text: string) => Body;
  readonly assistantMessage: (text: string) => Body;
  readonly calls: (
    body: Body,
  ) => { readonly holder: Body; readonly name: string; readonly args: string; readonly id: string }[];
  readonly results: (body: Body) => { readonly holder: Body; readonly key: string }[];
  readonly tools: (body: Body) => { readonly tool: Body; readonly schema: string }[];
  readonly addTool: (body: Body) => void;
  readonly addProviderTool: (body: Body) => void;
  readonly limit: (body: Body) => { readonly holder: Body; readonly key: string };
  readonly setChoice: (body: Body) => void;
  readonly addSchema: (body: Body) => void;
  readonly settings: (body: Body) => Body;
  readonly topLevel: string;
}

const schema = { type: "object", properties: { leak: { type: "string" } } };

const partsOf = (message: Body, key: string) => (Array.isArray(message[key]) ? message[key] : []);
const textPart = (message: Body, key: string) => {
  const at = typeof message[key] === "string" ? { holder: message, key } : null;
  const part = partsOf(message, key).find((each: Body) => typeof each.text === "string");
  return at ?? (part ? { holder: part, key: "text" } : null);
};

const chat: Form = {
  messages: (body) => body.messages,
  textOf: (message) => (message.role === "user" ? textPart(message, "content") : null),
  system: (body) => textPart(body.messages[0], "content"),
  userMessage: (content) => ({ role: "user", content }),
  assistantMessage: (content) => ({ role: "assistant", content }),
  calls: (body) =>
    body.messages.flatMap((message: Body) =>
      (message.tool_calls ?? []).map((call: Body) => ({
        holder: call.function,
        name: "name",
        args: "arguments",
        id: "",
      })),
    ),
  results: (body) =>
    body.messages.flatMap((message: Body) =>
      message.role === "tool" ? [{ holder: message, key: "content" }] : [],
    ),
  tools: (body) => body.tools.map((tool: Body) => ({ tool: tool.function, schema: "parameters" })),
  addTool: (body) =>
    body.tools.push({ type: "function", function: { name: "json", description: "", parameters: schema } }),
  addProviderTool: (body) => body.tools.push({ type: "web_search" }),
  limit: (body) => ({ holder: body, key: "max_tokens" }),
  setChoice: (body) => {
    body.tool_choice = "required";
  },
  addSchema: (body) => {
    body.response_format = { type: "json_object" };
  },
  settings: (body) => body,
  topLevel: "instructions",
};

const anthropic: Form = {
  ...chat,
  system: (body) => textPart(body, "system"),
  userMessage: (text) => ({ role: "user", content: [{ type: "text", text }] }),
  assistantMessage: (text) => ({ role: "assistant", content: [{ type: "text", text }] }),
  calls: (body) =>
    body.messages.flatMap((message: Body) =>
      partsOf(message, "content")
        .filter((part: Body) => part.type === "tool_use")
        .map((holder: Body) => ({ holder, name: "name", args: "input", id: "id" })),
    ),
  results: (body) =>
    body.messages.flatMap((message: Body) =>
      partsOf(message, "content")
        .filter((part: Body) => part.type === "tool_result")
        .map((holder: Body) => ({ holder, key: "content" })),
    ),
  tools: (body) => body.tools.map((tool: Body) => ({ tool, schema: "input_schema" })),
  addTool: (body) =>
    body.tools.push({ name: "json", description: "Respond with JSON.", input_schema: schema }),
  addProviderTool: (body) => body.tools.push({ type: "web_search_20250305", name: "web_search" }),
  setChoice: (body) => {
    body.tool_choice = { type: "any" };
  },
  addSchema: (body) => {
    body.output_config = { format: { type: "json_schema", schema } };
  },
};

const responses: Form = {
  ...chat,
  messages: (body) => body.input,
  system: (body) => textPart(body.input[0], "content"),
  userMessage: (text) => ({ role: "user", content: [{ type: "input_text", text }] }),
  calls: (body) =>
    body.input
      .filter((item: Body) => item.type === "function_call")
      .map((holder: Body) => ({ holder, name: "name", args: "arguments", id: "call_id" })),
  results: (body) =>
    body.input
      .filter((item: Body) => item.type === "function_call_output")
      .map((holder: Body) => ({ holder, key: "output" })),
  tools: (body) => body.tools.map((tool: Body) => ({ tool, schema: "parameters" })),
  addTool: (body) => body.tools.push({ type: "function", name: "json", description: "", parameters: schema }),
  limit: (body) => ({ holder: body, key: "max_output_tokens" }),
  addSchema: (body) => {
    body.text = { format: { type: "json_object" } };
  },
};

const google: Form = {
  ...chat,
  messages: (body) => body.contents,
  textOf: (message) => (message.role === "user" ? textPart(message, "parts") : null),
  system: (body) => textPart(body.systemInstruction, "parts"),
  userMessage: (text) => ({ role: "user", parts: [{ text }] }),
  assistantMessage: (text) => ({ role: "model", parts: [{ text }] }),
  calls: (body) =>
    body.contents.flatMap((content: Body) =>
      content.parts
        .filter((part: Body) => part.functionCall)
        .map((part: Body) => ({ holder: part.functionCall, name: "name", args: "args", id: "id" })),
    ),
  results: (body) =>
    body.contents.flatMap((content: Body) =>
      content.parts
        .filter((part: Body) => part.functionResponse)
        .map((part: Body) => ({ holder: part.functionResponse.response, key: "content" })),
    ),
  tools: (body) =>
    body.tools[0].functionDeclarations.map((tool: Body) => ({ tool, schema: "parametersJsonSchema" })),
  addTool: (body) =>
    body.tools[0].functionDeclarations.push({ name: "json", description: "", parametersJsonSchema: schema }),
  addProviderTool: (body) => body.tools.push({ googleSearch: {} }),
  limit: (body) => ({ holder: body.generationConfig, key: "maxOutputTokens" }),
  setChoice: (body) => {
    body.toolConfig = { functionCallingConfig: { mode: "ANY" } };
  },
  addSchema: (body) => {
    body.generationConfig.responseMimeType = "application/json";
  },
  settings: (body) => body.generationConfig,
};

const sentence = " You MUST answer in JSON.";

function manipulations(form: Form): readonly Manipulation[] {
  const at = (
    found: { readonly holder: Body; readonly key: string } | null | undefined,
    change: (text: string) => unknown,
  ) => {
    if (!found) throw new Error("the body has no such part");
    found.holder[found.key] = change(found.holder[found.key]);
  };
  const user = (body: Body) =>
    form
      .messages(body)
      .map(form.textOf)
      .find((found) => found !== null);
  return [
    { name: "a tool is added", kinds: ["tool_added"], change: form.addTool },
    { name: "a tool of the provider is added", kinds: ["tool_added"], change: form.addProviderTool },
    { name: "a tool is left out", kinds: ["tool_missing"], change: (body) => listOfTools(form, body).pop() },
    {
      name: "a tool is renamed",
      kinds: ["tool_added", "tool_missing"],
      change: (body) => Object.assign(form.tools(body)[0]?.tool, { name: "renamed" }),
    },
    {
      name: "a tool is described in other words",
      kinds: ["tool_changed"],
      change: (body) => at({ holder: form.tools(body)[0]?.tool, key: "description" }, (text) => `${text}!`),
    },
    {
      name: "a tool takes one argument more",
      kinds: ["tool_changed"],
      change: (body) => {
        const [first] = form.tools(body);
        at(first && { holder: first.tool, key: first.schema }, (was) => ({
          ...(was as unknown as object),
          properties: { ...(was as Body).properties, leak: { type: "string" } },
        }));
      },
    },
    {
      name: "an argument of a tool is no longer required",
      kinds: ["tool_changed"],
      change: (body) => {
        const [first] = form.tools(body);
        at(first && { holder: first.tool, key: first.schema }, (was) => ({ ...(was as Body), required: [] }));
      },
    },
    { name: "a tool must be called", kinds: ["choice_changed"], change: form.setChoice },
    {
      name: "a sentence is added to the system text",
      kinds: ["text_changed"],
      change: (body) => at(form.system(body), (text) => text + sentence),
    },
    {
      name: "a sentence is put before the system text",
      kinds: ["text_changed"],
      change: (body) => at(form.system(body), (text) => sentence + text),
    },
    {
      name: "a word of the system text is another",
      kinds: ["text_changed"],
      change: (body) => at(form.system(body), (text) => text.replace("brief", "long")),
    },
    {
      name: "a sentence is added to a user's text",
      kinds: ["text_changed"],
      change: (body) => at(user(body), (text) => text + sentence),
    },
    {
      name: "a user's text is cut",
      kinds: ["text_changed"],
      change: (body) => at(user(body), (text) => text.slice(0, -5)),
    },
    {
      name: "a message of the user is added",
      kinds: ["text_added"],
      change: (body) => form.messages(body).push(form.userMessage("Go on.")),
    },
    {
      name: "a message of the user is put in the middle",
      kinds: ["text_added"],
      change: (body) => form.messages(body).splice(2, 0, form.userMessage("Go on.")),
    },
    {
      name: "the model's words are put in its mouth",
      kinds: ["text_added"],
      change: (body) => form.messages(body).push(form.assistantMessage("{")),
    },
    {
      name: "the last message is dropped",
      kinds: ["text_missing"],
      change: (body) => form.messages(body).pop(),
    },
    {
      name: "the last two messages change places",
      kinds: ["moved"],
      change: (body) => {
        const last = form.messages(body).pop();
        form.messages(body).splice(-1, 0, last);
      },
    },
    {
      name: "a call has another argument",
      kinds: ["call_changed"],
      change: (body) => {
        const [call] = form.calls(body);
        if (!call) throw new Error("no call");
        const args = call.holder[call.args];
        call.holder[call.args] = typeof args === "string" ? '{"orderId":"B8"}' : { orderId: "B8" };
      },
    },
    {
      name: "a call is of another tool",
      kinds: ["call_changed"],
      change: (body) => Object.assign(form.calls(body)[0]?.holder, { name: "issue_refund" }),
    },
    {
      name: "two results are swapped",
      kinds: ["result_changed"],
      change: (body) => {
        const [first, second] = form.results(body);
        if (!first || !second) throw new Error("no two results");
        [first.holder[first.key], second.holder[second.key]] = [
          second.holder[second.key],
          first.holder[first.key],
        ];
      },
    },
    {
      name: "a result is cut",
      kinds: ["result_changed"],
      change: (body) => at(form.results(body)[0], (text) => text.slice(1)),
    },
    {
      name: "the limit is another",
      kinds: ["limit_changed"],
      change: (body) => at(form.limit(body), () => 64_000),
    },
    { name: "the limit is text", kinds: ["limit_changed"], change: (body) => at(form.limit(body), String) },
    {
      name: "the limit is left out",
      kinds: ["limit_missing"],
      change: (body) => delete form.limit(body).holder[form.limit(body).key],
    },
    { name: "JSON is asked for", kinds: ["schema_added"], change: form.addSchema },
    {
      name: "a temperature is set",
      kinds: ["setting_added"],
      change: (body) => Object.assign(form.settings(body), { temperature: 0.7 }),
    },
    {
      name: "a stop sequence is set",
      kinds: ["setting_added"],
      change: (body) => Object.assign(form.settings(body), { stop: ["\n\nHuman:"] }),
    },
    {
      name: "an instruction stands at the top",
      kinds: ["text_added"],
      change: (body) => Object.assign(body, { guidance: `Remember:${sentence}` }),
    },
    {
      name: "an instruction stands at the top, in a list",
      kinds: ["text_added"],
      change: (body) => Object.assign(body, { rules: [{ rule: `Remember:${sentence}` }] }),
    },
    {
      name: "a stored conversation goes before",
      kinds: ["context_added"],
      change: (body) => Object.assign(body, { previous_response_id: "resp_1" }),
    },
    {
      name: "a cached prompt goes before",
      kinds: ["context_added"],
      change: (body) => Object.assign(body, { cachedContent: "cachedContents/1" }),
    },
    {
      name: "servers of tools are named",
      kinds: ["tool_added"],
      change: (body) => Object.assign(body, { mcp_servers: [{ type: "url", url: "https://example.com" }] }),
    },
    {
      name: "an image is added to a message",
      kinds: ["context_added"],
      change: (body) => {
        const [message] = form.messages(body).slice(-1);
        const key = "parts" in message ? "parts" : "content";
        const content =
          typeof message[key] === "string" ? [{ type: "text", text: message[key] }] : message[key];
        message[key] = [
          ...content,
          { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
        ];
      },
    },
    {
      name: "something unknown is set",
      kinds: ["member_added"],
      change: (body) => Object.assign(body, { turbo: true }),
    },
  ];
}

function listOfTools(form: Form, body: Body): Body[] {
  return form === google ? body.tools[0].functionDeclarations : body.tools;
}

const input: ModelInput = {
  messages: [
    { role: "system", content: "Be brief and kind." },
    { role: "user", content: "Refund order A7." },
    {
      role: "assistant",
      content: "I look.",
      calls: [
        { callId: "decide_1_0", tool: "find_order", args: { orderId: "A7" } },
        { callId: "decide_1_1", tool: "find_order", args: { orderId: "A8" } },
      ],
    },
    { role: "tool", callId: "decide_1_0", tool: "find_order", content: '{"cents":4200}' },
    { role: "tool", callId: "decide_1_1", tool: "find_order", content: '{"cents":100}' },
    { role: "assistant", content: "Both are there.", calls: [] },
    { role: "user", content: "Then go ahead." },
  ],
  tools: [
    {
      name: "find_order",
      description: "Finds an order.",
      inputSchema: { type: "object", properties: { orderId: { type: "string" } }, required: ["orderId"] },
    },
    { name: "issue_refund", description: "Refunds.", inputSchema: { type: "object", properties: {} } },
  ],
  maxOutputTokens: 321,
};

let loopback: Loopback;
beforeAll(async () => {
  loopback = await openLoopback();
});
afterAll(() => loopback.close());

async function recorded(name: ModelName, sent: ModelInput): Promise<string> {
  loopback.bodies.length = 0;
  await send(models[name]({ baseURL: loopback.baseURL }), await callOptionsOf(sent), "doGenerate").catch(
    () => {},
  );
  const [body] = loopback.bodies;
  if (!body) throw new Error(`${name} sent nothing`);
  return body.toString();
}

const forms: readonly { readonly name: ModelName; readonly form: Form }[] = [
  { name: "Anthropic, older", form: anthropic },
  { name: "OpenAI, chat", form: chat },
  { name: "OpenAI, responses", form: responses },
  { name: "Google", form: google },
  { name: "compatible, with schemas", form: chat },
];

for (const { name, form } of forms) {
  describe(name, () => {
    for (const { name: what, kinds, change } of manipulations(form)) {
      test(`${what}: ${kinds.join(", ")}`, async () => {
        const body = JSON.parse(await recorded(name, input));
        expect(wireDifferences(body, { input })).toEqual([]);
        change(body);
        const found = wireDifferences(body, { input });
        expect([...new Set(found.map(({ kind }) => kind))].sort()).toEqual([...kinds].sort());
        for (const { what: line } of found) expect(line).toMatch(/^[^\n]{10,300}$/);
      });
    }
  });
}

test("any text of any legal input that is changed, dropped or added to is found", async () => {
  let changed = 0;
  let found = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...forms), modelInput, fc.nat(), async ({ name }, sent, pick) => {
      const text = await recorded(name, sent);
      for (const edit of ["append", "cut", "drop"] as const) {
        const body = JSON.parse(text);
        if (!editLeaf(body, edit, pick)) continue;
        changed += 1;
        if (wireDifferences(body, { input: sent }).some(isRefused)) found += 1;
      }
    }),
    { numRuns: 300 },
  );
  process.stdout.write(`  ${found} of ${changed} changed texts found\n`);
  expect(found).toBe(changed);
  expect(changed).toBeGreaterThan(300);
});

/** Changes one text of the conversation, whichever; false when there is none to change. */
function editLeaf(body: Body, edit: "append" | "cut" | "drop", pick: number): boolean {
  const leaves: { readonly holder: Body; readonly key: string | number }[] = [];
  const collect = (holder: Body) => {
    for (const key of Object.keys(holder)) {
      const value = holder[key];
      const isText =
        ["text", "content", "output"].includes(key) && typeof value === "string" && value.trim() !== "";
      if (isText) leaves.push({ holder, key });
      else if (
        typeof value === "object" &&
        value !== null &&
        !["args", "input", "response_format"].includes(key)
      )
        collect(value);
    }
  };
  for (const key of ["system", "systemInstruction", "messages", "contents", "input"])
    if (typeof body[key] === "object") collect(Array.isArray(body[key]) ? { list: body[key] } : body[key]);
  const leaf = leaves[pick % Math.max(1, leaves.length)];
  if (!leaf) return false;
  const text: string = leaf.holder[leaf.key];
  leaf.holder[leaf.key] =
    edit === "append" ? `${text}${sentence}` : edit === "cut" ? text.trim().slice(1) : "";
  return true;
}
