// I9. A model's output as a decision, or in one line why it is none. Nothing is guessed and nothing is used in part.
import type { Encoding, Offer } from "../../core/encodings/encoding.ts";
import type { Call, Decision } from "../../core/events.ts";
import type { Gate } from "../../core/gate.ts";
import { canonicalJson, deepFreeze, type Json, toJson } from "../../core/json.ts";
import { type Schema, type Validation, validate } from "../../core/schema.ts";
import type { Tool } from "../../core/tool.ts";
import { formatPath, memberAt, undeclaredMembers, withoutMember } from "../../core/undeclared-members.ts";
import type { ModelCall, ModelOutput } from "../../ports/model.ts";

export interface DecisionRules {
  readonly tools: ReadonlyMap<string, Tool>;
  /** What the model was offered: it may call nothing else. */
  readonly offer: Offer;
  readonly encoding: Encoding;
  /** The schema of the answer; without it, any text is one. */
  readonly answer: Schema | undefined;
  /** Says of which names it takes the risk to be high. */
  readonly gate: Gate;
  readonly callIdPrefix: string;
  /** Default: `validate`, which waits for a schema as long as it takes. */
  readonly validate?: (schema: Schema, value: unknown) => Validation | Promise<Validation>;
}

export type ValidatedDecision =
  | { readonly ok: true; readonly decision: Decision; readonly repairs: readonly string[] }
  /** `why` is one line, and goes to the model when it is asked again. */
  | { readonly ok: false; readonly why: string };

/** More calls than any model makes on purpose at once. */
const mostCalls = 64;

/**
 * Reads and judges what a model put out. Every fault refuses the whole of it. What had to be repaired is used only when
 * no harm can come of it: for an answer, or for calls of tools that all declare a `low` or `medium` risk.
 */
export async function validateDecision(
  output: ModelOutput,
  rules: DecisionRules,
): Promise<ValidatedDecision> {
  const unfinished = reasonUnfinished(output.finish);
  if (unfinished !== null) return no(unfinished);
  const read = rules.encoding.read(output, rules.offer);
  switch (read.kind) {
    case "unreadable":
      return no(read.why);
    case "answer":
      return validateAnswer(read.value, read.repairs, rules);
    case "calls":
      return validateCalls(read, output, rules);
    default:
      return read satisfies never;
  }
}

function reasonUnfinished(finish: ModelOutput["finish"]): string | null {
  switch (finish) {
    case "stop":
    case "calls":
      return null;
    case "length":
      return "the output was cut off by its length limit";
    case "refused":
      return "the output was refused, by the model or by its provider's filter";
    case "other": // so ends a stream that broke off, among others
      return "the provider did not say that the output is complete";
    default:
      return finish satisfies never;
  }
}

async function validateAnswer(
  given: unknown,
  repairs: readonly string[],
  rules: DecisionRules,
): Promise<ValidatedDecision> {
  const { answer, offer } = rules;
  const value = asJson(given);
  if (!value.ok) return no(`the answer: ${value.why}`);
  if (answer) {
    const checked = await check(answer, offer.answer ?? true, value.value, rules);
    if (!checked.ok) return no(`the answer is not valid: ${checked.why}`);
    return { ok: true, decision: { kind: "answer", value: checked.value }, repairs };
  }
  if (typeof value.value !== "string") return no("the answer must be text");
  if (value.value.trim() === "") return no("the answer is empty");
  return { ok: true, decision: { kind: "answer", value: value.value }, repairs };
}

async function validateCalls(
  read: { readonly calls: readonly ModelCall[]; readonly text: string; readonly repairs: readonly string[] },
  output: ModelOutput,
  rules: DecisionRules,
): Promise<ValidatedDecision> {
  if (read.calls.length > mostCalls)
    return no(`there are ${read.calls.length} calls; make at most ${mostCalls}`);
  const calls: Call[] = [];
  for (const [index, call] of read.calls.entries()) {
    const checked = await checkCall(call, read.repairs, rules);
    if (!checked.ok) return no(checked.why);
    const { providerData } = call;
    calls.push({
      callId: `${rules.callIdPrefix}_${index}`,
      tool: call.tool,
      args: checked.value,
      ...(providerData === undefined ? {} : { providerData }),
    });
  }
  const { reasoning } = output;
  const decision: Decision = {
    kind: "calls",
    calls,
    ...(read.text.trim() === "" ? {} : { text: read.text }),
    ...(rules.encoding.name === "tools" && reasoning && reasoning.length > 0 ? { reasoning } : {}),
  };
  return { ok: true, decision, repairs: read.repairs };
}

