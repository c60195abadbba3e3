// The provider's JSON mode: the schema goes with the request, what the intents are for goes into the prompt.
import type { Json } from "../json.ts";
import type { ModelMessage } from "../window/model-input.ts";
import type { Encoding, Offer, Shown } from "./encoding.ts";
import { intentInstructions, intentsOf, readIntents, turnOf, writeCalls } from "./intents.ts";

export const jsonEncoding: Encoding = {
  name: "json",
  joinsUserMessages: false,
  instructions: (offer) =>
    [
      intentInstructions,
      ...intentsOf(offer).map(({ name, description }) => `- ${name}: ${description}`),
    ].join("\n"),
  request: (offer) => ({ tools: [], output: { name: "decision", schema: schemaOf(offer) } }),
  show: showPart,
  read: readIntents,
};

/**
 * A shape that strict JSON modes take: an object at the top, its only member required, one alternative for each intent
 * inside. A tool's own schema goes in as it is; whether a provider's strict mode takes that one is up to the tool.
 */
function schemaOf(offer: Offer): Json {
  return closedObject({
    calls: {
      type: "array",
      minItems: 1,
      items: {
        anyOf: intentsOf(offer).map(({ name, inputSchema }, index) =>
          closedObject({
            intent: { type: "string", enum: [name] },
            args: embed(inputSchema, `#/properties/calls/items/anyOf/${index}/properties/args`),
          }),
        ),
      },
    },
  });
}

function closedObject(properties: { readonly [name: string]: Json }): Json {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

/** A schema that stood alone, inside of another: its references start from where it now is. */
function embed(schema: Json, place: string): Json {
  if (Array.isArray(schema)) return schema.map((item: Json) => embed(item, place));
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]: [string, Json]): [string, Json] => {
      const isLocal = key === "$ref" && typeof value === "string" && /^#(?:\/|$)/.test(value);
      return [key, isLocal ? `${place}${value.slice(1)}` : embed(value, place)];
    }),
  );
}

function showPart(part: Shown): readonly ModelMessage[] {
  if (part.kind !== "turn")
    return [{ role: "user", content: part.kind === "known" ? `Known now:\n${part.text}` : part.text }];
  const { calls, results } = turnOf(part.messages);
  const shown = results.map(({ tool, content }) => ({ intent: tool, result: parsed(content) }));
  return [
    { role: "assistant", content: writeCalls(calls), calls: [] },
    { role: "user", content: JSON.stringify({ results: shown }) },
  ];
}

/** Results are JSON unless they were cut, and JSON in JSON text would be hard to read. */
function parsed(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}
