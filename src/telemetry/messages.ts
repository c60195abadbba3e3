// Content in the form that the GenAI conventions give it: messages of parts, as JSON text.
import type { ModelInput, ModelMessage, ModelOutput } from "../ports/model.ts";

type Part = Readonly<Record<string, unknown>>;

export function systemOf({ messages }: ModelInput): readonly Part[] {
  return messages.flatMap(({ role, content }) => (role === "system" ? [textPart(content)] : []));
}

export function inputMessagesOf({ messages }: ModelInput): readonly Part[] {
  return messages.flatMap((message) =>
    message.role === "system" ? [] : [{ role: message.role, parts: partsOf(message) }],
  );
}

function partsOf(message: ModelMessage): readonly Part[] {
  if (message.role === "tool")
    return [{ type: "tool_call_response", id: message.callId, response: message.content }];
  if (message.role !== "assistant") return [textPart(message.content)];
  return [...textParts(message.content), ...message.calls.map(callPart)];
}

export function outputMessagesOf(output: ModelOutput): readonly Part[] {
  const parts = [...textParts(output.text), ...output.calls.map(callPart)];
  return [{ role: "assistant", parts, finish_reason: finishReasonOf(output) }];
}

const finishReasons: { readonly [Finish in ModelOutput["finish"]]: string } = {
  stop: "stop",
  calls: "tool_call",
  length: "length",
  refused: "content_filter",
  other: "other",
};

export function finishReasonOf({ finish }: ModelOutput): string {
  return finishReasons[finish];
}

function textPart(content: string): Part {
  return { type: "text", content };
}

function textParts(content: string): readonly Part[] {
  return content === "" ? [] : [textPart(content)];
}

function callPart({ callId, tool, args }: ModelOutput["calls"][number]): Part {
  return { type: "tool_call", id: callId, name: tool, arguments: args };
}
