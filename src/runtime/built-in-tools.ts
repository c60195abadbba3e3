import type { Agent } from "../core/agent.ts";
import type { Tool } from "../core/tool.ts";
import { readArtifact } from "./read-artifact.ts";

/** By agent, so that a tool is one object, and put into words once. */
const known = new WeakMap<Agent, ReadonlyMap<string, Tool>>();

/**
 * All tools that can be called in an agent's threads, by name: its own and the built-in ones. An agent's own tool wins
 * over a built-in one of the same name, so that a name which is built in later changes no agent.
 */
export function toolsOf(agent: Agent): ReadonlyMap<string, Tool> {
  const tools = known.get(agent) ?? new Map([...builtIn(agent), ...agent.tools]);
  known.set(agent, tools);
  return tools;
}

function builtIn(agent: Agent): ReadonlyMap<string, Tool> {
  const tool = readArtifact({ mostCharacters: resultRoom(agent.window.budget) });
  return new Map([[tool.name, tool]]);
}

/** Of a window's budget a single result takes a quarter at most, at three characters a token: what is read must fit. */
function resultRoom(budget: number): number {
  return Math.floor(budget / 4) * 3 - 100;
}

/** A tool that can be called in an agent's threads. */
export function toolNamed(agent: Agent, name: string): Tool | undefined {
  return toolsOf(agent).get(name);
}
