// Where agents' code is found, in this order: the file named on the command line, `--agent`, and only without these
// the config and what `run` remembered beside the store.

import { existsSync } from "node:fs";
import { extname, resolve } from "node:path";
import { type Agent, isAgent } from "../core/agent.ts";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { recallAgents } from "./agent-memory.ts";
import { formatPath } from "./format.ts";
import { importModule } from "./import-module.ts";
import type { Settings } from "./settings.ts";

export interface AgentLibrary {
  readonly agents: readonly Agent[];
  /** The file of each agent, by name. */
  readonly files: ReadonlyMap<string, string>;
  /** Files of the config that could not be loaded. */
  readonly problems: readonly HoldpointError[];
  /** Remembered agents whose file could not be loaded, by name: of interest only to who needs them. */
  readonly stale: ReadonlyMap<string, HoldpointError>;
}

interface Shelf {
  readonly agents: Map<string, Agent>;
  readonly files: Map<string, string>;
  readonly problems: HoldpointError[];
  readonly stale: Map<string, HoldpointError>;
}

/** Loads all agents at hand. @throws what is wrong with a file that was named on the command line. */
export async function loadAgents(settings: Settings): Promise<AgentLibrary> {
  const shelf = emptyShelf();
  for (const path of settings.agentFiles) shelve(shelf, path, agentsOf(await importModule(path), path));
  if (settings.agentFiles.length === 0) await shelveKnown(shelf, settings);
  return { ...shelf, agents: [...shelf.agents.values()] };
}

/** An agent to run, and the agents that it may call. */
export interface ChosenAgent {
  readonly agent: Agent;
  readonly library: AgentLibrary;
  /** Agents that were named on the command line, with their files: worth remembering. */
  readonly named: ReadonlyMap<string, string>;
}

/**
 * Finds the agent that `run <agent>` names: a file's default export, `file#export`, or an agent's name.
 *
 * @throws `agent_not_found`; `agent_invalid`.
 */
export async function chooseAgent(reference: string, settings: Settings): Promise<ChosenAgent> {
  return isPath(reference) ? chooseFromFile(reference, settings) : chooseByName(reference, settings);
}

