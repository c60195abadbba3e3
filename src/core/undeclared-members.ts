// Which members of a value its JSON Schema does not speak of. Schemas let such members pass, or drop them in silence;
// in what a model wrote they are a mistake, such as an argument of another tool, or one misspelt.
//
// A schema speaks of a member by `properties`, `patternProperties`, `additionalProperties` and the like, in any of its
// parts that may apply. Where it says nothing of members at all, every member is welcome. What cannot be told (a
// reference elsewhere) is taken to be declared: no false alarms.
import type { Json } from "./json.ts";

export type MemberPath = readonly (string | number)[];

type Schema = { readonly [keyword: string]: Json };

/** The paths of the outermost undeclared members of `value`, at most `most` of them. */
export function undeclaredMembers(schema: Json, value: Json, most = 20): readonly MemberPath[] {
  const found: MemberPath[] = [];
  visit([schema], value, []);
  return found;

  function visit(schemas: readonly Json[], part: Json, path: MemberPath): void {
    if (typeof part !== "object" || part === null) return;
    for (const [key, member] of Object.entries(part)) {
      if (found.length >= most) return;
      const step = Array.isArray(part) ? Number(key) : key;
      const inner = new Set(schemas.flatMap((each) => describing(each, part, step, schema, new Set())));
      if (inner.size === 0) found.push([...path, step]);
      else visit([...inner], member, [...path, step]);
    }
  }
}

/** The schemas that `schema` has for a member or item of `whole`; none when it does not speak of it. */
function describing(
  schema: Json | undefined,
  whole: Json,
  step: string | number,
  root: Json,
  seen: Set<Json>,
): readonly Json[] {
  if (!isSchema(schema)) return schema === false || schema === undefined ? [] : [true];
  if (seen.has(schema)) return [];
  seen.add(schema);
  if (saysNothing(schema)) return [true];
  const own = typeof step === "number" ? itemSchemas(schema, step) : memberSchemas(schema, step);
  const parts = [...allParts(schema), ...alternatives(schema, whole), ...referred(schema, root)];
  return [...own, ...parts.flatMap((part) => describing(part, whole, step, root, seen))];
}

function memberSchemas(schema: Schema, key: string): readonly Json[] {
  const properties = schema.properties;
  const named = isSchema(properties) && Object.hasOwn(properties, key) ? [properties[key] ?? true] : [];
  const patterns = Object.entries(schema.patternProperties ?? {}).filter(([pattern]) =>
    matches(pattern, key),
  );
  const found = [...named, ...patterns.map(([, inner]) => inner as Json)]; // members of a JSON value
  if (found.length > 0) return found;
  const rest = schema.additionalProperties ?? schema.unevaluatedProperties ?? false;
  return rest === false ? [] : [rest];
}

function matches(pattern: string, key: string): boolean {
  try {
    return new RegExp(pattern, "u").test(key);
  } catch {
    return true; // it cannot be told
  }
}

function itemSchemas(schema: Schema, index: number): readonly Json[] {
  const tuple = schema.prefixItems ?? schema.items;
  const first = Array.isArray(tuple) ? (tuple as readonly Json[])[index] : undefined;
  if (first !== undefined) return [first];
  const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items;
  return [rest ?? true]; // how many items there may be is for validation
}

const shapeKeywords = [
  "properties",
  "patternProperties",
  "additionalProperties",
  "unevaluatedProperties",
  "items",
  "prefixItems",
  "anyOf",
  "oneOf",
  "then",
  "else",
  "$ref",
  "$dynamicRef",
];

/** True of `{}`, of `{ type: "object" }`, and of what only combines such. */
function saysNothing(schema: Schema): boolean {
  if (shapeKeywords.some((keyword) => schema[keyword] !== undefined)) return false;
  return listOf(schema.allOf).every((part) => isSchema(part) && saysNothing(part));
}

/** Parts that apply whatever the value: those without a shape say nothing of members, and add none. */
function allParts(schema: Schema): readonly Json[] {
  return listOf(schema.allOf).filter((part) => isSchema(part) && !saysNothing(part));
}

/** Parts of which one applies: those that a constant member of the value rules out are left aside. */
function alternatives(schema: Schema, whole: Json): readonly Json[] {
  const list = [...listOf(schema.anyOf), ...listOf(schema.oneOf)];
  const fitting = list.filter((part) => !isRuledOut(part, whole));
  const conditional = [schema.then, schema.else].filter((part) => part !== undefined);
  return [...(fitting.length > 0 ? fitting : list), ...conditional];
}

function isRuledOut(schema: Json, whole: Json): boolean {
  if (!isSchema(schema) || !isSchema(whole)) return false;
  const properties = schema.properties;
  if (!isSchema(properties)) return false;
  return Object.entries(properties).some(
    ([key, member]) =>
      isSchema(member) &&
      member.const !== undefined &&
      Object.hasOwn(whole, key) &&
      whole[key] !== member.const,
  );
}

function referred(schema: Schema, root: Json): readonly Json[] {
  if (schema.$dynamicRef !== undefined) return [true];
  const pointer = schema.$ref;
  if (typeof pointer !== "string") return [];
  return [pointer.startsWith("#") ? (resolve(pointer, root) ?? true) : true];
}

function resolve(pointer: string, root: Json): Json | undefined {
  if (pointer !== "#" && !pointer.startsWith("#/")) return undefined;
  let place: Json | undefined = root;
  for (const part of pointer.split("/").slice(1)) {
    const key = decodePart(part);
    if (typeof place !== "object" || place === null || !Object.hasOwn(place, key)) return undefined;
    place = (place as Schema)[key]; // an array has its items under their numbers
  }
  return place;
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return part;
  }
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function isSchema(value: Json | undefined): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How a path is written for people and models: `filter.tags[0].name`. */
export function formatPath(path: MemberPath): string {
  const text = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  return text.replace(/^\./, "").slice(0, 200);
}

/** A copy of `value` without the member at `path`. */
export function withoutMember(value: Json, path: MemberPath): Json {
  const [step, ...rest] = path;
  if (Array.isArray(value))
    return value.map((item: Json, index) => (index === step ? withoutMember(item, rest) : item));
  if (!isSchema(value)) return value;
  const members = Object.entries(value).filter(([key]) => rest.length > 0 || key !== step);
  return Object.fromEntries(
    members.map(([key, member]) => [key, key === step ? withoutMember(member, rest) : member]),
  );
}

/** The member at `path`, or `undefined`. */
export function memberAt(value: Json, path: MemberPath): Json | undefined {
  let place: Json | undefined = value;
  for (const step of path) {
    if (typeof place !== "object" || place === null || !Object.hasOwn(place, step)) return undefined;
    place = (place as Schema)[step]; // as above
  }
  return place;
}
