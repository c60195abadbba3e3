import type { Call, Decision } from "../../core/events.ts";
import { type Json, toJson } from "../../core/json.ts";
import { type Schema, validate } from "../../core/schema.ts";
import { answerToolName, type Tool } from "../../core/tool.ts";
import type { ModelTool } from "../../core/window/model-input.ts";
import type { ModelCall, ModelOutput } from "../../ports/model.ts";

export interface DecisionRules {
  readonly tools: ReadonlyMap<string, Tool>;
  /** What the model was offered: it may call nothing else. */
  readonly offered: readonly ModelTool[];
  /** With it, an answer is a call of `answer`; without it, text. */
  readonly output: Schema | undefined;
  readonly callIdPrefix: string;
}

export type ValidatedDecision =
  | { readonly ok: true; readonly decision: Decision; readonly repairs: readonly string[] }
  | { readonly ok: false; readonly why: string };

/** I9. A model's output as a decision, or in one line why it is none. Nothing is guessed and nothing is used in part. */
export async function validateDecision(
  output: ModelOutput,
  rules: DecisionRules,
): Promise<ValidatedDecision> {
  if (output.finish === "refused") return no("the model, or its provider, refused to answer");
  if (output.finish === "length") return no("the output was cut off by its length limit");
  const answers = output.calls.filter((call) => call.tool === answerToolName && rules.output);
  if (answers.length > 0 && output.calls.length > 1)
    return no("an answer must come alone, without other calls");
  if (answers[0]) return validateAnswer(answers[0].args, rules.output);
  if (output.calls.length > 0) return validateCalls(output, rules);
  if (rules.output) return no(`text is no answer here; call "${answerToolName}"`);
  return output.text.trim() === ""
    ? no("the output is empty")
    : { ok: true, decision: { kind: "answer", value: output.text }, repairs: [] };
}

async function validateAnswer(args: unknown, schema: Schema | undefined): Promise<ValidatedDecision> {
  if (!schema) return no("there is no answer tool");
  const result = await validate(schema, args);
  return result.ok
    ? { ok: true, decision: { kind: "answer", value: result.value }, repairs: [] }
    : no(`the answer is not valid: ${result.why}`);
}

async function validateCalls(output: ModelOutput, rules: DecisionRules): Promise<ValidatedDecision> {
  const calls: Call[] = [];
  for (const [index, call] of output.calls.entries()) {
    const why = await reasonAgainst(call, rules);
    if (why !== null) return no(why);
    calls.push({ callId: `${rules.callIdPrefix}_${index}`, tool: call.tool, args: call.args as Json }); // reasonAgainst checked that it is JSON
  }
  const text = output.text.trim() === "" ? {} : { text: output.text };
  return { ok: true, decision: { kind: "calls", calls, ...text }, repairs: [] };
}

async function reasonAgainst(call: ModelCall, rules: DecisionRules): Promise<string | null> {
  const tool = rules.tools.get(call.tool);
  if (!tool || !rules.offered.some((offered) => offered.name === call.tool)) {
    return `there is no tool "${call.tool.slice(0, 100)}"; tools: ${rules.offered.map((offered) => offered.name).join(", ")}`;
  }
  try {
    toJson(call.args);
  } catch (error) {
    return `the arguments of ${call.tool}: ${error instanceof Error ? error.message : "not JSON"}`;
  }
  const result = await validate(tool.input, call.args);
  return result.ok ? null : `the arguments of ${call.tool} are not valid: ${result.why}`;
}

function no(why: string): ValidatedDecision {
  return { ok: false, why };
}
