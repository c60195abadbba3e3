// Plain text, for any model: everything so far as one user message of tagged events, as 12-factor-agents describes it.
import type { Encoding, Offer } from "./encoding.ts";
import { intentInstructions, intentsOf, readIntents } from "./intents.ts";
import { eventsRendering, jsonChat } from "./renderings.ts";

export const textEncoding: Encoding = {
  name: "text",
  instructions,
  request: () => ({ tools: [] }),
  renderings: { chat: jsonChat, events: eventsRendering },
  rendering: "events",
  read: readIntents,
};

function instructions(offer: Offer): string {
  const intents = intentsOf(offer).map(
    ({ name, description, inputSchema }) =>
      `- ${name}: ${description}\n  args as in this JSON Schema: ${JSON.stringify(inputSchema)}`,
  );
  return [intentInstructions, ...intents].join("\n");
}
