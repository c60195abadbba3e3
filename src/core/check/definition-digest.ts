import type { Agent } from "../agent.ts";
import { sha256 } from "../digest.ts";
import { toJson } from "../json.ts";
import { isPromptTemplate } from "../prompt/prompt.ts";
import type { Schema } from "../schema.ts";

/**
 * Tells one definition of an agent from another, within a process: all of it, functions by their text, schemas by their
 * JSON Schema. What a function closes over is not in it, nor what no JSON Schema says (refinements), nor model objects
 * but for their names.
 */
export function definitionDigest(agent: Agent): string {
  const { prompt, tools, input, output, model, window, ...rest } = agent;
  const { summary, ...settings } = window;
  const parts = {
    ...rest,
    prompt: isPromptTemplate(prompt) ? prompt.version : prompt,
    tools: [...tools.values()],
    window: { ...settings, summary: summary && { ...summary, model: nameOf(summary.model) } },
    takes: [input, output],
    model: nameOf(model),
  };
  return sha256(JSON.stringify(parts, (_key, value: unknown) => plain(value))).slice(0, 16);
}

function plain(value: unknown): unknown {
  if (isSchema(value)) return schemaParts(value);
  if (typeof value === "function" || typeof value === "bigint" || value instanceof RegExp)
    return String(value);
  return value === Number.POSITIVE_INFINITY ? "Infinity" : value;
}

/** Those of some libraries are functions. */
function isSchema(value: unknown): value is Schema {
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  return isObject && "~standard" in value;
}

/** What it takes and what it makes of that, each as far as its library can say. */
function schemaParts({ "~standard": standard }: Schema): unknown {
  const { vendor, jsonSchema } = standard;
  const made = (["input", "output"] as const).map((side) => {
    try {
      const { "~standard": _, ...words } = jsonSchema?.[side]?.({ target: "draft-2020-12" }) ?? {}; // zod's is a schema itself
      return toJson(words);
    } catch {
      return null; // a transformation has none, and a faulty one is no JSON
    }
  });
  return [vendor, ...made];
}

/** Model objects hold keys and sockets. */
function nameOf(model: unknown): unknown {
  if (Array.isArray(model)) return model.map(nameOf);
  if (typeof model !== "object" || model === null) return model;
  const { id, modelId }: { id?: unknown; modelId?: unknown } = model;
  return [id, modelId];
}
