// The members of the input that a prompt file shows, against the JSON Schema of what the agent's `input` makes.
import type { Agent } from "../agent.ts";
import type { Json } from "../json.ts";
import { isPromptTemplate, type PromptTemplate } from "../prompt/prompt.ts";
import { checkPromptSections } from "./check-prompt-sections.ts";
import { type CheckCode, finding } from "./codes.ts";
import type { Finding } from "./finding.ts";
import { closedMembers, isObject, memberNames, outputSchema, type SchemaObject } from "./input-schema.ts";
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
  if (!schema) return [];
  return [
    ...shown.flatMap((variable) => checkVariable(variable, schema)),
    ...checkPromptSections(prompt, schema),
  ];
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
    const { required = [] } = at;
    const properties = closedMembers(at);
    if (properties === null) return []; // a union, a list, or more than it declares: nobody knows
    const name = ["input", ...variable.path.slice(0, index + 1)].join(".");
    const member = Object.hasOwn(properties, part) ? properties[part] : undefined;
    if (member === undefined)
      return [
        found(
          "prompt_variable_unknown",
          variable,
          `its prompt shows ${name}; the input has ${memberNames(properties)}`,
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

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
