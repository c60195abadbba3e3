// The provider's own tool calls. Nothing is added to the prompt: the provider tells the model about tools.
import type { ModelMessage, ModelOutput, ModelTool } from "../window/model-input.ts";
import {
  answerDescription,
  answerName,
  type Encoding,
  type Offer,
  type ReadOutput,
  type Shown,
} from "./encoding.ts";
import { readJson, stripReasoning } from "./read-json.ts";
import { eventsRendering, plainText } from "./renderings.ts";
import { splitAnswer } from "./split-answer.ts";

export const toolsEncoding: Encoding = {
  name: "tools",
  instructions: () => "",
  request: (offer) => ({ tools: toolsOf(offer) }),
  renderings: {
    chat: { name: "chat", joinsUserMessages: false, show: showPart },
    events: eventsRendering,
  },
  rendering: "chat",
  read: (output, offer) => (output.calls.length === 0 ? readText(output, offer) : readCalls(output, offer)),
};

function toolsOf({ tools, answer }: Offer): readonly ModelTool[] {
  if (answer === null) return tools;
  return [...tools, { name: answerName, description: answerDescription, inputSchema: answer }];
}

function showPart(part: Shown): readonly ModelMessage[] {
  if (part.kind === "turn") return part.messages;
  return [{ role: "user", content: plainText(part) }];
}

function readText({ text, finish }: ModelOutput, offer: Offer): ReadOutput {
  if (finish === "calls") return { kind: "unreadable", why: "it announces calls, and there are none" };
  if (text.trim() === "") return { kind: "unreadable", why: "the output is empty" };
  if (offer.answer !== null)
    return { kind: "unreadable", why: `text is no answer here; call "${answerName}"` };
  const answer = stripReasoning(text);
  if (answer === null) return { kind: "unreadable", why: "its reasoning block never ends" };
  if (answer.text === "") return { kind: "unreadable", why: "there is nothing after its reasoning" };
  return { kind: "answer", value: answer.text, repairs: answer.repairs };
}

function readCalls(output: ModelOutput, offer: Offer): ReadOutput {
  const repairs = new Set<string>();
  const ids = new Set<string>();
  const calls = [];
  for (const call of output.calls) {
    if (ids.has(call.callId))
      return { kind: "unreadable", why: `two calls have the id ${JSON.stringify(call.callId)}` };
    ids.add(call.callId);
    if (typeof call.args !== "string") {
      calls.push(call);
      continue;
    }
    const read = readJson(call.args); // the provider sent text that was no plain JSON
    if (!read.ok)
      return { kind: "unreadable", why: `the arguments of ${call.tool} are no JSON: ${read.why}` };
    for (const repair of read.repairs) repairs.add(repair);
    calls.push({ ...call, args: read.value });
  }
  if (offer.answer === null) return { kind: "calls", calls, text: output.text, repairs: [...repairs] };
  return splitAnswer(calls, output.text, [...repairs]);
}