function isPath(reference: string): boolean {
  return /[\\/]/.test(reference) || /\.[cm]?[jt]s(#|$)/.test(reference);
}

async function chooseFromFile(reference: string, settings: Settings): Promise<ChosenAgent> {
  const { path, name } = splitReference(reference);
  const exported = await importModule(path);
  const found = agentsOf(exported, path);
  const agent = pickAgent(exported, found, { path, name });
  const shelf = emptyShelf();
  shelve(shelf, path, found);
  for (const other of settings.agentFiles) shelve(shelf, other, agentsOf(await importModule(other), other));
  const named = new Map(shelf.files);
  if (settings.agentFiles.length === 0) await shelveKnown(shelf, settings);
  return { agent, library: { ...shelf, agents: [...shelf.agents.values()] }, named };
}

function splitReference(reference: string): { readonly path: string; readonly name: string | null } {
  const hash = reference.lastIndexOf("#");
  if (hash < 0 || existsSync(reference)) return { path: resolve(reference), name: null };
  return { path: resolve(reference.slice(0, hash)), name: reference.slice(hash + 1) };
}

function pickAgent(
  exported: Readonly<Record<string, unknown>>,
  found: readonly Agent[],
  { path, name }: { readonly path: string; readonly name: string | null },
): Agent {
  if (name !== null) {
    const named = isAgent(exported[name]) ? exported[name] : found.find((agent) => agent.name === name);
    if (named) return named;
    throw exportsNo(path, name, found);
  }
  if (isAgent(exported.default)) return exported.default;
  const [first, second] = found;
  if (first && !second) return first;
  if (first) {
    throw new HoldpointError(
      "agent_invalid",
      `${formatPath(path)} exports several agents and no default one`,
      {
        fix: `Name one: ${found.map((agent) => `${formatPath(path)}#${exportOf(exported, agent)}`).join(", ")}.`,
      },
    );
  }
  throw noAgent(path);
}

async function chooseByName(name: string, settings: Settings): Promise<ChosenAgent> {
  const library = await loadAgents(settings);
  const agent = library.agents.find((known) => known.name === name);
  if (!agent) throw agentNotFound(name, library);
  const named = settings.agentFiles.length === 0 ? new Map<string, string>() : library.files;
  return { agent, library, named };
}

/** Says which agents there are, and why one may be missing. */
export function agentNotFound(name: string, library: AgentLibrary): HoldpointError {
  const known = library.agents.map((agent) => agent.name);
  const near = nearest(name, known);
  const problem = library.stale.get(name) ?? library.problems[0];
  if (near.length === 0 && problem) {
    const message = `there is no agent "${name}", and a file that may hold it could not be loaded: ${problem.message}`;
    return new HoldpointError("agent_not_found", message, {
      cause: problem,
      ...(problem.fix === undefined ? {} : { fix: problem.fix }),
    });
  }
  const hint =
    near.length > 0
      ? `Did you mean ${near.join(" or ")}? `
      : known.length > 0
        ? `Known agents: ${known.join(", ")}. `
        : "";
  return new HoldpointError("agent_not_found", `there is no agent "${name}" here`, {
    fix: `${hint}Name its file: --agent <file>, or the agents of holdpoint.config.json.`,
  });
}

function emptyShelf(): Shelf {
  return { agents: new Map(), files: new Map(), problems: [], stale: new Map() };
}

/** The config's agents, and those remembered. One broken file does not keep the others from being used. */
async function shelveKnown(shelf: Shelf, settings: Settings): Promise<void> {
  const fromConfig = emptyShelf();
  for (const path of settings.configAgentFiles) {
    const problem = await tryShelve(fromConfig, path, null);
    if (problem) shelf.problems.push(problem);
  }
  for (const [name, agent] of fromConfig.agents) {
    if (!shelf.agents.has(name)) shelve(shelf, fromConfig.files.get(name) ?? "", [agent]);
  }
  for (const [name, path] of await recallAgents(settings.storePath)) {
    const problem = shelf.agents.has(name) ? null : await tryShelve(shelf, path, name);
    if (problem) shelf.stale.set(name, problem);
  }
}

/** `only`: take just this agent of the file, since another file may be the one of the others. */
async function tryShelve(shelf: Shelf, path: string, only: string | null): Promise<HoldpointError | null> {
  try {
    const found = agentsOf(await importModule(path), path);
    const wanted = found.filter((agent) => only === null || agent.name === only);
    if (wanted.length === 0) throw exportsNo(path, only ?? "", found);
    shelve(shelf, path, wanted);
    return null;
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    return error;
  }
}

function shelve(shelf: Shelf, path: string, found: readonly Agent[]): void {
  for (const agent of found) {
    const other = shelf.files.get(agent.name);
    if (other !== undefined && other !== path) throw namedTwice(agent.name, other, path);
    if (other !== undefined) continue;
    shelf.agents.set(agent.name, agent);
    shelf.files.set(agent.name, path);
  }
}

/** The agents that a file exports, each once. @throws `agent_invalid` when there is none, or two of one name. */
function agentsOf(exported: Readonly<Record<string, unknown>>, path: string): readonly Agent[] {
  const found = [...new Set(Object.values(exported).filter(isAgent))];
  if (found.length === 0) throw noAgent(path);
  const named = new Map<string, Agent>();
  for (const agent of found) {
    const other = named.get(agent.name);
    if (other) throw exportedTwice(agent.name, path, [exportOf(exported, other), exportOf(exported, agent)]);
    named.set(agent.name, agent);
  }
  return found;
}

/** The name under which a file exports an agent: its own need not be the same. */
function exportOf(exported: Readonly<Record<string, unknown>>, agent: Agent): string {
  return Object.entries(exported).find(([, value]) => value === agent)?.[0] ?? agent.name;
}

function noAgent(path: string): HoldpointError {
  return new HoldpointError("agent_invalid", `${formatPath(path)} exports no agent`, {
    fix: `Export one: \`export default agent({ name: "${baseName(path)}", … })\`.`,
  });
}

function exportsNo(path: string, name: string, found: readonly Agent[]): HoldpointError {
  return new HoldpointError("agent_not_found", `${formatPath(path)} exports no agent "${name}"`, {
    fix:
      found.length === 0
        ? "Export one: `export default agent({ … })`."
        : `It has: ${found.map((agent) => agent.name).join(", ")}.`,
  });
}

function baseName(path: string): string {
  return path.slice(0, path.length - extname(path).length).replace(/^.*[\\/]/, "");
}

function exportedTwice(name: string, path: string, exports: readonly string[]): HoldpointError {
  return new HoldpointError(
    "agent_invalid",
    `${formatPath(path)} has two agents "${name}": its exports ${exports.join(" and ")}`,
    { fix: "Threads find their agent by its name: rename one, or export only one." },
  );
}

function namedTwice(name: string, one: string, other: string): HoldpointError {
  return new HoldpointError(
    "agent_invalid",
    `${formatPath(one)} and ${formatPath(other)} both have an agent "${name}"`,
    {
      fix: "Threads find their agent by its name: rename one, or leave one file out.",
    },
  );
}
