// The members of the input that a prompt file shows, against the JSON Schema of what the agent's `input` makes.
import type { Agent } from "../agent.ts";
import type { Json } from "../json.ts";
import { isPromptTemplate, type PromptTemplate } from "../prompt/prompt.ts";
import type { Schema } from "../schema.ts";
import { type CheckCode, finding } from "./codes.ts";
import type { Finding } from "./finding.ts";
import { type ShownVariable, shownVariables } from "./prompt-text.ts";

export function checkPromptInput({ prompt, input }: Agent): readonly Finding[] {
  if (!isPromptTemplate(prompt)) return [];
  const shown = shownVariables(prompt).filter(({ name }) => !hasDefault(prompt, name));
  const [first] = shown.filter(({ path }) => path.length > 0);
  if (first && !input)
    return [
      found(
        "prompt_input_unchecked",
        first,
        `its prompt shows {{${first.name}}}, and the agent takes any input`,
      ),
    ];
  const schema = input && outputSchema(input);
  return schema ? shown.flatMap((variable) => checkVariable(variable, schema)) : [];
}

function hasDefault({ variables }: PromptTemplate, name: string): boolean {
  return variables.some((variable) => variable.name === name && variable.default !== undefined);
}

function found(code: CheckCode, { line }: ShownVariable, message: string): Finding {
  return finding(code, { kind: "prompt", line }, message);
}

function checkVariable(variable: ShownVariable, schema: SchemaObject): readonly Finding[] {
  let at: SchemaObject = schema;
  for (const [index, part] of variable.path.entries()) {
    const { properties, required = [] } = at;
    if (!isClosedObject(at) || !isObject(properties)) return []; // a union, a list, or more than it declares: nobody knows
    const name = ["input", ...variable.path.slice(0, index + 1)].join(".");
    const member = Object.hasOwn(properties, part) ? properties[part] : undefined;
    if (member === undefined)
      return [
        found(
          "prompt_variable_unknown",
          variable,
          `its prompt shows ${name}; the input has ${listed(properties)}`,
        ),
      ];
    if (!isList(required) || !required.includes(part))
      return [found("prompt_variable_optional", variable, `its prompt shows ${name}, which may be missing`)];
    if (!isObject(member)) return [];
    at = member;
  }
  if (variable.asJson || (at.type !== "object" && at.type !== "array")) return [];
  return [
    found(
      "prompt_variable_not_text",
      variable,
      `its prompt shows ${variable.name} as text, and it is of type ${at.type}`,
    ),
  ];
}

type SchemaObject = { readonly [word: string]: Json };

/** What `input` makes of an input: it is what a prompt is given. `null` where the schema's library cannot say. */
function outputSchema(schema: Schema): SchemaObject | null {
  try {
    const made: unknown = schema["~standard"].jsonSchema?.output?.({ target: "draft-2020-12" });
    return isObject(made) ? made : null;
  } catch {
    return null; // a transformation has no schema
  }
}

/** Any other member is refused or removed. */
function isClosedObject({ type, additionalProperties, anyOf, oneOf, allOf, $ref }: SchemaObject): boolean {
  const isPlain = [anyOf, oneOf, allOf, $ref].every((word) => word === undefined);
  return type === "object" && additionalProperties === false && isPlain;
}

function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function listed(properties: SchemaObject): string {
  return Object.keys(properties).slice(0, 10).join(", ") || "none";
}
