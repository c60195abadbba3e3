// What providers refuse in a request's tools: only what fails every call, by what they answered or say in their pages.
// OpenAI: "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level"
// (langchainjs#9804), tools "array too long" (zed#32946), description "too long" (sentry-mcp#106; not by all models).
// Anthropic: "input_schema does not support oneOf, allOf, or anyOf at the top level" (claude-code#5973), and its page on
// tools for names of members. Google: "Must start with a letter or an underscore", "items: missing field" (cline#7339).
import type { Json } from "../json.ts";
import { schemaKeywords } from "../schema-keywords.ts";

export interface ProviderLimits {
  readonly toolName?: RegExp;
  /** Of a member at the top of a tool's input. */
  readonly memberName?: RegExp;
  readonly mostTools?: number;
  readonly longestDescription?: number;
  /** Keywords that may not stand at the top of a tool's input. */
  readonly notAtTop: readonly string[];
  readonly wantsItems?: true;
  readonly wantsTextEnums?: true;
}

const openAi: ProviderLimits = {
  notAtTop: ["oneOf", "anyOf", "allOf", "enum", "not"],
  mostTools: 128,
  longestDescription: 1_024,
};

const limits: ReadonlyMap<string, ProviderLimits> = new Map([
  ["openai", openAi],
  ["azure", openAi],
  ["anthropic", { notAtTop: ["oneOf", "anyOf", "allOf"], memberName: /^[a-zA-Z0-9_.-]{1,64}$/ }],
  ["google", { notAtTop: [], toolName: /^[a-zA-Z_]/, wantsItems: true, wantsTextEnums: true }],
]);

/** `undefined` for a provider that nothing is known of. */
export function limitsOfProvider(provider: string): ProviderLimits | undefined {
  return limits.get(provider);
}

export type SchemaObject = { readonly [word: string]: Json };

export function isSchemaObject(value: Json | undefined): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** All schemas within a schema, itself first. */
export function* schemasIn(schema: Json): Generator<SchemaObject> {
  if (!isSchemaObject(schema)) return;
  yield schema;
  for (const [word, value] of Object.entries(schema)) {
    const kind = schemaKeywords.get(word);
    if (kind === undefined) continue;
    const inner = kind === "schema" && !Array.isArray(value) ? [value] : Object.values(value ?? {});
    for (const each of inner) yield* schemasIn(each);
  }
}
