// What models put out that must not be used. A fault takes the output of a model that works and spoils it, as an adapter
// would hand it on: arguments that are no JSON stay text.

import { answerName } from "../core/encodings/encoding.ts";
import { type Json, toJson } from "../core/json.ts";
import type { ModelCall, ModelInput, ModelOutput } from "../ports/model.ts";
import { argumentsText } from "./output-pieces.ts";
import { membersOf, sampleOfSchema } from "./sample-of-schema.ts";
import type { SeededRandom } from "./seeded-random.ts";

interface SpoilContext {
  readonly input: ModelInput;
  readonly random: SeededRandom;
}

/** The spoilt output; `null` when this output cannot have the fault. */
export type Spoil = (output: ModelOutput, context: SpoilContext) => ModelOutput | null;

export type UnusableOutput =
  | "unparsable_arguments"
  | "truncated_arguments"
  | "truncated_unnoticed"
  | "cut_by_length"
  | "unknown_tool"
  | "wrong_types"
  | "missing_field"
  | "extra_field"
  | "two_answers"
  | "answer_beside_calls"
  | "empty"
  | "refusal"
  | "duplicate_call_ids"
  | "prose_instead_of_calls"
  | "silent_overflow";

/** No decision can be made of these. */
export const unusableOutputs: { readonly [Name in UnusableOutput]: Spoil } = {
  unparsable_arguments: (output, { random }) => spoilText(output, random, (text) => breakJson(text, random)),
  /** Cut off in the middle of the arguments, and said so. */
  truncated_arguments: (output, { random }) => {
    const cut = spoilText(output, random, (text) => cutText(text, random));
    return cut && { ...cut, finish: "length" };
  },
  /** Cut off in the middle of the arguments, by a provider that says that all is well. */
  truncated_unnoticed: (output, { random }) => spoilText(output, random, (text) => cutText(text, random)),
  /** Cut off by its length limit at a place where what there is looks whole. */
  cut_by_length: (output) => ({ ...output, finish: "length" }),
  unknown_tool: (output, { random }) =>
    spoilCall(output, random, (call) => ({ ...call, tool: `${call.tool}_now` })),
  wrong_types: (output, { random }) => spoilMember(output, random, Object.keys, wrongType),
  missing_field: (output, { input, random }) =>
    spoilMember(
      output,
      random,
      (args, call) => requiredOf(input, call.tool).filter((name) => name in args),
      () => undefined,
    ),
  extra_field: (output, { input, random }) =>
    spoilCall(output, random, (call) => {
      if (membersOf(schemaOf(input, call.tool)).additionalProperties) return null; // here it is none
      return isMembers(call.args) ? { ...call, args: { ...call.args, x_confidence: 0.97 } } : null;
    }),
  two_answers: (_output, { input }) => {
    const [first, second] = [answerOf(input, "answer_1"), answerOf(input, "answer_2")];
    return first && second && { text: "", calls: [first, second], finish: "calls" };
  },
  answer_beside_calls: (output, { input }) => {
    const answer = answerOf(input, "answer_1");
    const calls = output.calls.filter((call) => call.tool !== answerName);
    return answer && calls.length > 0 ? { ...output, calls: [...calls, answer] } : null;
  },
  empty: (output) => ({ ...output, text: "", calls: [], finish: "stop" }),
  refusal: (output) => ({
    ...output,
    text: "I'm sorry, I can't help with that.",
    calls: [],
    finish: "refused",
  }),
  /** Two calls of one id; of a single call, the call twice. */
  duplicate_call_ids: (output) => {
    const [first, ...others] = output.calls;
    if (!first) return null;
    const calls = others.length > 0 ? output.calls : [first, first];
    return { ...output, calls: calls.map((call) => ({ ...call, callId: first.callId })) };
  },
  /** Unusable only where an answer has a schema: elsewhere this is one. */
  prose_instead_of_calls: (output) =>
    output.calls.length === 0
      ? null
      : { ...output, text: "Sure! I will take care of that right away.", calls: [], finish: "stop" },
  /** The provider drops what does not fit and says nothing: all that shows is `length` with nothing put out. */
  silent_overflow: (output, { random }) => ({
    text: "",
    calls: [],
    finish: "length",
    usage: { inputTokens: random.between(200_001, 260_000), outputTokens: 0 },
    ...(output.warnings && { warnings: output.warnings }),
  }),
};

export type RepairableOutput =
  | "fenced_arguments"
  | "think_arguments"
  | "trailing_comma"
  | "single_quotes"
  | "quoted_arguments";

