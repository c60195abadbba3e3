// What keeps a thread from going on here: an agent whose code is not at hand. Only where a thread has a turn before it are
// agents loaded, since loading runs their files.
import { isHoldpointError } from "../core/errors.ts";
import { standingAgent } from "../core/standing.ts";
import type { ThreadReport } from "../runtime/thread-report.ts";
import { type AgentLibrary, loadAgents } from "./agent-library.ts";
import { formatPath, line, shellWord } from "./format.ts";
import { ownCommand } from "./own-command.ts";
import type { Paint } from "./screen.ts";
import type { Settings } from "./settings.ts";

/** Lines that say which agents are missing, and how to name them; none when none is, or when that cannot be told. */
export async function describeMissing(
  report: ThreadReport,
  settings: Settings,
  paint: Paint,
): Promise<readonly string[]> {
  const needed = new Set(neededAgents(report, Date.now()));
  const library = needed.size === 0 ? null : await tryLoad(settings);
  if (!library) return [];
  const missing = [...needed].filter((name) => !library.agents.some((agent) => agent.name === name));
  if (missing.length === 0) return [];
  const names = missing.map((name) => `"${line(name, 80)}"`).join(", ");
  return [
    `It cannot go on here: the agent ${names} is not at hand. A worker that has it goes on, or this one with its file:`,
    paint("cyan", ownCommand(`worker --once${filesOf(report, settings, library)}`)),
  ];
}

/** Agents whose code the next turn of a thread, or of a child that it waits for, needs. */
function neededAgents(report: ThreadReport, now: number): readonly string[] {
  const { row, waits, children, state } = report;
  const isDue = row.dueAt !== null && Date.parse(row.dueAt) <= now;
  const own = isDue && row.agent !== standingAgent && state.end === null ? [row.agent] : [];
  const unborn = waits.flatMap((wait) => {
    const isStarted = wait.kind !== "child" || children.some((child) => child.row.threadId === wait.childId);
    const agent = isStarted ? undefined : state.operations.get(wait.key)?.child?.agent;
    return agent === undefined ? [] : [agent];
  });
  return [...own, ...unborn, ...children.flatMap((child) => neededAgents(child, now))];
}

async function tryLoad(settings: Settings): Promise<AgentLibrary | null> {
  try {
    return await loadAgents(settings);
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    return null;
  }
}

/** Files that are named stand for all, so the thread's own has to be named as well. */
function filesOf({ row }: ThreadReport, settings: Settings, library: AgentLibrary): string {
  const own = settings.agentFiles.length > 0 ? undefined : library.files.get(row.agent);
  const named = own === undefined ? "" : ` --agent ${shellWord(formatPath(own))}`;
  return `${settings.sameOptions}${named} --agent '<its file>'`;
}
