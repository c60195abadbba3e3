// The JSON Schema of an input, as far as it says for sure what members there are.
import type { Json } from "../json.ts";
import type { Schema } from "../schema.ts";

export type SchemaObject = { readonly [word: string]: Json };

/** What `input` makes of an input: it is what a prompt is given. `null` where the schema's library cannot say. */
export function outputSchema(schema: Schema): SchemaObject | null {
  try {
    const made: unknown = schema["~standard"].jsonSchema?.output?.({ target: "draft-2020-12" });
    return isObject(made) ? made : null;
  } catch {
    return null; // a transformation has no schema
  }
}

/** The members of an object, any other one being refused or removed; `null` for all else, of which nobody knows. */
export function closedMembers(schema: SchemaObject): SchemaObject | null {
  const { type, properties, additionalProperties, anyOf, oneOf, allOf, $ref } = schema;
  const isPlain = [anyOf, oneOf, allOf, $ref].every((word) => word === undefined);
  return type === "object" && additionalProperties === false && isPlain && isObject(properties)
    ? properties
    : null;
}

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function memberNames(members: SchemaObject): string {
  return Object.keys(members).slice(0, 10).join(", ") || "none";
}
