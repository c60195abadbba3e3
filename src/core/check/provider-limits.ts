// What providers refuse in a request's tools. What they document for this API may stop a start; what is known from public
// reports of their answers, or documented for another of their APIs, is a warning that names its source: `--probe` asks.
// Documented: a tool's input is `type: "object"` (Anthropic's and OpenAI's API references, Google's `Schema`).
import type { Json } from "../json.ts";
import { schemaKeywords } from "../schema-keywords.ts";

/** A limit, and where it is known from. */
export interface Reported<T> {
  readonly value: T;
  readonly source: string;
}

export interface ProviderLimits {
  readonly toolName?: Reported<RegExp>;
  /** Of a member at the top of a tool's input. */
  readonly memberName?: Reported<RegExp>;
  readonly mostTools?: Reported<number>;
  readonly longestDescription?: Reported<number>;
  /** Keywords that may not stand at the top of a tool's input. */
  readonly notAtTop?: Reported<readonly string[]>;
  readonly wantsItems?: Reported<true>;
  readonly wantsTextEnums?: Reported<true>;
}

const openAi: ProviderLimits = {
  // "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level"
  notAtTop: {
    value: ["oneOf", "anyOf", "allOf", "enum", "not"],
    source: "reported in langchain-ai/langchainjs#9804",
  },
  // "Invalid 'tools': array too long. Expected an array with maximum length 128"; the reference says so of one of two APIs
  mostTools: {
    value: 128,
    source: "OpenAI's reference of Chat Completions; reported in zed-industries/zed#32946",
  },
  longestDescription: { value: 1_024, source: "reported in getsentry/sentry-mcp#106, not of all models" },
};

const anthropic: ProviderLimits = {
  // "input_schema does not support oneOf, allOf, or anyOf at the top level"
  notAtTop: { value: ["oneOf", "anyOf", "allOf"], source: "reported in anthropics/claude-code#40075" },
  memberName: {
    value: /^[a-zA-Z0-9_.-]{1,64}$/,
    source: "Anthropic's page on tools of managed agents, as cited in diegosouzapw/OmniRoute#13552",
  },
};

const google: ProviderLimits = {
  // "Must start with a letter or an underscore"
  toolName: {
    value: /^[a-zA-Z_]/,
    source: "Google's reference of Vertex AI; the Gemini API's says nothing of it",
  },
  // "items: missing field"
  wantsItems: { value: true, source: "reported in cline/cline#7339" },
  wantsTextEnums: { value: true, source: "`enum` of `Schema` in Google's reference is a list of texts" },
};

const limits: ReadonlyMap<string, ProviderLimits> = new Map([
  ["openai", openAi],
  ["azure", openAi],
  ["anthropic", anthropic],
  ["google", google],
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
