// Requests in the form of OpenAI's Responses API.

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
import { providerTool, readResponseFormat, toolOf } from "./read-messages.ts";
import { isObject, listOf, type Members } from "./same-json.ts";
import { translations } from "./schema-translation.ts";
import type { WireRequest, WireTool } from "./wire-request.ts";

/** Whether a body has this form. Google's Interactions API has an `input` as well, of other items. */
export function hasInput(body: Members): boolean {
  const isOthers = "generation_config" in body || "system_instruction" in body || "agent" in body;
  return (Array.isArray(body.input) || typeof body.input === "string") && !isOthers;
}

const bodyMembers: ReadonlySet<string> = new Set([
  ...["instructions", "input", "tools", "tool_choice", "max_output_tokens", "text"],
]);

export function readResponses(body: Members): WireRequest {
  const reading: Reading = { items: [], members: [] };
  const text = isObject(body.text) ? body.text : {};
  readContent(reading, "system", body.instructions, "instructions");
  if (typeof body.input === "string") reading.items.push({ kind: "user", text: body.input, at: "input" });
  for (const [index, item] of listOf(body.input).entries()) readItem(reading, item, `input.${index}`);
  readOthers(reading, body, bodyMembers, "");
  readOthers(reading, text, new Set(["format"]), "text");
  return {
    ...reading,
    tools: listOf(body.tools).map((tool) => readTool(reading, tool)),
    limits:
      body.max_output_tokens === undefined
        ? []
        : [{ path: "max_output_tokens", value: body.max_output_tokens }],
    choice: choiceOf(body.tool_choice),
    output: readResponseFormat(text.format),
    thinkingTokens: 0,
  };
}

const messageMembers: ReadonlySet<string> = new Set(["type", "id", "role", "content", "status", "phase"]);
const callMembers: ReadonlySet<string> = new Set([
  ...["type", "id", "call_id", "name", "arguments", "status", "namespace", "async", "caller"],
]);
const resultMembers: ReadonlySet<string> = new Set(["type", "id", "call_id", "output", "status", "caller"]);

function readItem(reading: Reading, item: unknown, at: string): void {
  const { items } = reading;
  if (!isObject(item)) return void items.push(foreign(at, item));
  const role = roles.get(item.role);
  switch (item.type) {
    case undefined:
    case "message":
      if (!role) return void items.push(foreign(at, item));
      readContent(reading, role, item.content, at);
      return readOthers(reading, item, messageMembers, at);
    case "function_call":
      items.push({
        kind: "call",
        callId: idOf(item.call_id),
        tool: String(item.name),
        args: item.arguments,
        at,
      });
      return readOthers(reading, item, callMembers, at);
    case "function_call_output":
      readResult(reading, item.call_id, item.output, at);
      return readOthers(reading, item, resultMembers, at);
    case "reasoning":
      for (const part of [...listOf(item.summary), ...listOf(item.content)])
        items.push({ kind: "reasoning", text: isObject(part) ? String(part.text) : String(part), at });
      return;
    case "item_reference":
      return void items.push({ kind: "reference", id: String(item.id), at });
    default:
      items.push(foreign(at, item));
  }
}

const toolMembers: ReadonlySet<string> = new Set(["type", "name", "description", "parameters", "strict"]);

function readTool(reading: Reading, tool: unknown): WireTool {
  if (!isObject(tool) || tool.type !== "function")
    return providerTool(isObject(tool) ? String(tool.name ?? tool.type) : String(tool));
  readOthers(reading, tool, toolMembers, `tools.${String(tool.name)}`);
  return toolOf(tool, tool.parameters, translations.openai);
}