type Checked = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly why: string };

/** The arguments as the model gave them; what their schema makes of them is settled when the call is acted on. */
async function checkCall(
  call: ModelCall,
  repairs: readonly string[],
  rules: DecisionRules,
): Promise<Checked> {
  const tool = rules.tools.get(call.tool);
  const offered = rules.offer.tools.map(({ name }) => name);
  if (!tool || !offered.includes(call.tool)) return refuse(notOffered(call.tool, tool, offered));
  if (repairs.length > 0 && isRisky(tool, rules.gate)) return refuse(riskyRepair(tool, repairs, rules));
  const args = asJson(call.args);
  if (!args.ok) return refuse(`the arguments of ${tool.name}: ${args.why}`);
  const checked = await check(tool.input, tool.inputSchema, args.value, rules);
  return checked.ok ? args : refuse(`the arguments of ${tool.name} are not valid: ${checked.why}`);
}

function notOffered(name: string, tool: Tool | undefined, offered: readonly string[]): string {
  const what = tool
    ? `"${name}" is not offered now`
    : `there is no tool ${JSON.stringify(name.slice(0, 100))}`;
  return `${what}; ${offered.length === 0 ? `give an answer` : `tools: ${offered.join(", ")}`}`;
}

function isRisky(tool: Tool, gate: Gate): boolean {
  return (tool.risk !== "low" && tool.risk !== "medium") || gate.isHighRiskName(tool.name);
}

function riskyRepair(tool: Tool, repairs: readonly string[], { encoding }: DecisionRules): string {
  const what = encoding.name === "tools" ? `the arguments of a call` : `the output`;
  return `${what} had to be repaired (${repairs.join(", ")}), and ${tool.name} is a risky tool: write it again as valid JSON and nothing else`;
}

/** As JSON, frozen: nobody changes what is judged here before it runs. */
function asJson(given: unknown): Checked {
  try {
    const value = deepFreeze(toJson(given));
    const path = pathOfPrototype(value);
    return path === null ? { ok: true, value } : refuse(`${path} is no name for a member`);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : "not JSON");
  }
}

/** `__proto__` means another object's prototype to careless code. */
function pathOfPrototype(value: Json, path = ""): string | null {
  if (typeof value !== "object" || value === null) return null;
  for (const [key, member] of Object.entries(value)) {
    const inner = path === "" ? key : `${path}.${key}`;
    const found = key === "__proto__" ? inner : pathOfPrototype(member, inner);
    if (found !== null) return found.slice(0, 200);
  }
  return null;
}

/** Validates, and refuses members that nobody asked for: a schema drops them in silence, or lets them through. */
async function check(
  schema: Schema,
  jsonSchema: Json,
  value: Json,
  { validate: judge = validate }: DecisionRules,
): Promise<Checked> {
  const result = await judge(schema, value);
  if (!result.ok) return result;
  for (const path of undeclaredMembers(jsonSchema, value)) {
    const isKept = memberAt(result.value, path) !== undefined;
    if (isKept || (await isIgnored(judge, schema, withoutMember(value, path), result.value)))
      return refuse(`${formatPath(path)} is not a field of it`);
  }
  return result;
}

/** A schema may know more names than it declares (an old name of a field, say): those it does not ignore. */
async function isIgnored(
  judge: NonNullable<DecisionRules["validate"]>,
  schema: Schema,
  without: Json,
  made: Json,
): Promise<boolean> {
  const again = await judge(schema, without);
  return again.ok && canonicalJson(again.value) === canonicalJson(made);
}

function refuse(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why };
}

/** One line: it is shown in lists, and a model sees it again. */
function no(why: string): ValidatedDecision {
  return refuse(why.replace(/\s+/g, " ").slice(0, 1_000));
}
