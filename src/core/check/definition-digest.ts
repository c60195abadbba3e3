import type { Agent } from "../agent.ts";
import { sha256 } from "../digest.ts";
import { isPromptTemplate } from "../prompt/prompt.ts";

/**
 * Tells one definition of an agent from another, within a process: all of it, functions by their text. What a function
 * closes over is not in it.
 */
export function definitionDigest(agent: Agent): string {
  const { prompt, tools, input, output, model, window, ...rest } = agent;
  const { summary, ...settings } = window;
  const parts = {
    ...rest,
    prompt: isPromptTemplate(prompt) ? prompt.version : prompt,
    tools: [...tools.values()],
    window: { ...settings, summary: summary && { ...summary, model: nameOf(summary.model) } },
    takes: [input !== undefined, output !== undefined],
    model: nameOf(model),
  };
  return sha256(JSON.stringify(parts, (_key, value: unknown) => plain(value))).slice(0, 16);
}

function plain(value: unknown): unknown {
  if (typeof value === "function" || typeof value === "bigint" || value instanceof RegExp)
    return String(value);
  if (typeof value === "object" && value !== null && "~standard" in value) return "a schema"; // a tool has its JSON Schema beside
  return value === Number.POSITIVE_INFINITY ? "Infinity" : value;
}

/** Model objects hold keys and sockets. */
function nameOf(model: unknown): unknown {
  if (Array.isArray(model)) return model.map(nameOf);
  if (typeof model !== "object" || model === null) return model;
  const { id, modelId }: { id?: unknown; modelId?: unknown } = model;
  return [id, modelId];
}
