import type { Agent } from "../../core/agent.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { DecideOptions } from "../../core/flow.ts";
import { jsonSchemaOf, type Schema } from "../../core/schema.ts";
import { answerToolName } from "../../core/tool.ts";
import type { ModelTool } from "../../core/window/model-input.ts";

/** Lists by agent, or by the schema of one decision's answer: the same list object each time is counted once. */
const lists = new WeakMap<object, Map<string, readonly ModelTool[]>>();

/**
 * What a model may call at one decision: the tools it names or all of the agent's, and `answer` where the agent has a
 * schema for it. A decision with an `output` of its own is an answer and nothing else.
 *
 * @throws `tool_unknown`
 */
export function offeredTools(agent: Agent, options: DecideOptions): readonly ModelTool[] {
  if (options.output) return listed(options.output, "", () => [answerTool(schemaOf(options.output))]);
  const names = options.tools ?? [...agent.tools.keys()];
  return listed(agent, names.join(" "), () => [
    ...names.map((name) => modelTool(agent, name)),
    ...(agent.outputSchema === undefined ? [] : [answerTool(agent.outputSchema)]),
  ]);
}

function listed(owner: object, id: string, make: () => readonly ModelTool[]): readonly ModelTool[] {
  const known = lists.get(owner) ?? new Map<string, readonly ModelTool[]>();
  lists.set(owner, known);
  const list = known.get(id) ?? make();
  known.set(id, list);
  return list;
}

function schemaOf(output: Schema | undefined): ModelTool["inputSchema"] {
  return output ? jsonSchemaOf(output, "the output of t.decide()") : {};
}

function answerTool(inputSchema: ModelTool["inputSchema"]): ModelTool {
  return { name: answerToolName, description: "Gives the final answer and ends the task.", inputSchema };
}

function modelTool(agent: Agent, name: string): ModelTool {
  const tool = agent.tools.get(name);
  if (tool) return { name, description: tool.description, inputSchema: tool.inputSchema };
  throw new HoldpointError(
    "tool_unknown",
    `t.decide() offers "${name}", which agent ${agent.name} does not have`,
    { fix: `Tools of ${agent.name}: ${[...agent.tools.keys()].join(", ") || "none"}.` },
  );
}
