import { describe, expect, test } from "vitest";
import type { Json } from "../json.ts";
import { jsonEncoding } from "./json-encoding.ts";

/** The schema that goes out for one tool's arguments. */
function argsOf(inputSchema: Json): unknown {
  const tools = [{ name: "t", description: "Does it.", inputSchema }];
  const { output } = jsonEncoding.request({ tools, answer: null });
  // As schemaOf lays it out.
  const schema = output?.schema as {
    properties: { calls: { items: { anyOf: { properties: { args: Json } }[] } } };
  };
  return schema.properties.calls.items.anyOf[0]?.properties.args;
}

const text = { type: "string" };
const here = "#/properties/calls/items/anyOf/0/properties/args";

describe("a tool's schema, inside the schema of the output,", () => {
  const cases: readonly (readonly [name: string, schema: Json, inside: Json])[] = [
    ["is closed", { properties: { a: text } }, { properties: { a: text }, additionalProperties: false }],
    [
      "is closed inside",
      { items: { properties: {} } },
      { items: { properties: {}, additionalProperties: false } },
    ],
    [
      "stays open where it says so",
      { properties: {}, additionalProperties: true },
      { properties: {}, additionalProperties: true },
    ],
    ["stays open where it lists nothing", { type: "object" }, { type: "object" }],
    [
      "has parts that do not shut each other out",
      { allOf: [{ properties: { a: text } }, { properties: { b: text } }] },
      { allOf: [{ properties: { a: text } }, { properties: { b: text } }] },
    ],
    [
      "has no dialect and no name",
      { $schema: "https://json-schema.org/draft/2020-12/schema", $id: "https://example.com/t", ...text },
      text,
    ],
    [
      "refers to where its parts now are",
      { $defs: { a: text }, items: { $ref: "#/$defs/a" } },
      { $defs: { a: text }, items: { $ref: `${here}/$defs/a` } },
    ],
    ["refers to itself where it now is", { items: { $ref: "#" } }, { items: { $ref: here } }],
    [
      "may have members named like keywords",
      { properties: { properties: text, $ref: text } },
      { properties: { properties: text, $ref: text }, additionalProperties: false },
    ],
    [
      "keeps its values as they are",
      { enum: [{ $ref: "#", properties: {} }] },
      { enum: [{ $ref: "#", properties: {} }] },
    ],
  ];
  for (const [name, schema, inside] of cases) test(name, () => expect(argsOf(schema)).toEqual(inside));
});
