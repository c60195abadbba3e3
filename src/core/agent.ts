import { defaultFlow } from "./default-flow.ts";
import { type Duration, durationMs } from "./duration.ts";
import type { EncodingName } from "./encodings/encoding.ts";
import { encodings } from "./encodings/encodings.ts";
import { HoldpointError } from "./errors.ts";
import type { Flow } from "./flow.ts";
import { type Gate, gate } from "./gate.ts";
import type { Json } from "./json.ts";
import { type LimitOptions, type Limits, limitsOf } from "./limits.ts";
import { isPromptTemplate, type Prompt } from "./prompt/prompt.ts";
import { jsonSchemaOf, type Schema } from "./schema.ts";
import { standingAgent } from "./standing.ts";
import type { Tool } from "./tool.ts";
import { type WindowOptions, type WindowSettings, window } from "./window/settings.ts";

export interface AgentDefinition<Input, Output, M, Tools extends readonly Tool[] = readonly Tool[]> {
  /** Letters, digits, `_`, `-` and `.`; at most 64. Threads find their agent by it. */
  readonly name: string;
  /** Recorded with each thread. Default "1". */
  readonly version?: string;
  /**
   * `provider/model`, or a model object; or several in a list: when one cannot be reached, the next is asked.
   * Left out, the model that a prompt file names is used, and without one the runtime's default.
   */
  readonly model?: M;
  /** Needed by agents that decide. */
  readonly prompt?: Prompt<Input>;
  readonly tools?: Tools;
  readonly input?: Schema<Input>;
  /** With it the model answers by calling `answer`, validated; without it, in text. */
  readonly output?: Schema<Output>;
  /** How tools and answers are put to the model: `tools` (the default), `json` or `text`. */
  readonly encoding?: EncodingName;
  readonly window?: WindowOptions;
  readonly gate?: Gate;
  /**
   * Whether an output solves the task, for the success rate alone: called once when a thread completes, and its verdict
   * is recorded with the output. What throws, or is still going after 10 s, is not accepted.
   */
  readonly accept?: Accept<Input, Output>;
  readonly limits?: LimitOptions;
  /** Longest answer of the model, in tokens. Default 4,096. */
  readonly maxOutputTokens?: number;
  /** A model call that takes longer is given up and tried again. Default 2 min. */
  readonly modelTimeout?: Duration;
  /** Default: `defaultFlow`, decide and act until the model answers. */
  readonly flow?: Flow<Input, Output, Tools>;
}

/** @param output - as the log keeps it. */
export type Accept<Input = unknown, Output = unknown> = (
  output: Output,
  input: Input,
) => boolean | Promise<boolean>;

export interface Agent<M = unknown> {
  readonly name: string;
  readonly version: string;
  readonly model: M | string | readonly string[] | undefined;
  readonly prompt: Prompt;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly input: Schema | undefined;
  readonly output: Schema | undefined;
  readonly outputSchema: Json | undefined;
  readonly encoding: EncodingName;
  readonly window: WindowSettings;
  readonly gate: Gate;
  readonly accept: Accept | undefined;
  readonly limits: Limits;
  readonly maxOutputTokens: number;
  readonly modelTimeoutMs: number;
  readonly flow: Flow;
}

/**
 * Defines an agent.
 *
 * @throws `agent_invalid` for a name that cannot be used, a prompt that is none, an encoding that does not exist, or two
 *   tools of one name.
 */
export function agent<
  Input = unknown,
  Output = unknown,
  M = unknown,
  const Tools extends readonly Tool[] = readonly Tool[],
>(definition: AgentDefinition<Input, Output, M, Tools>): Agent<M> {
  if (!/^[a-zA-Z0-9._-]{1,64}$/.test(definition.name) || definition.name === standingAgent) {
    throw new HoldpointError("agent_invalid", `"${definition.name}" cannot be an agent's name`, {
      fix: `Use 1 to 64 letters, digits, dots, _ and -, and not "${standingAgent}".`,
    });
  }
  return Object.freeze({
    name: definition.name,
    version: definition.version ?? "1",
    model: definition.model ?? (isPromptTemplate(definition.prompt) ? definition.prompt.model : undefined),
    prompt: promptOf(definition.name, definition.prompt) as Prompt, // input is validated by `input` before a prompt sees it
    tools: toolsByName(definition.name, definition.tools ?? []),
    input: definition.input,
    output: definition.output,
    outputSchema:
      definition.output && jsonSchemaOf(definition.output, `the output of agent ${definition.name}`),
    encoding: encodingName(definition),
    window: window(definition.window),
    gate: definition.gate ?? gate(),
    accept: definition.accept as Accept | undefined, // what it is given is of the flow and of the input's schema
    limits: limitsOf(definition.limits),
    maxOutputTokens: definition.maxOutputTokens ?? 4_096,
    modelTimeoutMs: durationMs(definition.modelTimeout ?? "2m"),
    flow: (definition.flow ?? defaultFlow) as Flow, // as for the prompt
  });
}

/** Tells an agent from whatever else a file exports. */
export function isAgent(value: unknown): value is Agent {
  return (
    typeof value === "object" &&
    value !== null &&
    "flow" in value &&
    "gate" in value &&
    "tools" in value &&
    value.tools instanceof Map
  );
}

function promptOf<Input>(name: string, prompt: Prompt<Input> = ""): Prompt<Input> {
  if (typeof prompt === "string" || typeof prompt === "function" || isPromptTemplate(prompt)) return prompt;
  throw new HoldpointError("agent_invalid", `agent ${name}: its prompt is no text, function or prompt file`, {
    fix: "Use text, promptFile(new URL(…, import.meta.url)), or a function that returns text.",
  });
}

function encodingName({
  name,
  encoding = "tools",
}: {
  readonly name: string;
  readonly encoding?: EncodingName;
}): EncodingName {
  if (Object.hasOwn(encodings, encoding)) return encoding;
  throw new HoldpointError(
    "agent_invalid",
    `agent ${name}: there is no encoding ${JSON.stringify(encoding)}`,
    {
      fix: `Use one of: ${Object.keys(encodings).join(", ")}.`,
    },
  );
}

function toolsByName(agentName: string, tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  if (byName.size === tools.length) return byName;
  throw new HoldpointError("agent_invalid", `agent ${agentName} has two tools of the same name`);
}
