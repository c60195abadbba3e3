// What a recorded exchange comes to: one decision, one rejection or one typed error.
import { encodings } from "../../src/core/encodings/encodings.ts";
import { isHoldpointError } from "../../src/core/errors.ts";
import type { Decision } from "../../src/core/events.ts";
import { gate } from "../../src/core/gate.ts";
import type { Json } from "../../src/core/json.ts";
import { type Tool, type ToolDefinition, tool } from "../../src/core/tool.ts";
import { jsonSchema } from "../../src/json-schema.ts";
import { type AiSdkLanguageModel, aiSdkModel } from "../../src/models/ai-sdk.ts";
import type { ModelOutput, ModelTool } from "../../src/ports/model.ts";
import { validateDecision } from "../../src/runtime/operations/validate-decision.ts";
import type { Exchange } from "./corpus.ts";
import { openSchema } from "./corpus-tools.ts";
import type { Loopback } from "./loopback.ts";

export type Outcome =
  | { readonly kind: "calls" | "answer"; readonly decision: Decision; readonly output: ModelOutput }
  | { readonly kind: "rejected"; readonly why: string; readonly output: ModelOutput }
  | { readonly kind: "error"; readonly code: string; readonly retryable: boolean; readonly message: string }
  /** Neither of those that may be: no error of ours, or none in time. */
  | { readonly kind: "untyped" | "hang"; readonly error: unknown };

/** An exchange that takes longer hangs. Real ones take milliseconds; a machine under load, some more. */
const deadlineMs = 15_000;

/** Asks the model what the recorded request asked, as it asked: in a stream or not. */
export async function outcomeOf(model: AiSdkLanguageModel, exchange: Exchange): Promise<Outcome> {
  const { tools, output: wanted, isStream } = exchange;
  const signal = AbortSignal.timeout(deadlineMs);
  const messages = [{ role: "user" as const, content: "As recorded." }];
  const input = { messages, tools, maxOutputTokens: 4_096, ...(wanted && { output: wanted }) };
  try {
    const onProgress = isStream ? () => {} : undefined;
    const output = await aiSdkModel(model).generate(input, { signal, ...(onProgress && { onProgress }) });
    return await judged(comparable(output), tools);
  } catch (error) {
    if (signal.aborted) return { kind: "hang", error };
    if (!isHoldpointError(error)) return { kind: "untyped", error };
    return { kind: "error", code: error.code, retryable: error.retryable, message: error.message };
  }
}

async function judged(output: ModelOutput, offered: readonly ModelTool[]): Promise<Outcome> {
  const validated = await validateDecision(output, {
    tools: new Map(offered.map((each) => [each.name, toTool(each)])),
    offer: { tools: offered, answer: null },
    encoding: encodings.tools,
    answer: undefined,
    gate: gate(),
    callIdPrefix: "decide_1",
  });
  if (!validated.ok) return { kind: "rejected", why: validated.why, output };
  return { kind: validated.decision.kind, decision: validated.decision, output };
}

const made = new WeakMap<ModelTool, Tool>();

function toTool(offered: ModelTool): Tool {
  const known = made.get(offered);
  if (known) return known;
  const fresh = lowRiskTool(offered, () => null);
  made.set(offered, fresh);
  return fresh;
}

/** A recorded tool. A recorded schema that is no JSON Schema stands for any arguments, as it was not written by us. */
export function lowRiskTool(
  { name, description, inputSchema }: ModelTool,
  run: ToolDefinition<Json>["run"],
): Tool {
  const rest = { name, description, risk: "low" as const, effect: "read" as const, run };
  try {
    return tool({ ...rest, input: jsonSchema(inputSchema) });
  } catch (error) {
    if (!isHoldpointError(error, "tool_invalid")) throw error;
    return tool({ ...rest, input: jsonSchema(openSchema) });
  }
}

/** Without the time it took, and the ids that packages make up where the response has none. */
function comparable({ firstTokenMs: _, ...output }: ModelOutput): ModelOutput {
  return {
    ...output,
    calls: output.calls.map((call, index) =>
      /^[A-Za-z0-9]{16}$/.test(call.callId) ? { ...call, callId: `made up ${index}` } : call,
    ),
  };
}

/** What tells one outcome from another: of an output that is an error, its code. */
export function essence(outcome: Outcome): unknown {
  switch (outcome.kind) {
    case "calls":
    case "answer":
      return { kind: outcome.kind, decision: outcome.decision };
    case "rejected":
      return { kind: outcome.kind, why: outcome.why };
    default:
      return outcome;
  }
}

/** Answers as the provider did. */
export function replay({ status, headers, chunks }: Exchange): Loopback["respond"] {
  return (response) => {
    response.writeHead(status, headers);
    for (const chunk of chunks) response.write(chunk);
    response.end();
  };
}
