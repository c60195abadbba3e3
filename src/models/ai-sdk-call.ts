import type {
  JSONSchema7,
  LanguageModelV3CallOptions,
  LanguageModelV4CallOptions,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import type { Reasoning } from "../core/events.ts";
import type { ModelCall, ModelInput, ModelMessage, ModelTool } from "../ports/model.ts";
import { fromProviderData } from "./provider-data.ts";

/** Options of a call that are a provider's own, by provider. */
export type ProviderOptions = SharedV4ProviderOptions;

/** What both versions of the specification take. */
export type CallOptions = LanguageModelV3CallOptions & LanguageModelV4CallOptions;

export interface CallSettings {
  /** Whom the call goes to: what another provider made is left out. */
  readonly providerKey: string;
  readonly providerOptions: ProviderOptions;
  readonly signal: AbortSignal;
}

/** A model input as the SDK takes it, and nothing else. */
export function toCallOptions(input: ModelInput, settings: CallSettings): CallOptions {
  const { messages, tools, maxOutputTokens, output } = input;
  const { providerKey, providerOptions, signal } = settings;
  return {
    prompt: toPrompt(messages, providerKey),
    maxOutputTokens,
    abortSignal: signal,
    // some providers refuse a tool choice without tools
    ...(tools.length > 0 && { tools: tools.map(toFunctionTool), toolChoice: { type: "auto" as const } }),
    ...(output && {
      responseFormat: { type: "json" as const, name: output.name, schema: output.schema as JSONSchema7 }, // as for tools
    }),
    ...(Object.keys(providerOptions).length > 0 && { providerOptions }),
  };
}

function toFunctionTool({ name, description, inputSchema }: ModelTool) {
  return { type: "function" as const, name, description, inputSchema: inputSchema as JSONSchema7 }; // `tool` made it a JSON Schema
}

/** One prompt message for each of ours, but for results: those of one turn go together, as providers ask. */
function toPrompt(messages: readonly ModelMessage[], providerKey: string) {
  const prompt: ReturnType<typeof toPromptMessage>[] = [];
  for (const message of messages) {
    const next = toPromptMessage(message, providerKey);
    const last = prompt.at(-1);
    if (next.role === "tool" && last?.role === "tool") last.content.push(...next.content);
    else prompt.push(next);
  }
  return prompt;
}

function toPromptMessage(message: ModelMessage, providerKey: string) {
  switch (message.role) {
    case "system":
      return { role: message.role, content: message.content };
    case "user":
      return { role: message.role, content: [textPart(message.content)] };
    case "assistant":
      return {
        role: message.role,
        content: [
          ...(message.reasoning ?? []).flatMap((reasoning) => reasoningParts(reasoning, providerKey)),
          ...textParts(message.content),
          ...message.calls.map((call) => callPart(call, providerKey)),
        ],
      };
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

/** None for another provider, which could not read it. */
function reasoningParts({ text, providerData }: Reasoning, providerKey: string) {
  const providerOptions = fromProviderData(providerKey, providerData);
  return providerOptions ? [{ type: "reasoning" as const, text, providerOptions }] : [];
}

function callPart({ callId, tool, args, providerData }: ModelCall, providerKey: string) {
  const providerOptions = fromProviderData(providerKey, providerData);
  const part = { type: "tool-call" as const, toolCallId: callId, toolName: tool, input: args };
  return providerOptions ? { ...part, providerOptions } : part;
}

function resultPart({ callId, tool, content }: Extract<ModelMessage, { role: "tool" }>) {
  return {
    type: "tool-result" as const,
    toolCallId: callId,
    toolName: tool,
    output: { type: "text" as const, value: content },
  };
}
