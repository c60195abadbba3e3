// Requests with `messages`: OpenAI's chat completions, all that speak like it, and Anthropic's messages.
import {
  choiceOf,
  foreign,
  idOf,
  type Reading,
  readContent,
  readOthers,
  readResult,
  roles,
} from "./read-content.ts";
import { isObject, listOf, type Members } from "./same-json.ts";
import { translations } from "./schema-translation.ts";
import type { WireOutput, WireRequest, WireTool } from "./wire-request.ts";

/** Whether a body has this form. Bedrock's, which names no model in its body, is another. */
export function hasMessages(body: Members): boolean {
  const isNamed = typeof body.model === "string" || typeof body.anthropic_version === "string";
  return isNamed && Array.isArray(body.messages);
}

const bodyMembers: ReadonlySet<string> = new Set([
  ...["system", "messages", "tools", "tool_choice", "max_tokens", "max_completion_tokens"],
  ...["response_format", "output_config"],
]);

export function readMessages(body: Members): WireRequest {
  const reading: Reading = { items: [], members: [] };
  readContent(reading, "system", body.system, "system");
  for (const [index, message] of listOf(body.messages).entries())
    readMessage(reading, message, `messages.${index}`);
  readOthers(reading, body, bodyMembers, "");
  const outputConfig = isObject(body.output_config) ? body.output_config : {};
  readOthers(reading, outputConfig, new Set(["format"]), "output_config");
  const choice = isObject(body.tool_choice) ? body.tool_choice : {};
  const { disable_parallel_tool_use: serial, ...chosen } = choice;
  if (serial !== undefined)
    reading.members.push({ path: "tool_choice.disable_parallel_tool_use", value: serial });
  return {
    ...reading,
    tools: listOf(body.tools).map((tool) => readTool(reading, tool)),
    limits: ["max_tokens", "max_completion_tokens"].flatMap((path) =>
      body[path] === undefined ? [] : [{ path, value: body[path] }],
    ),
    choice: choiceOf(isObject(body.tool_choice) ? chosen : body.tool_choice),
    output: readOutput(outputConfig.format) ?? readResponseFormat(body.response_format),
    thinkingTokens: thinkingTokens(body.thinking),
  };
}

const messageMembers: ReadonlySet<string> = new Set([
  ...["role", "content", "tool_calls", "tool_call_id", "reasoning_content", "reasoning", "cache_control"],
]);

function readMessage(reading: Reading, message: unknown, at: string): void {
  if (!isObject(message)) return void reading.items.push(foreign(at, message));
  const role = roles.get(message.role);
  for (const thought of [message.reasoning_content, message.reasoning])
    if (typeof thought === "string") reading.items.push({ kind: "reasoning", text: thought, at });
  if (role) readContent(reading, role, message.content, at);
  else if (message.role === "tool") readResult(reading, message.tool_call_id, message.content, at);
  else reading.items.push({ kind: "foreign", what: `is of the role ${String(message.role)}`, at });
  for (const call of listOf(message.tool_calls)) readCall(reading, call, at);
  readOthers(reading, message, messageMembers, at);
}

function readCall({ items }: Reading, call: unknown, at: string): void {
  const called = isObject(call) ? call.function : undefined;
  if (!isObject(call) || !isObject(called)) return void items.push(foreign(at, call));
  items.push({ kind: "call", callId: idOf(call.id), tool: String(called.name), args: called.arguments, at });
}

const functionMembers: ReadonlySet<string> = new Set(["name", "description", "parameters", "strict"]);
const toolMembers: ReadonlySet<string> = new Set([
  ...["type", "name", "description", "input_schema", "strict", "cache_control", "eager_input_streaming"],
]);

function readTool(reading: Reading, tool: unknown): WireTool {
  const { verbatim, openai } = translations;
  const declared = isObject(tool) ? tool.function : undefined;
  if (isObject(declared)) {
    readOthers(reading, declared, functionMembers, `tools.${String(declared.name)}`);
    return toolOf(declared, declared.parameters, openai);
  }
  if (isObject(tool) && tool.input_schema !== undefined) {
    readOthers(reading, tool, toolMembers, `tools.${String(tool.name)}`);
    return toolOf(tool, tool.input_schema, verbatim);
  }
  return providerTool(isObject(tool) ? String(tool.name ?? tool.type) : String(tool));
}

export function toolOf(
  { name, description }: Members,
  schema: unknown,
  translation: WireTool["translation"],
): WireTool {
  return {
    byProvider: false,
    name: String(name),
    description: String(description ?? ""),
    schema,
    translation,
  };
}

export function providerTool(name: string): WireTool {
  return { byProvider: true, name, description: "", schema: undefined, translation: translations.verbatim };
}

/** Anthropic's. */
function readOutput(format: unknown): WireOutput | null {
  if (!isObject(format)) return null;
  return {
    schema: format.schema,
    name: undefined,
    description: undefined,
    translation: translations.anthropicOutput,
  };
}

/** OpenAI's, in both of its interfaces; one has the members in an object of their own. */
export function readResponseFormat(format: unknown): WireOutput | null {
  if (!isObject(format) || format.type === "text") return null;
  const { schema, name, description } = isObject(format.json_schema) ? format.json_schema : format;
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  return {
    schema,
    name: text(name),
    description: text(description),
    translation: translations.openai,
  };
}

/** Anthropic counts thoughts as output, so its package adds their budget to the limit. */
function thinkingTokens(thinking: unknown): number {
  const budget = isObject(thinking) ? thinking.budget_tokens : undefined;
  return typeof budget === "number" ? budget : 0;
}
