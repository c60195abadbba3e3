// Plain JSON Schema as a schema of ours: for tools that are described in it, such as those of MCP servers.
import { createRequire } from "node:module";
import type { Ajv, ErrorObject } from "ajv";
import { HoldpointError } from "./core/errors.ts";
import { deepFreeze, type Json, toJson } from "./core/json.ts";
import type { Schema } from "./core/schema.ts";

/**
 * A schema from JSON Schema: draft 2020-12, or draft 07 where `$schema` says so. Values are checked and never changed;
 * `format` and keywords that begin with `x-` only describe.
 *
 * Of members that it does not declare, `additionalProperties` decides as ever; but what a *model* writes may have only
 * declared members, unless `additionalProperties` is given and allows them.
 *
 * @throws `tool_invalid` for what is no valid JSON Schema, naming the place: a type that is none ("dict", "float", "any"),
 * a keyword that does not exist, a reference that leads nowhere.
 */
export function jsonSchema(schema: unknown): Schema<Json> {
  const given = deepFreeze(toJson(schema));
  checkWords(given, "#");
  const check = compile(given);
  return {
    "~standard": {
      version: 1,
      vendor: "json-schema",
      validate: (value) =>
        check(value)
          ? { value: value as Json } // what the schema was asked about came out of JSON
          : { issues: (check.errors ?? []).map(toIssue) },
      jsonSchema: { input: () => given as Record<string, unknown> }, // checkWords: it is an object
    },
  };
}

const require = createRequire(import.meta.url);

/** Loaded when first needed: it takes 90 ms, and most agents have no foreign schemas. */
const draft2020 = once(
  () => new (require("ajv/dist/2020.js") as typeof import("ajv/dist/2020.js")).Ajv2020(options),
);
const draft07 = once(() => new (require("ajv") as typeof import("ajv")).Ajv(options));

/** Strictness is ours (`checkWords`), since Ajv's does not name the place. Schemas are not kept under their `$id`. */
const options = { strict: false, validateFormats: false, addUsedSchema: false, logger: false } as const;

function once(make: () => Ajv): () => Ajv {
  let made: Ajv | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** The validator of the schema's dialect, and the schema without naming it: the same dialect has several addresses. */
function compile(given: Json): ReturnType<Ajv["compile"]> {
  const { $schema: dialect = "draft/2020-12", ...schema } = given as { readonly [key: string]: Json }; // checkWords
  const ajv = /draft-07/.test(String(dialect)) ? draft07() : draft2020();
  if (!/draft-07|2020-12/.test(String(dialect)))
    throw invalid(
      "#/$schema",
      `${JSON.stringify(dialect)} is no dialect that is known here (draft-07, 2020-12)`,
    );
  if (ajv.validateSchema(schema) !== true) {
    const [error] = ajv.errors ?? [];
    throw invalid(`#${error?.instancePath ?? ""}`, error?.message ?? "is not valid");
  }
  try {
    return ajv.compile(schema);
  } catch (error) {
    throw invalid("#", error instanceof Error ? error.message : String(error));
  }
}

const types = new Set(["string", "number", "integer", "boolean", "null", "array", "object"]);

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const inner = new Map<string, "schema" | "list" | "names">([
  ...["items", "additionalItems", "contains", "not", "if", "then", "else", "propertyNames"].map(
    (word) => [word, "schema"] as const,
  ),
  ...["additionalProperties", "unevaluatedProperties", "unevaluatedItems", "contentSchema"].map(
    (word) => [word, "schema"] as const,
  ),
  ...["anyOf", "oneOf", "allOf", "prefixItems"].map((word) => [word, "list"] as const),
  ...["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"].map(
    (word) => [word, "names"] as const,
  ),
]);

/** All others of drafts 07 and 2020-12. `example` is of OpenAPI, and so common that refusing it would help nobody. */
const plain = new Set(
  (
    "$schema $id $ref $anchor $comment $vocabulary $dynamicRef $dynamicAnchor type enum const title description " +
    "default deprecated readOnly writeOnly examples example format pattern minLength maxLength minimum maximum " +
    "exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems uniqueItems minContains maxContains required " +
    "minProperties maxProperties dependentRequired dependencies contentEncoding contentMediaType"
  ).split(" "),
);

/** Refuses types and keywords that JSON Schema does not have: a validator would pass over them, and check nothing. */
function checkWords(schema: Json | undefined, path: string): void {
  if (typeof schema === "boolean" && path !== "#") return;
  if (!isObject(schema)) throw invalid(path, "is no schema");
  for (const type of [schema.type ?? []].flat()) {
    if (typeof type !== "string" || !types.has(type))
      throw invalid(
        `${path}/type`,
        `${JSON.stringify(type)} is no type of JSON Schema (${[...types].join(", ")})`,
      );
  }
  for (const [word, value] of Object.entries(schema)) {
    const kind = inner.get(word);
    if (kind !== undefined) checkInner(kind, value, `${path}/${word}`);
    else if (!plain.has(word) && !word.startsWith("x-"))
      throw invalid(`${path}/${word}`, "is no keyword of JSON Schema");
  }
}

function checkInner(kind: "schema" | "list" | "names", value: Json, path: string): void {
  if (kind === "schema" && !Array.isArray(value)) return checkWords(value, path); // draft 07: `items` may be a list
  if (kind === "names" ? !isObject(value) : !Array.isArray(value))
    throw invalid(path, "is not of the form it must have");
  for (const [name, member] of Object.entries(value as object))
    checkWords(member as Json, `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`); // members of JSON
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(path: string, what: string): HoldpointError {
  return new HoldpointError("tool_invalid", `the JSON Schema is not valid: ${path} ${what}`, {
    fix: "Correct the schema where the tool comes from, or before it is handed over.",
  });
}

function toIssue(error: ErrorObject): { readonly message: string; readonly path: readonly string[] } {
  const path = error.instancePath.split("/").slice(1).map(decode);
  const { additionalProperty, unevaluatedProperty, allowedValues } = error.params;
  const named = additionalProperty ?? unevaluatedProperty ?? allowedValues;
  const what = error.message ?? "is not valid";
  return { message: named === undefined ? what : `${what}: ${JSON.stringify(named)}`, path };
}

function decode(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
