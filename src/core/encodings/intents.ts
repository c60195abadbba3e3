// The form that the encodings `json` and `text` share: {"calls": [{"intent": "…", "args": …}]}. The answer is an intent
// of its own. One object at the top, and `args` apart from `intent`, so that a tool may have a parameter `intent`, or an
// answer may be a list.
import type { Json } from "../json.ts";
import type { ModelCall, ModelMessage, ModelOutput, ModelTool } from "../window/model-input.ts";
import { answerDescription, answerName, type Offer, type ReadOutput } from "./encoding.ts";
import { readJson } from "./read-json.ts";
import { splitAnswer } from "./split-answer.ts";

/** The form of an output in words. With what each intent is for, it is all that Holdpoint adds to a prompt. */
export const intentInstructions: string = [
  'Put out one JSON object and nothing else: {"calls": [{"intent": "<name>", "args": <arguments>}]}',
  `Calls are made in their order. "${answerName}" comes alone, without other calls.`,
].join("\n");

/** Everything that may be put out, the answer last. */
export function intentsOf({ tools, answer }: Offer): readonly ModelTool[] {
  const last = {
    name: answerName,
    description: answerDescription,
    inputSchema: answer ?? { type: "string" },
  };
  return [...tools, last].map((intent) => ({ ...intent, inputSchema: nameless(intent.inputSchema) }));
}

/** Within a larger text a schema has no dialect and no address of its own. */
function nameless(schema: Json): Json {
  if (!isObject(schema)) return schema;
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema" && key !== "$id"));
}

export function writeCalls(calls: readonly ModelCall[]): string {
  return JSON.stringify({ calls: calls.map(({ tool, args }) => ({ intent: tool, args })) });
}

/** The messages of a turn: what was decided, and what became of it, in the order of the calls. */
export function turnOf(messages: readonly ModelMessage[]): {
  readonly calls: readonly ModelCall[];
  readonly results: readonly Extract<ModelMessage, { role: "tool" }>[];
} {
  return {
    calls: messages.flatMap((message) => (message.role === "assistant" ? message.calls : [])),
    results: messages.filter((message) => message.role === "tool"),
  };
}

export function readIntents(output: ModelOutput): ReadOutput {
  if (output.calls.length > 0)
    return no("it calls tools of the provider; put the calls into the JSON object");
  if (output.text.trim() === "") return no("the output is empty");
  const read = readJson(output.text);
  if (!read.ok) return no(`the output is no JSON: ${read.why}`);
  const list = listOf(read.value);
  if (list === null)
    return no('the output must be one JSON object with the member "calls", a list, and no other');
  if (list.length === 0) return no(`the list "calls" is empty; to end, put out the intent "${answerName}"`);
  const calls: ModelCall[] = [];
  for (const [index, item] of list.entries()) {
    const call = callOf(item, index);
    if (typeof call === "string") return no(call);
    calls.push(call);
  }
  return splitAnswer(calls, "", read.repairs);
}

function listOf(value: Json): readonly Json[] | null {
  const calls = isObject(value) && Object.keys(value).length === 1 ? value.calls : undefined;
  return Array.isArray(calls) ? calls : null;
}

function callOf(item: Json, index: number): ModelCall | string {
  const where = `calls[${index}]`;
  if (!isObject(item)) return `${where} is no object`;
  const extra = Object.keys(item).find((key) => key !== "intent" && key !== "args");
  if (extra !== undefined)
    return `${where} has a member ${JSON.stringify(extra.slice(0, 60))}; arguments go into "args"`;
  if (typeof item.intent !== "string") return `${where} has no "intent"`;
  if (item.args === undefined) return `${where} has no "args"`;
  return { callId: String(index), tool: item.intent, args: item.args };
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function no(why: string): ReadOutput {
  return { kind: "unreadable", why };
}
