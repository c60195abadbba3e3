import type { ModelMessage } from "../../src/core/window/model-input.ts";

/**
 * What some provider would refuse in these messages, in words; none when all take them. OpenAI wants a result directly
 * after its call; Anthropic and Google want a user first, no empty text, one system prompt, and no assistant last.
 */
export function illegalMessages(messages: readonly ModelMessage[]): readonly string[] {
  return [...pairing(messages), ...order(messages)];
}

/** I8. Every result has its call directly before it, every call its result, in the order of the calls. */
function pairing(messages: readonly ModelMessage[]): readonly string[] {
  const wrong: string[] = [];
  const ids = new Set<string>();
  let open: string[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role === "tool") {
      const expected = open.shift();
      if (expected !== message.callId) wrong.push(`${index}: the result of ${message.callId} is unpaired`);
      continue;
    }
    if (open.length > 0) wrong.push(`${index}: ${open.join(", ")} has no result before this`);
    open = message.role === "assistant" ? message.calls.map(({ callId }) => callId) : [];
    for (const id of open) if (ids.has(id)) wrong.push(`${index}: the id ${id} is used twice`);
    for (const id of open) ids.add(id);
  }
  if (open.length > 0) wrong.push(`at the end: ${open.join(", ")} has no result`);
  return wrong;
}

function order(messages: readonly ModelMessage[]): readonly string[] {
  const wrong: string[] = [];
  const first = messages.findIndex(({ role }) => role !== "system");
  if (first > 1) wrong.push("more than one system message");
  if (messages[first]?.role !== "user") wrong.push(`starts with ${messages[first]?.role ?? "nothing"}`);
  for (const [index, message] of messages.entries()) {
    if (message.role === "system" && index > 0) wrong.push(`${index}: a system message within`);
    const carriesCalls = message.role === "assistant" && message.calls.length > 0;
    if (message.content.trim() === "" && !carriesCalls)
      wrong.push(`${index}: ${message.role} without content`);
  }
  if (messages.at(-1)?.role === "assistant") wrong.push("ends with assistant");
  return wrong;
}
