import type { Json } from "../json.ts";
import type { Tool } from "../tool.ts";
import { type CheckCode, finding } from "./codes.ts";
import type { CheckContext, Finding } from "./finding.ts";
import {
  isSchemaObject,
  limitsOfProvider,
  type ProviderLimits,
  type Reported,
  schemasIn,
} from "./provider-limits.ts";

/** A tool's input is valid JSON Schema, and one that the agent's providers take. */
export function checkToolSchema(context: CheckContext, tool: Tool): readonly Finding[] {
  const problem = context.schemaProblem(tool);
  if (problem !== null) return [found("tool_schema_invalid", tool, problem)];
  const byProvider = context.agent.encoding === "tools" ? context.models : [];
  const seen = new Set<string>();
  const refused = byProvider.flatMap(({ id, provider }) => {
    const limits = limitsOfProvider(provider);
    const all = limits ? checkProvider(tool, limits, id) : [];
    const fresh = all.filter(({ code }) => !seen.has(code)); // one model of a list is enough to say so
    for (const { code } of fresh) seen.add(code);
    return fresh;
  });
  return [...refused, ...checkOpen(tool)];
}

function found(code: CheckCode, { name }: Tool, message: string): Finding {
  return finding(code, { kind: "tool", name }, message);
}

function checkProvider(tool: Tool, limits: ProviderLimits, modelId: string): readonly Finding[] {
  const { name, inputSchema } = tool;
  const top = topProblem(inputSchema);
  if (top !== null)
    return [
      found("tool_schema_top_level", tool, `the input of ${name} ${top}, and ${modelId} takes an object`),
    ];
  const { notAtTop, memberName, wantsItems, wantsTextEnums } = limits;
  const union = notAtTop?.value.find(
    (word) => isSchemaObject(inputSchema) && Object.hasOwn(inputSchema, word),
  );
  const badMember = membersOf(inputSchema).find((member) => memberName?.value.test(member) === false);
  const inner = [...schemasIn(inputSchema)];
  const problem = (code: CheckCode, what: string, { source }: Reported<unknown>): Finding =>
    found(code, tool, `${what}, for ${modelId} (${source})`);
  return [
    ...(notAtTop && union !== undefined
      ? [problem("tool_schema_union", `the input of ${name} has ${union} at its top`, notAtTop)]
      : []),
    ...(memberName && badMember !== undefined
      ? [problem("tool_property_name", `${name} has a member ${JSON.stringify(badMember)}`, memberName)]
      : []),
    ...(wantsItems && inner.some(isUntypedList)
      ? [problem("tool_list_untyped", `a list in the input of ${name} says nothing of its items`, wantsItems)]
      : []),
    ...(wantsTextEnums && inner.some(isOddChoice)
      ? [problem("tool_enum_not_text", `a choice in the input of ${name} is not of texts`, wantsTextEnums)]
      : []),
  ];
}

/** Completes "the input of x …". A union at the top is told apart: it may be one of objects. */
function topProblem(schema: Json): string | null {
  if (!isSchemaObject(schema)) return "is no object";
  if (schema.type === "object" || unions.some((word) => Object.hasOwn(schema, word))) return null;
  return `is of type ${JSON.stringify(schema.type ?? "any")}`;
}

const unions = ["oneOf", "anyOf", "allOf"];

function membersOf(schema: Json): readonly string[] {
  const properties = isSchemaObject(schema) ? schema.properties : undefined;
  return isSchemaObject(properties) ? Object.keys(properties) : [];
}

function isUntypedList({ type, items, prefixItems }: { readonly [word: string]: Json }): boolean {
  return type === "array" && items === undefined && prefixItems === undefined;
}

function isOddChoice(schema: { readonly [word: string]: Json }): boolean {
  return Array.isArray(schema.enum) && schema.enum.some((choice: Json) => typeof choice !== "string");
}

/** An object without members takes none, or any: a call of a tool with an effect should say more. */
function checkOpen(tool: Tool): readonly Finding[] {
  const { name, inputSchema, risk, effect } = tool;
  if (risk === "low" || effect === "read" || !isSchemaObject(inputSchema)) return [];
  const { type, properties, additionalProperties, $ref } = inputSchema;
  const isOpen = type === "object" && $ref === undefined && additionalProperties !== false;
  if (!isOpen || (isSchemaObject(properties) && Object.keys(properties).length > 0)) return [];
  if (isSchemaObject(additionalProperties) && Object.keys(additionalProperties).length > 0) return [];
  return [found("tool_input_open", tool, `the input of ${name} declares no members`)];
}
