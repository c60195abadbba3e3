// Standard Schema (https://standardschema.dev, version 1): the members that we use, so that any library's schema works.
import { HoldpointError } from "./errors.ts";
import { deepFreeze, type Json, toJson } from "./json.ts";

export interface Schema<Output = unknown, Input = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    /** Standard JSON Schema: zod 4.2 and later, valibot and arktype offer it. */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
      /** Of what validation gives. */
      readonly output?: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
    };
  };
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export type OutputOf<S extends Schema> = S extends Schema<infer Output> ? Output : never;

/** A validated value as JSON, or what is wrong with it, in one line. */
export type Validation =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly why: string };

/**
 * Validates `value`; what a schema makes of it (defaults, coercion) must be JSON, since it goes into the log. A promise
 * only where the schema gives one, which may never settle: code that has a clock uses `validateWithin`.
 */
export function validate(schema: Schema, value: unknown): Validation | Promise<Validation> {
  try {
    const result = schema["~standard"].validate(value);
    return "then" in result ? Promise.resolve(result).then(judged, refused) : judged(result);
  } catch (error) {
    return refused(error);
  }
}

function judged(result: SchemaResult<unknown>): Validation {
  if (result.issues) return { ok: false, why: result.issues.map(describeIssue).join("; ") };
  try {
    return { ok: true, value: deepFreeze(toJson(result.value)) }; // nobody changes what was judged and hashed
  } catch (error) {
    return refused(error);
  }
}

function refused(error: unknown): Validation {
  return { ok: false, why: error instanceof Error ? error.message : String(error) };
}

function describeIssue(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

/** The JSON Schema of what a schema accepts. @throws `tool_invalid` when the schema's library offers none. */
export function jsonSchemaOf(schema: Schema, owner: string): Json {
  const standard = schema["~standard"];
  if (!standard.jsonSchema) {
    throw new HoldpointError(
      "tool_invalid",
      `the schema of ${owner} (${standard.vendor}) offers no JSON Schema`,
      {
        fix: "Use zod 4.2 or later, or another library with Standard JSON Schema.",
      },
    );
  }
  return toJson(standard.jsonSchema.input({ target: "draft-2020-12" }));
}
