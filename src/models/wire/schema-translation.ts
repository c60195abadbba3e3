// Providers take a part of JSON Schema only, and their packages rewrite what they do not take. A translation knows what
// a package does: what it may leave out (outputs are validated here anyway, I9) and how it writes the rest. Anything else
// is a change. From the sources of @ai-sdk/openai 4.0, anthropic 4.0 and google 4.0 and 3.0.
import { isObject, type Members, sameJson } from "./same-json.ts";

export interface SchemaTranslation {
  /** A part of the schema as the package writes it; its own parts are translated afterwards. */
  rewrite(node: Members, root: Members): Members;
  /** Whether a keyword may be missing from what is sent. */
  mayDrop(keyword: string, value: unknown): boolean;
  /** Constraints that are left out are added to the description, in words. */
  readonly notesConstraints?: true;
}

const verbatim: SchemaTranslation = { rewrite: (node) => node, mayDrop: () => false };

/** No `propertyNames`, no lookaround in patterns, and a reference in place of an `allOf` of one. */
const openai: SchemaTranslation = {
  rewrite(node, root) {
    const reference = soleReference(node);
    if (reference === undefined) return node;
    const { allOf: _, ...others } = node;
    if (node !== root) return { ...others, $ref: reference };
    const referenced = definition(reference, root);
    return referenced ? { ...referenced, ...others } : node;
  },
  mayDrop: (keyword, value) =>
    keyword === "propertyNames" || (keyword === "pattern" && /\(\?<?[=!]/.test(String(value))),
};

/** What Anthropic's constrained decoder takes; the rest it is told in the description. */
const anthropicOutput: SchemaTranslation = {
  rewrite({ oneOf, ...node }) {
    if (node.$ref !== undefined) return { $ref: node.$ref, $defs: node.$defs, definitions: node.definitions };
    const rewritten = oneOf === undefined || node.anyOf !== undefined ? node : { ...node, anyOf: oneOf };
    // an open object may be closed where it names its properties: others would not be asked for
    const isClosed = isObject(node.properties) && (node.additionalProperties ?? false) === false;
    return isClosed ? { ...rewritten, additionalProperties: false } : rewritten;
  },
  mayDrop: (keyword) => !kept.has(keyword),
  notesConstraints: true,
};

const kept: ReadonlySet<string> = new Set([
  ...["$ref", "title", "description", "default", "const", "enum", "type", "anyOf", "allOf", "items"],
  ...["$defs", "definitions", "properties", "required", "additionalProperties"],
]);

/** `enum` for `const`. */
const googleOutput: SchemaTranslation = {
  rewrite: constAsEnum,
  mayDrop: () => false,
};

/** OpenAPI 3.0, as @ai-sdk/google wrote it up to version 3: `nullable`, and few keywords. */
const openapi: SchemaTranslation = {
  rewrite(node) {
    const { type, anyOf, ...others } = constAsEnum(node);
    if (Array.isArray(type)) {
      const types = type.filter((each) => each !== "null").map((each) => ({ type: each }));
      return { ...others, anyOf: types, ...(types.length < type.length && { nullable: true }) };
    }
    if (!Array.isArray(anyOf) || !anyOf.some(isNull)) return { ...others, type, anyOf };
    const [only, ...more] = anyOf.filter((each) => !isNull(each));
    if (more.length === 0 && isObject(only)) return { ...others, ...constAsEnum(only), nullable: true };
    return { ...others, type, anyOf: [only, ...more], nullable: true };
  },
  mayDrop: (keyword, value) =>
    !keptByOpenapi.has(keyword) || (keyword === "properties" && sameJson(value, {})),
};

const keptByOpenapi: ReadonlySet<string> = new Set([
  ...[
    "type",
    "description",
    "required",
    "properties",
    "items",
    "enum",
    "anyOf",
    "oneOf",
    "allOf",
    "nullable",
  ],
]);

type TranslationName = "verbatim" | "openai" | "anthropicOutput" | "googleOutput" | "openapi";

export const translations: Readonly<Record<TranslationName, SchemaTranslation>> = {
  verbatim,
  openai,
  anthropicOutput,
  googleOutput,
  openapi,
};

function constAsEnum({ const: value, ...node }: Members): Members {
  return value === undefined ? node : { ...node, enum: [value] };
}

function isNull(schema: unknown): boolean {
  return isObject(schema) && schema.type === "null";
}

function soleReference({ allOf }: Members): string | undefined {
  const [only, ...more] = Array.isArray(allOf) ? allOf : [];
  if (more.length > 0 || !isObject(only) || typeof only.$ref !== "string") return undefined;
  return Object.keys(only).length === 1 ? only.$ref : undefined;
}

function definition(reference: string, root: Members): Members | undefined {
  const [, keyword = "", name = ""] = /^#\/(definitions|\$defs)\/(.+)$/.exec(reference) ?? [];
  const definitions = root[keyword];
  const found = isObject(definitions)
    ? definitions[name.replaceAll("~1", "/").replaceAll("~0", "~")]
    : undefined;
  return isObject(found) ? found : undefined;
}

/** The path at which what is sent is no translation of what was asked for; `null` when it is one throughout. */
export function schemaDifference(
  asked: unknown,
  sent: unknown,
  translation: SchemaTranslation,
): string | null {
  if (sameJson(asked, sent)) return null;
  const root = isObject(asked) ? asked : {};
  return differenceAt({ translation, root }, asked, sent, "");
}

interface Comparison {
  readonly translation: SchemaTranslation;
  readonly root: Members;
}

function differenceAt(comparison: Comparison, asked: unknown, sent: unknown, path: string): string | null {
  if (sameJson(asked, sent)) return null;
  if (!isObject(asked) || !isObject(sent)) return path || "its root";
  const { translation, root } = comparison;
  const wanted = translation.rewrite(asked, root);
  for (const keyword of new Set([...Object.keys(wanted), ...Object.keys(sent)])) {
    const found = keywordDifference(comparison, keyword, { asked, wanted, sent }, path);
    if (found !== null) return found;
  }
  return null;
}

function keywordDifference(
  comparison: Comparison,
  keyword: string,
  { asked, wanted, sent }: Readonly<Record<"asked" | "wanted" | "sent", Members>>,
  path: string,
): string | null {
  const at = path === "" ? keyword : `${path}.${keyword}`;
  const [want, got] = [wanted[keyword], sent[keyword]];
  if (want === undefined && got === undefined) return null;
  const { translation } = comparison;
  if (got === undefined) return translation.mayDrop(keyword, want) ? null : at;
  if (keyword === "description" && translation.notesConstraints)
    return isNoted(asked, want ?? "", got) ? null : at;
  if (want === undefined) return at;
  if (named.has(keyword)) return namesDifference(comparison, want, got, at);
  if (Array.isArray(want) && lists.has(keyword)) return listDifference(comparison, want, got, at);
  if (nested.has(keyword)) return differenceAt(comparison, want, got, at);
  return sameJson(want, got) ? null : at;
}

/** Keywords whose members are schemas by name, lists of schemas, and schemas. */
const named: ReadonlySet<string> = new Set(["properties", "patternProperties", "$defs", "definitions"]);
const lists: ReadonlySet<string> = new Set(["anyOf", "oneOf", "allOf", "items", "prefixItems"]);
const nested: ReadonlySet<string> = new Set(["items", "additionalProperties", "additionalItems", "not"]);

function namesDifference(comparison: Comparison, want: unknown, got: unknown, path: string): string | null {
  if (!isObject(want) || !isObject(got)) return path;
  for (const name of new Set([...Object.keys(want), ...Object.keys(got)])) {
    const found = differenceAt(comparison, want[name], got[name], `${path}.${name}`);
    if (found !== null) return found;
  }
  return null;
}

function listDifference(
  comparison: Comparison,
  want: readonly unknown[],
  got: unknown,
  path: string,
): string | null {
  if (!Array.isArray(got) || got.length !== want.length) return path;
  for (const [index, each] of want.entries()) {
    const found = differenceAt(comparison, each, got[index], `${path}.${index}`);
    if (found !== null) return found;
  }
  return null;
}

/** Whether a description says nothing but what was asked for, and constraints of the same part: `max length: 5.` */
function isNoted(asked: Members, want: unknown, got: unknown): boolean {
  if (typeof want !== "string" || typeof got !== "string" || !got.startsWith(want)) return false;
  let rest = got.slice(want.length);
  for (const [keyword, value] of Object.entries(asked)) {
    const words = keyword.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    rest = rest.replace(`${words}: ${typeof value === "string" ? value : JSON.stringify(value)}`, () => "");
  }
  return /^[;.\s]*$/.test(rest);
}
