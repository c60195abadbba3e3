// The provider's JSON mode: the schema goes with the request, what the intents are for goes into the prompt.
import type { Json } from "../json.ts";
import { schemaKeywords } from "../schema-keywords.ts";
import type { Encoding, Offer } from "./encoding.ts";
import { intentInstructions, intentsOf, readIntents } from "./intents.ts";
import { eventsRendering, jsonChat } from "./renderings.ts";

export const jsonEncoding: Encoding = {
  name: "json",
  instructions: (offer) =>
    [
      intentInstructions,
      ...intentsOf(offer).map(({ name, description }) => `- ${name}: ${description}`),
    ].join("\n"),
  request: (offer) => ({ tools: [], output: { name: "decision", schema: schemaOf(offer) } }),
  renderings: { chat: jsonChat, events: eventsRendering },
  rendering: "chat",
  read: readIntents,
};

/**
 * A shape that strict JSON modes take: an object at the top, its only member required, one alternative for each intent
 * inside, and no object open. Members that may be left out stay so, which some strict modes refuse (OpenAI's, unless
 * its `strictJsonSchema` is off): what is sent is what the tool takes.
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

/**
 * A schema that stood alone, inside of another: its references start from where it now is. Objects are closed as a
 * decision's validation has it, but for parts of a whole (`allOf`), which would shut each other's members out.
 */
function embed(schema: Json, place: string, isPart = false): Json {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return schema;
  const members = Object.entries(schema).map(([word, value]: [string, Json]): [string, Json] => {
    if (word === "$ref" && typeof value === "string" && /^#(?:\/|$)/.test(value))
      return [word, `${place}${value.slice(1)}`];
    return [word, schemaKeywords.has(word) ? embedAll(word, value, place) : value];
  });
  return Object.fromEntries(isPart || !isOpen(schema as SchemaObject) ? members : [...members, closing]);
}

type SchemaObject = { readonly [word: string]: Json };
const closing: readonly [string, Json] = ["additionalProperties", false];

function embedAll(word: string, value: Json, place: string): Json {
  const isPart = word === "allOf";
  if (Array.isArray(value)) return value.map((each: Json) => embed(each, place, isPart));
  if (schemaKeywords.get(word) !== "names") return embed(value, place);
  const named = Object.entries(value as SchemaObject); // of a valid schema
  return Object.fromEntries(named.map(([name, each]) => [name, embed(each, place)]));
}

/** It lists members, and says nothing of others. */
function isOpen(schema: SchemaObject): boolean {
  const others = [
    "additionalProperties",
    "unevaluatedProperties",
    "patternProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "$ref",
  ];
  return schema.properties !== undefined && others.every((word) => schema[word] === undefined);
}
