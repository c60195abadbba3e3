import { isObject, listOf, type Members } from "./same-json.ts";
import type { WireItem, WireMember } from "./wire-request.ts";

export type Role = "system" | "user" | "assistant";

/** Where readers put what they read. */
export interface Reading {
  readonly items: WireItem[];
  readonly members: WireMember[];
}

export const roles: ReadonlyMap<unknown, Role> = new Map<unknown, Role>([
  ["system", "system"],
  ["developer", "system"],
  ["user", "user"],
  ["assistant", "assistant"],
  ["model", "assistant"], // Google
]);

/** Text, or parts in the forms of OpenAI and Anthropic. */
export function readContent(reading: Reading, role: Role, content: unknown, at: string): void {
  if (typeof content === "string") reading.items.push({ kind: role, text: content, at });
  else for (const [index, part] of listOf(content).entries()) readPart(reading, role, part, `${at}.${index}`);
}

/** Says nothing to the model: where caches end, what a text was drawn from, and the like. */
const silent = ["type", "cache_control", "prompt_cache_breakpoint", "citations", "annotations", "logprobs"];
const textMembers: ReadonlySet<string> = new Set([...silent, "text"]);
const useMembers: ReadonlySet<string> = new Set([...silent, "id", "name", "input", "caller"]);
const resultMembers: ReadonlySet<string> = new Set([...silent, "tool_use_id", "content", "is_error"]);

function readPart(reading: Reading, role: Role, part: unknown, at: string): void {
  const { items } = reading;
  if (!isObject(part)) return void items.push(foreign(at, part));
  switch (part.type) {
    case "text":
    case "input_text":
    case "output_text":
      items.push({ kind: role, text: String(part.text), at });
      return readOthers(reading, part, textMembers, at);
    case "thinking":
      return void items.push({ kind: "reasoning", text: String(part.thinking), at });
    case "redacted_thinking":
      return;
    case "tool_use":
      items.push({ kind: "call", callId: idOf(part.id), tool: String(part.name), args: part.input, at });
      return readOthers(reading, part, useMembers, at);
    case "tool_result":
      readResult(reading, part.tool_use_id, part.content, at);
      if (part.is_error === true) items.push({ kind: "foreign", what: "is marked as an error", at });
      return readOthers(reading, part, resultMembers, at);
    default:
      items.push(foreign(at, part));
  }
}

/** A result's text, or parts that are texts. */
export function readResult({ items }: Reading, callId: unknown, content: unknown, at: string): void {
  const parts = listOf(content);
  const texts = parts.flatMap((part) => (isObject(part) && typeof part.text === "string" ? [part.text] : []));
  const text = typeof content === "string" ? content : texts.join("");
  items.push({ kind: "result", callId: idOf(callId), text, at });
  for (const part of parts)
    if (!isObject(part) || typeof part.text !== "string") items.push(foreign(at, part));
}

export function idOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function foreign(at: string, value: unknown): WireItem {
  const form = isObject(value) ? (value.type ?? Object.keys(value).join(" and ")) : typeof value;
  return { kind: "foreign", what: `is ${String(form)}, which no window asks for`, at };
}

/** Hands on the members that the reader does not know. */
export function readOthers(
  { members }: Pick<Reading, "members">,
  object: Members,
  known: ReadonlySet<string>,
  at: string,
): void {
  for (const name of Object.keys(object))
    if (!known.has(name)) members.push({ path: at === "" ? name : `${at}.${name}`, value: object[name] });
}

/** The choice of tools in words: `auto`, or what else the request says. */
export function choiceOf(value: unknown): string {
  if (value === undefined || value === null) return "auto";
  if (typeof value === "string") return value.toLowerCase();
  const type = isObject(value) ? (value.type ?? value.mode) : undefined;
  return typeof type === "string" && Object.keys(value).length === 1
    ? type.toLowerCase()
    : JSON.stringify(value);
}
