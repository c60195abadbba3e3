// The config's schedules in a process that starts their threads: `worker`, and the service.
import type { Runtime } from "../runtime/runtime.ts";
import type { Schedule } from "../triggers/schedule.ts";
import type { ScheduleOptions, Schedules } from "../triggers/start-schedules.ts";
import { type AgentLibrary, agentNotFound } from "./agent-library.ts";
import type { Context } from "./context.ts";
import { line } from "./format.ts";
import { usageError } from "./screen.ts";

/**
 * The schedules whose agents are at hand. With `--agent` others are left to other processes.
 *
 * @throws `usage` for one whose agent there is none of.
 */
export function schedulesHere({ settings, screen }: Context, library: AgentLibrary): readonly Schedule[] {
  const known = new Set(library.agents.map(({ name }) => name));
  return settings.schedules.filter((schedule) => {
    if (known.has(schedule.agent)) return true;
    if (settings.agentFiles.length === 0) throw unknownAgent(schedule, library);
    screen.note(`schedule ${schedule.name} is left to others: agent ${schedule.agent} is not among --agent`);
    return false;
  });
}

/** Loaded when there are some. */
export async function runSchedules(runtime: Runtime, options: ScheduleOptions): Promise<Schedules> {
  if (options.schedules.length === 0) return { close: async () => {} };
  const { startSchedules } = await import("../triggers/start-schedules.ts");
  return startSchedules(runtime, options);
}

/** Starts what is due now. @returns how many ticks. */
export async function fireDueSchedules(
  { screen, signal }: Context,
  runtime: Runtime,
  options: ScheduleOptions,
): Promise<number> {
  if (options.schedules.length === 0) return 0;
  const { registerSchedules } = await import("../triggers/start-schedules.ts");
  const { fireSchedules } = await import("../triggers/fire-schedules.ts");
  await registerSchedules(runtime, options);
  for (let ticks = 0; ; ) {
    const { started, problems } = await fireSchedules(runtime, { ...options, signal });
    for (const { error } of problems)
      screen.warn(line(error instanceof Error ? error.message : String(error), 400));
    ticks += started.length;
    if (started.length === 0 || signal.aborted) return ticks;
  }
}

function unknownAgent({ name, agent }: Schedule, library: AgentLibrary): Error {
  const { message, fix } = agentNotFound(agent, library);
  return usageError(`schedule ${name}: ${message}`, fix ?? "Name its file in the config's `agents`.");
}
