// The tools and the form of the answer that a recorded request offered, and the calls that a recorded response made, in
// whichever API they are written.
import type { Json } from "../../src/core/json.ts";
import type { ModelInput, ModelTool } from "../../src/ports/model.ts";

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON of eight APIs; a wrong guess at its shape fails a test.
type Recorded = any;

/** Of tools without a schema, and for responses without a recorded request. */
export const openSchema: Json = { type: "object", additionalProperties: true };

/** The provider's own tools are left out: Holdpoint offers none. */
export function offeredBy(request: Recorded): readonly ModelTool[] {
  const lists = [request?.tools ?? [], request?.toolConfig?.tools ?? []];
  const tools = lists.flat().flatMap(toolsOf);
  return [...new Map(tools.map((tool) => [tool.name, tool])).values()];
}

function toolsOf(tool: Recorded): ModelTool[] {
  const declared = tool.functionDeclarations ?? tool.function_declarations;
  if (declared) return declared.map(toTool);
  if (tool.toolSpec) return [toTool({ ...tool.toolSpec, parameters: tool.toolSpec.inputSchema?.json })];
  if (tool.function) return [toTool(tool.function)];
  if (tool.type === "function" || tool.input_schema) return [toTool(tool)];
  return [];
}

function toTool(tool: Recorded): ModelTool {
  const schema =
    tool.parameters ?? tool.parametersJsonSchema ?? tool.parameters_json_schema ?? tool.input_schema;
  return {
    name: tool.name,
    description: tool.description ?? tool.name,
    inputSchema: lowerTypes(schema ?? openSchema),
  };
}

/** Google writes `"OBJECT"`. */
function lowerTypes(schema: Recorded): Json {
  if (Array.isArray(schema)) return schema.map(lowerTypes);
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) =>
    key === "type" && typeof value === "string" ? [key, value.toLowerCase()] : [key, lowerTypes(value)],
  );
  return Object.fromEntries(entries);
}

/** The JSON Schema that a request asked the answer to have. */
export function outputOf(request: Recorded): ModelInput["output"] {
  const schema =
    request?.response_format?.json_schema?.schema ??
    request?.text?.format?.schema ??
    request?.output_config?.format?.schema ??
    request?.output_format?.schema ??
    request?.generationConfig?.responseJsonSchema;
  return schema === undefined ? undefined : { name: "result", schema };
}

/** Names of the functions that a response calls and its caller is to run, wherever in it they stand. */
export function calledBy(response: Recorded): readonly string[] {
  const names = new Set<string>();
  visit(response, (value) => {
    const { type, name } = value;
    const isCall = type === "tool_use" || type === "function_call" || type === "custom_tool_call";
    for (const called of [
      isCall && name,
      value.functionCall?.name,
      value.toolUse?.name,
      value.function?.name,
      value.contentBlockStart?.start?.toolUse?.name,
    ])
      if (typeof called === "string" && called !== "") names.add(called);
  });
  return [...names];
}

function visit(value: Recorded, see: (value: Recorded) => void): void {
  if (typeof value !== "object" || value === null) return;
  see(value);
  for (const member of Object.values(value)) visit(member, see);
}
