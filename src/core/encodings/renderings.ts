// T1. No text can imitate an event: in all that is shown, `<` in front of a name that tags an event is written `&lt;`.
import type { ModelMessage } from "../window/model-input.ts";
import type { Rendering, Shown } from "./encoding.ts";
import { turnOf, writeCalls } from "./intents.ts";

/** A conversation for models that put out JSON text: decisions are theirs, results come as JSON of the user's. */
export const jsonChat: Rendering = {
  name: "chat",
  joinsUserMessages: false,
  show(part) {
    if (part.kind !== "turn") return [{ role: "user", content: plainText(part) }];
    const { calls, results } = turnOf(part.messages);
    const shown = results.map(({ tool, content }) => ({ intent: tool, result: parsed(content) }));
    return [
      { role: "assistant", content: writeCalls(calls), calls: [] },
      { role: "user", content: JSON.stringify({ results: shown }) },
    ];
  },
};

/** Everything so far as one user message of tagged events. */
export const eventsRendering: Rendering = {
  name: "events",
  joinsUserMessages: true,
  show: (part): readonly ModelMessage[] => [{ role: "user", content: eventsOf(part).join("\n\n") }],
};

/** What a part other than a turn says in a conversation. */
export function plainText(part: Exclude<Shown, { kind: "turn" }>): string {
  if (part.kind === "known") return `Known now:\n${part.text}`;
  return part.kind === "section" ? `${part.name}:\n${part.text}` : part.text;
}

/** Results are JSON unless they were cut, and JSON in JSON text would be hard to read. */
function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}

function eventsOf(part: Shown): readonly string[] {
  if (part.kind === "section") return [tagged("section", `${part.name}:\n${part.text}`)];
  if (part.kind !== "turn") return [tagged(part.kind, part.text)];
  const { calls, results } = turnOf(part.messages);
  return [
    tagged("decision", writeCalls(calls)),
    ...results.map(({ tool, content }) => tagged(`${tool}_result`, content)),
  ];
}

function tagged(name: string, text: string): string {
  return `<${name}>\n${escapeTags(text)}\n</${name}>`;
}

/** As far as 64 characters, since no tool's name is longer. */
const tagStart =
  /<(?=\s{0,4}\/?\s{0,4}(?:(?:input|summary|note|known|correction|decision|section)\b|[\w-]{1,64}_result))/gi;

/** The inverse: `&lt;` back to `<`, and one `amp;` less in what was `&lt;` before. */
function escapeTags(text: string): string {
  return text.replace(/&(?=(?:amp;)*lt;)/g, "&amp;").replace(tagStart, "&lt;");
}
