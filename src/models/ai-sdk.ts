// Calls a provider of the AI SDK directly (`doGenerate`), without the SDK's own loop, retries or prompt text: what
// goes out is the ModelInput and nothing else.
import type { JSONSchema7, LanguageModelV3, LanguageModelV4 } from "@ai-sdk/provider";
import { HoldpointError } from "../core/errors.ts";
import type { Usage } from "../core/events.ts";
import type { Model, ModelCall, ModelInput, ModelMessage, ModelOutput, ModelTool } from "../ports/model.ts";
import { toModelError } from "./model-error.ts";

/** A model object of an AI SDK provider, version 3 or 4 of the specification. */
export type AiSdkLanguageModel = LanguageModelV4 | LanguageModelV3;

type Result = Awaited<ReturnType<AiSdkLanguageModel["doGenerate"]>>;

/**
 * A Model from an AI SDK model object, such as `anthropic("claude-…")` or `openai.chat("gpt-…")`.
 *
 * Its calls throw `model_failed` for what the provider refuses or gets wrong, `model_unavailable` when its API key is
 * not set, and the signal's reason when aborted; after an abort the provider may still do, and charge for, the work.
 */
export function aiSdkModel(model: AiSdkLanguageModel): Model {
  const id = `${model.provider.split(".")[0]}/${model.modelId}`; // "anthropic.messages" names the API as well
  return {
    id,
    async generate(input, { signal }) {
      signal.throwIfAborted();
      try {
        return toOutput(id, await model.doGenerate(toCallOptions(input, signal)));
      } catch (error) {
        signal.throwIfAborted();
        throw toModelError(id, error);
      }
    },
  };
}

type CallOptions = Parameters<LanguageModelV3["doGenerate"]>[0] &
  Parameters<LanguageModelV4["doGenerate"]>[0];

function toCallOptions(
  { messages, tools, maxOutputTokens }: ModelInput,
  abortSignal: AbortSignal,
): CallOptions {
  const call = { prompt: toPrompt(messages), maxOutputTokens, abortSignal };
  if (tools.length === 0) return call; // some providers refuse a tool choice without tools
  return { ...call, tools: tools.map(toFunctionTool), toolChoice: { type: "auto" } };
}

function toFunctionTool({ name, description, inputSchema }: ModelTool) {
  return { type: "function" as const, name, description, inputSchema: inputSchema as JSONSchema7 }; // `tool` made it a JSON Schema
}

/** One prompt message for each of ours, but for results: those of one turn go together, as providers ask. */
function toPrompt(messages: readonly ModelMessage[]) {
  const prompt: ReturnType<typeof toPromptMessage>[] = [];
  for (const message of messages) {
    const next = toPromptMessage(message);
    const last = prompt.at(-1);
    if (next.role === "tool" && last?.role === "tool") last.content.push(...next.content);
    else prompt.push(next);
  }
  return prompt;
}

function toPromptMessage(message: ModelMessage) {
  switch (message.role) {
    case "system":
      return { role: message.role, content: message.content };
    case "user":
      return { role: message.role, content: [textPart(message.content)] };
    case "assistant":
      return { role: message.role, content: [...textParts(message.content), ...message.calls.map(callPart)] };
    case "tool":
      return { role: message.role, content: [resultPart(message)] };
    default:
      return message satisfies never;
  }
}

function textPart(text: string) {
  return { type: "text" as const, text };
}

/** Providers refuse empty text. */
function textParts(text: string) {
  return text === "" ? [] : [textPart(text)];
}

function callPart({ callId, tool, args }: ModelCall) {
  return { type: "tool-call" as const, toolCallId: callId, toolName: tool, input: args };
}

function resultPart({ callId, tool, content }: Extract<ModelMessage, { role: "tool" }>) {
  return {
    type: "tool-result" as const,
    toolCallId: callId,
    toolName: tool,
    output: { type: "text" as const, value: content },
  };
}

function toOutput(id: string, result: Result): ModelOutput {
  const { unified, raw } = result.finishReason;
  if (unified === "content-filter" || unified === "error") throw withheld(id, unified, raw);
  const calls: ModelCall[] = [];
  let text = "";
  for (const part of result.content) {
    if (part.type === "text") text += part.text;
    else if (part.type === "tool-approval-request" || (part.type === "tool-call" && part.providerExecuted))
      throw ranElsewhere(id);
    else if (part.type === "tool-call")
      calls.push({ callId: part.toolCallId, tool: part.toolName, args: parseArgs(part.input) });
  }
  const usage = toUsage(result.usage);
  return { text, calls, finish: toFinish(unified), ...(usage && { usage }) };
}

/** I9. What is not JSON stays text, which no tool's schema takes for arguments. */
function parseArgs(input: string): unknown {
  if (input === "") return {}; // how some providers call a tool without parameters
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}

function toFinish(
  unified: Exclude<Result["finishReason"]["unified"], "content-filter" | "error">,
): ModelOutput["finish"] {
  switch (unified) {
    case "stop":
    case "length":
    case "other":
      return unified;
    case "tool-calls":
      return "calls";
    case "interrupted":
      return "length"; // the connection ended first: as with a length limit, the end is missing
    default:
      return unified satisfies never;
  }
}

/** `undefined` unless both are reported: half a count would pass for the whole. */
function toUsage({ inputTokens, outputTokens }: Result["usage"]): Usage | undefined {
  if (inputTokens.total === undefined || outputTokens.total === undefined) return undefined;
  return { inputTokens: inputTokens.total, outputTokens: outputTokens.total };
}

/** What came may be half a sentence, or half a call. */
function withheld(id: string, unified: "content-filter" | "error", raw: string | undefined): HoldpointError {
  const filtered = unified === "content-filter";
  const what = filtered
    ? "withheld its output (content filter or refusal)"
    : "broke its output off with an error";
  return new HoldpointError("model_failed", `${id} ${what}${raw === undefined ? "" : `: ${raw}`}`, {
    retryable: !filtered,
  });
}

/** I5. What a provider runs by itself passes no gate. */
function ranElsewhere(id: string): HoldpointError {
  return new HoldpointError(
    "model_failed",
    `${id} called a tool that its provider runs by itself, past the gate`,
    {
      fix: "Take the provider's own tools out of the model's settings, and offer a tool of the agent instead.",
    },
  );
}
