// Requests in the form of Google's generateContent.

import { choiceOf, foreign, idOf, type Reading, readOthers, roles } from "./read-content.ts";
import { providerTool, toolOf } from "./read-messages.ts";
import { isObject, listOf, type Members } from "./same-json.ts";
import { translations } from "./schema-translation.ts";
import type { WireOutput, WireRequest, WireTool } from "./wire-request.ts";

export function hasContents(body: Members): boolean {
  return Array.isArray(body.contents);
}

const bodyMembers: ReadonlySet<string> = new Set([
  ...["systemInstruction", "contents", "tools", "toolConfig", "generationConfig"],
]);
const configMembers: ReadonlySet<string> = new Set([
  ...["maxOutputTokens", "responseMimeType", "responseJsonSchema", "responseSchema"],
]);

export function readGoogle(body: Members): WireRequest {
  const reading: Reading = { items: [], members: [] };
  const config = isObject(body.generationConfig) ? body.generationConfig : {};
  const toolConfig = isObject(body.toolConfig) ? body.toolConfig : {};
  readContents(reading, { role: "system", parts: partsOf(body.systemInstruction) }, "systemInstruction");
  for (const [index, content] of listOf(body.contents).entries())
    readContents(reading, content, `contents.${index}`);
  readOthers(reading, body, bodyMembers, "");
  readOthers(reading, config, configMembers, "generationConfig");
  readOthers(reading, toolConfig, new Set(["functionCallingConfig"]), "toolConfig");
  const limit = config.maxOutputTokens;
  return {
    ...reading,
    tools: listOf(body.tools).flatMap((tool) => readTools(reading, tool)),
    limits: limit === undefined ? [] : [{ path: "generationConfig.maxOutputTokens", value: limit }],
    choice: choiceOf(toolConfig.functionCallingConfig),
    output: readOutput(config),
    thinkingTokens: 0,
  };
}

function partsOf(instruction: unknown): unknown {
  return isObject(instruction) ? instruction.parts : undefined;
}

function readContents(reading: Reading, content: unknown, at: string): void {
  const role = isObject(content) ? roles.get(content.role ?? "user") : undefined;
  if (!isObject(content) || (!role && content.role !== "function"))
    return void reading.items.push(foreign(at, content));
  for (const [index, part] of listOf(content.parts).entries())
    readPart(reading, role ?? "user", part, `${at}.${index}`);
  readOthers(reading, content, new Set(["role", "parts"]), at);
}

const partMembers: ReadonlySet<string> = new Set([
  ...["text", "thought", "thoughtSignature", "functionCall", "functionResponse"],
]);

function readPart(reading: Reading, role: "system" | "user" | "assistant", part: unknown, at: string): void {
  const { items } = reading;
  if (!isObject(part)) return void items.push(foreign(at, part));
  const { functionCall: call, functionResponse: result } = part;
  if (isObject(call))
    items.push({ kind: "call", callId: idOf(call.id), tool: String(call.name), args: call.args, at });
  else if (isObject(result)) readResult(reading, result, at);
  else if (typeof part.text !== "string") return void items.push(foreign(at, part));
  else items.push({ kind: part.thought === true ? "reasoning" : role, text: part.text, at });
  readOthers(reading, part, partMembers, at);
}

function readResult(reading: Reading, result: Members, at: string): void {
  const { name: _, ...response } = isObject(result.response) ? result.response : {};
  const [content, ...more] = Object.values(response);
  const text = more.length === 0 && typeof content === "string" ? content : JSON.stringify(response);
  reading.items.push({ kind: "result", callId: idOf(result.id), text, at });
  if ("error" in response) reading.items.push({ kind: "foreign", what: "is marked as an error", at });
  readOthers(reading, result, new Set(["id", "name", "response"]), at);
}

const declarationMembers: ReadonlySet<string> = new Set([
  ...["name", "description", "parametersJsonSchema", "parameters"],
]);

/** A set of functions, or tools that Google runs. */
function readTools(reading: Reading, tool: unknown): readonly WireTool[] {
  if (!isObject(tool)) return [providerTool(String(tool))];
  const { functionDeclarations, ...others } = tool;
  const declared = listOf(functionDeclarations).map((declaration) => readDeclaration(reading, declaration));
  return [...declared, ...Object.keys(others).map(providerTool)];
}

function readDeclaration(reading: Reading, declaration: unknown): WireTool {
  if (!isObject(declaration)) return providerTool(String(declaration));
  readOthers(reading, declaration, declarationMembers, `tools.${String(declaration.name)}`);
  const { parametersJsonSchema: schema, parameters } = declaration;
  if (schema !== undefined) return toolOf(declaration, schema, translations.verbatim);
  return toolOf(declaration, parameters ?? { type: "object" }, translations.openapi); // left out when there are none
}

function readOutput({ responseMimeType, responseJsonSchema, responseSchema }: Members): WireOutput | null {
  const schema = responseJsonSchema ?? responseSchema;
  if ((responseMimeType === undefined || responseMimeType === "text/plain") && schema === undefined)
    return null;
  const { googleOutput, openapi } = translations;
  return {
    schema,
    name: undefined,
    description: undefined,
    translation: responseJsonSchema === undefined ? openapi : googleOutput,
  };
}
