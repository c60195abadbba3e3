// Plain text, for any model: everything so far as one user message of tagged events, as 12-factor-agents describes it.
//
// T1. No text can imitate an event: in all that is shown, `<` in front of a name that tags an event is written `&lt;`.
import type { Encoding, Offer, Shown } from "./encoding.ts";
import { intentInstructions, intentsOf, readIntents, turnOf, writeCalls } from "./intents.ts";

export const textEncoding: Encoding = {
  name: "text",
  joinsUserMessages: true,
  instructions,
  request: () => ({ tools: [] }),
  show: (part) => [{ role: "user", content: eventsOf(part).join("\n\n") }],
  read: readIntents,
};

function instructions(offer: Offer): string {
  const intents = intentsOf(offer).map(
    ({ name, description, inputSchema }) =>
      `- ${name}: ${description}\n  args as in this JSON Schema: ${JSON.stringify(inputSchema)}`,
  );
  return [intentInstructions, ...intents].join("\n");
}

function eventsOf(part: Shown): readonly string[] {
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
const tagStart = /<(?=\s{0,4}\/?\s{0,4}(?:(?:input|known|note|correction|decision)\b|[\w-]{1,64}_result))/gi;

/** The inverse: `&lt;` back to `<`, and one `amp;` less in what was `&lt;` before. */
function escapeTags(text: string): string {
  return text.replace(/&(?=(?:amp;)*lt;)/g, "&amp;").replace(tagStart, "&lt;");
}
