import { describe, expect, test } from "vitest";
import { isHoldpointError } from "./core/errors.ts";
import { validate } from "./core/schema.ts";
import { jsonSchema } from "./json-schema.ts";

const at2020 = "https://json-schema.org/draft/2020-12/schema";
const person = {
  type: "object",
  properties: { name: { type: "string", minLength: 1 }, age: { type: "integer" } },
  required: ["name"],
};

describe("a value", () => {
  const cases = [
    { name: "that fits is left as it is", value: { name: "x", age: 3 }, ok: true },
    { name: "is not coerced", value: { name: "x", age: "3" }, why: "age: must be integer" },
    { name: "gets no defaults", value: { age: 3 }, why: "must have required property 'name'" },
    { name: "may have other members, as JSON Schema says", value: { name: "x", more: 1 }, ok: true },
    {
      name: "may not where the schema is closed, and the member is named",
      schema: { ...person, additionalProperties: false },
      value: { name: "x", more: 1 },
      why: 'must NOT have additional properties: "more"',
    },
    {
      name: "that is none of those allowed is told which are",
      schema: { enum: ["a", "b"] },
      value: "c",
      why: 'must be equal to one of the allowed values: ["a","b"]',
    },
    {
      name: "is not judged by its format",
      schema: { type: "string", format: "email" },
      value: "x",
      ok: true,
    },
    {
      name: "is judged by a schema that refers to itself",
      schema: { $id: at2020, properties: { child: { $ref: "#" } }, required: ["n"] },
      value: { n: 1, child: { n: 2, child: {} } },
      why: "child.child: must have required property 'n'",
    },
    {
      name: "is named by its path",
      schema: { properties: { "a/b": { items: { type: "null" } } } },
      value: { "a/b": [null, 1] },
      why: "a/b.1: must be null",
    },
  ];
  for (const { name, schema = person, value, why } of cases) {
    test(name, async () => {
      expect(await validate(jsonSchema(schema), value)).toEqual(
        why ? { ok: false, why } : { ok: true, value },
      );
    });
  }
});

describe("a schema", () => {
  const cases: readonly (readonly [name: string, schema: unknown, why: string | null])[] = [
    ["of draft 2020-12", { $schema: at2020, prefixItems: [{ type: "string" }] }, null],
    [
      "of draft 07",
      { $schema: "http://json-schema.org/draft-07/schema#", items: [{ type: "string" }] },
      null,
    ],
    [
      "of draft 07, by its other address",
      { $schema: "https://json-schema.org/draft-07/schema", type: "object" },
      null,
    ],
    ["with a name, twice over", { $id: "https://example.com/a", ...person }, null],
    ["with references", { $defs: { a: { type: "string" } }, properties: { x: { $ref: "#/$defs/a" } } }, null],
    ["with the name of its dialect", { $id: at2020, type: "object" }, null],
    ["that refers to itself", { properties: { child: { $ref: "#" } } }, null],
    ["with notes of its maker's", { type: "object", "x-consequential": true, example: {} }, null],
    ["with a member named like a keyword", { properties: { type: { type: "string" }, dict: {} } }, null],
    ["of Python's types", { type: "dict" }, '#/type "dict" is no type of JSON Schema'],
    [
      "of another one's, inside",
      { properties: { a: { items: { type: "float" } } } },
      '#/properties/a/items/type "float" is no',
    ],
    ["with one wrong type of two", { type: ["string", "any"] }, '#/type "any" is no type'],
    ["whose type is no name", { type: 3 }, "#/type 3 is no type"],
    ["with a keyword misspelt", { allOf: [{ requried: ["a"] }] }, "#/allOf/0/requried is no keyword"],
    ["with a path that needs escaping", { properties: { "a/b": { type: "any" } } }, "#/properties/a~1b/type"],
    ["with a keyword's value of a wrong kind", { required: "a" }, "#/required must be array"],
    ["with members in a list", { properties: [] }, "#/properties is not of the form"],
    ["that is no schema inside", { properties: { a: 3 } }, "#/properties/a is no schema"],
    ["with a pattern that is none", { pattern: "(" }, "Invalid regular expression"],
    ["that refers to nowhere", { $ref: "#/$defs/a" }, "can't resolve reference #/$defs/a"],
    [
      "that refers to the network",
      { $ref: "https://example.com/a" },
      "can't resolve reference https://example.com/a",
    ],
    ["of another dialect", { $schema: "http://json-schema.org/draft-04/schema#" }, "#/$schema"],
    ["that is a list", [], "# is no schema"],
    ["that is true", true, "# is no schema"],
  ];
  for (const [name, schema, why] of cases) {
    test(`${name} is ${why === null ? "taken" : "refused"}`, () => {
      if (why === null) {
        expect(jsonSchema(schema)["~standard"].jsonSchema?.input({ target: "draft-2020-12" })).toEqual(
          schema,
        );
        expect(() => jsonSchema(schema)).not.toThrow();
        return;
      }
      try {
        jsonSchema(schema);
      } catch (error) {
        expect(isHoldpointError(error, "tool_invalid")).toBe(true);
        expect(error).toMatchObject({ message: expect.stringContaining(why) });
        return;
      }
      expect.unreachable();
    });
  }
});