/** Code can bring these back to what was meant, without doubt; for a risky tool it must not. */
export const repairableOutputs: { readonly [Name in RepairableOutput]: Spoil } = {
  fenced_arguments: (output, { random }) =>
    spoilText(output, random, (text) => `\`\`\`json\n${text}\n\`\`\``),
  think_arguments: (output, { random }) =>
    spoilText(output, random, (text) => `<think>The customer {waits} for "this".</think>\n${text}`),
  trailing_comma: (output, { random }) =>
    spoilText(output, random, (text) =>
      /[^\s{[][}\]]$/.test(text) ? `${text.slice(0, -1)},${text.slice(-1)}` : null,
    ),
  single_quotes: (output, { random }) =>
    spoilText(output, random, (text) => (/['\\]/.test(text) ? null : text.replaceAll('"', "'"))),
  /** JSON text in a JSON string, as models do that quote twice. */
  quoted_arguments: (output, { random }) => spoilText(output, random, (text) => JSON.stringify(text)),
};

export type UsableOutput = "repeated_call";

/** Valid as they are, and not what the wrapped model wanted. */
export const usableOutputs: { readonly [Name in UsableOutput]: Spoil } = {
  /** The calls of the last decision once more: a model that goes in a circle. */
  repeated_call: (output, { input }) => {
    const last = input.messages.findLast((message) => message.role === "assistant");
    if (last?.role !== "assistant" || last.calls.length === 0) return null;
    return { ...output, text: "", calls: last.calls, finish: "calls" };
  },
};

/** Spoils the JSON text of one call's arguments, or of an output that is JSON in plain text. */
function spoilText(
  output: ModelOutput,
  random: SeededRandom,
  spoil: (text: string) => string | null,
): ModelOutput | null {
  if (output.calls.length > 0) {
    return spoilCall(output, random, (call) => {
      const args = spoil(argumentsText(call.args));
      return args === null ? null : { ...call, args };
    });
  }
  if (!isJsonText(output.text)) return null;
  const text = spoil(output.text);
  return text === null || text === output.text ? null : { ...output, text };
}

function spoilCall(
  output: ModelOutput,
  random: SeededRandom,
  spoil: (call: ModelCall) => ModelCall | null,
): ModelOutput | null {
  const chosen = random.pick(output.calls);
  const spoilt = chosen && spoil(chosen);
  if (!spoilt) return null;
  return { ...output, calls: output.calls.map((call) => (call === chosen ? spoilt : call)) };
}

/** Replaces one member of one call's arguments; `undefined` takes it away. */
function spoilMember(
  output: ModelOutput,
  random: SeededRandom,
  namesOf: (args: Members, call: ModelCall) => readonly string[],
  replace: (value: unknown) => unknown,
): ModelOutput | null {
  return spoilCall(output, random, (call) => {
    if (!isMembers(call.args)) return null;
    const name = random.pick(namesOf(call.args, call));
    if (name === undefined) return null;
    const { [name]: value, ...others } = call.args;
    const replaced = replace(value);
    return { ...call, args: replaced === undefined ? others : { ...others, [name]: replaced } };
  });
}

/** JSON text with one thing wrong in its middle. */
function breakJson(text: string, random: SeededRandom): string {
  const marks = Array.from(text.matchAll(/[":]/g), (match) => match.index);
  const at = random.pick(marks) ?? 0;
  const broken = random.pick([
    `${text.slice(0, at)}${text.slice(at + 1)}`,
    `${text.slice(0, at)}<|im_end|>${text.slice(at)}`,
    `${text.slice(0, at)}\u0000${text.slice(at)}`,
    `<parameter name="arguments">${text}`,
    "[object Object]",
  ]);
  return broken === undefined || isJsonText(broken) ? "[object Object]" : broken;
}

function cutText(text: string, random: SeededRandom): string | null {
  return text.length < 2 ? null : text.slice(0, random.between(1, text.length - 1));
}

function isJsonText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

function wrongType(value: unknown): unknown {
  if (typeof value === "string") return { value };
  if (Array.isArray(value)) return { items: value };
  return typeof value === "object" && value !== null ? [value] : `${value}, or so`;
}

type Members = { readonly [name: string]: unknown };

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function schemaOf(input: ModelInput, tool: string): Json | undefined {
  return input.tools.find((candidate) => candidate.name === tool)?.inputSchema;
}

function requiredOf(input: ModelInput, tool: string): readonly string[] {
  const { required } = membersOf(schemaOf(input, tool));
  return Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
}

/** An answer that the model makes up; `null` where answers are not calls. */
function answerOf(input: ModelInput, callId: string): ModelCall | null {
  const schema = schemaOf(input, answerName);
  return schema === undefined ? null : { callId, tool: answerName, args: toJson(sampleOfSchema(schema)) };
}
