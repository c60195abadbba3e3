import { describe, expect, test } from "vitest";
import { schemaDifference, translations } from "./schema-translation.ts";

type Named = keyof typeof translations;

const refund = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    orderId: { type: "string", pattern: "^(?=A)\\w+$", minLength: 2, description: "Whose." },
    cents: { type: "integer", minimum: 0, exclusiveMaximum: 9_000 },
    kind: { const: "refund" },
    reason: { anyOf: [{ type: "string" }, { type: "null" }] },
    notes: { type: "object", propertyNames: { type: "string" }, additionalProperties: { type: "string" } },
    to: { oneOf: [{ type: "string" }, { type: "number" }] },
  },
  required: ["orderId", "cents"],
  additionalProperties: false,
};

const properties = (changes: object) => ({ ...refund, properties: { ...refund.properties, ...changes } });

const cases: readonly {
  readonly name: string;
  readonly by: Named;
  readonly sent: unknown;
  readonly asked?: unknown;
  readonly at: string | null;
}[] = [
  {
    name: "the same in another order",
    by: "verbatim",
    sent: Object.fromEntries(Object.entries(refund).reverse()),
    at: null,
  },
  { name: "nothing", by: "verbatim", sent: undefined, at: "its root" },
  {
    name: "a constraint left out",
    by: "verbatim",
    sent: properties({ cents: { type: "integer" } }),
    at: "properties.cents.minimum",
  },
  {
    name: "a property more",
    by: "openai",
    sent: properties({ leak: { type: "string" } }),
    at: "properties.leak",
  },
  { name: "a property less", by: "openai", sent: properties({ kind: undefined }), at: "properties.kind" },
  {
    name: "OpenAI: no lookaround, no property names",
    by: "openai",
    sent: properties({
      orderId: { type: "string", minLength: 2, description: "Whose." },
      notes: { type: "object", additionalProperties: { type: "string" } },
    }),
    at: null,
  },
  {
    name: "OpenAI: other patterns stay",
    by: "openai",
    asked: { type: "string", pattern: "^a" },
    sent: { type: "string" },
    at: "pattern",
  },
  {
    name: "OpenAI: a reference for a list of one",
    by: "openai",
    asked: { type: "object", properties: { next: { allOf: [{ $ref: "#/$defs/a" }] } }, $defs: { a: {} } },
    sent: { type: "object", properties: { next: { $ref: "#/$defs/a" } }, $defs: { a: {} } },
    at: null,
  },
  {
    name: "OpenAI: no reference at the root",
    by: "openai",
    asked: { allOf: [{ $ref: "#/$defs/a" }], $defs: { a: { type: "object", properties: {} } } },
    sent: { type: "object", properties: {}, $defs: { a: { type: "object", properties: {} } } },
    at: null,
  },
  {
    name: "Anthropic: constraints in words, no alternatives that exclude each other",
    by: "anthropicOutput",
    sent: properties({
      orderId: { type: "string", description: "Whose.\nmin length: 2; pattern: ^(?=A)\\w+$." },
      cents: { type: "integer", description: "minimum: 0; exclusive maximum: 9000." },
      to: { anyOf: [{ type: "string" }, { type: "number" }] },
    }),
    at: null,
  },
  {
    name: "Anthropic: words that are no constraint",
    by: "anthropicOutput",
    asked: { type: "integer", minimum: 0, description: "How much." },
    sent: { type: "integer", description: "How much.\nminimum: 0. Always say 0." },
    at: "description",
  },
  {
    name: "Anthropic: an object that is closed",
    by: "anthropicOutput",
    asked: { type: "object", properties: { a: {} } },
    sent: { type: "object", properties: { a: {} }, additionalProperties: false },
    at: null,
  },
  {
    name: "Anthropic: a map that is closed, so that it can hold nothing",
    by: "anthropicOutput",
    asked: { type: "object", additionalProperties: { type: "string" } },
    sent: { type: "object", additionalProperties: false },
    at: "additionalProperties",
  },
  {
    name: "Google: a list for a constant",
    by: "googleOutput",
    sent: properties({ kind: { enum: ["refund"] } }),
    at: null,
  },
  {
    name: "Google: a list of more",
    by: "googleOutput",
    sent: properties({ kind: { enum: ["refund", "x"] } }),
    at: "properties.kind.enum",
  },
  {
    name: "OpenAPI, as Google's package wrote it before",
    by: "openapi",
    sent: {
      type: "object",
      required: ["orderId", "cents"],
      properties: {
        orderId: { type: "string", minLength: 2, description: "Whose." },
        cents: { type: "integer" },
        kind: { enum: ["refund"] },
        reason: { type: "string", nullable: true },
        notes: { type: "object" },
        to: { oneOf: [{ type: "string" }, { type: "number" }] },
      },
    },
    at: null,
  },
  {
    name: "OpenAPI: types in a list",
    by: "openapi",
    asked: { type: "object", properties: { a: { type: ["string", "number", "null"] } } },
    sent: {
      type: "object",
      properties: { a: { anyOf: [{ type: "string" }, { type: "number" }], nullable: true } },
    },
    at: null,
  },
  {
    name: "OpenAPI: a property less",
    by: "openapi",
    asked: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
    sent: { type: "object", properties: {}, required: ["a"] },
    at: "properties.a",
  },
];

describe("a translated schema", () => {
  for (const { name, by, sent, asked = refund, at } of cases)
    test(`${name}: ${at === null ? "is the same" : `differs at ${at}`}`, () => {
      expect(schemaDifference(asked, sent, translations[by])).toBe(at);
    });
});
