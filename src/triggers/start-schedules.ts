import { HoldpointError } from "../core/errors.ts";
import type { ScheduleStore } from "../ports/schedule-store.ts";
import { agentNamed, type Runtime } from "../runtime/runtime.ts";
import { validateWithin } from "../runtime/validate-within.ts";
import { type Fired, fireSchedules } from "./fire-schedules.ts";
import type { Schedule } from "./schedule.ts";

export interface ScheduleOptions {
  readonly schedules: readonly Schedule[];
  /** Of `openSqliteStore(…)`: its member `schedules`. */
  readonly store: ScheduleStore;
  /** Ends the wait for the schemas of inputs. */
  readonly signal?: AbortSignal;
}

export interface Schedules {
  /** Starts no more ticks, and returns when none is being started. */
  close(): Promise<void>;
}

/** A pause, a resumption and a clock that was set are noticed within this time. */
const lookMs = 5_000;
/** After something went wrong. */
const retryMs = 1_000;
const never = new AbortController().signal;

/**
 * Starts threads as their ticks come, until closed. Any number of processes may do so for one store: each tick starts one
 * thread. The threads are run by workers, in this process or others.
 *
 * @throws what `registerSchedules` throws.
 */
export async function startSchedules(runtime: Runtime, options: ScheduleOptions): Promise<Schedules> {
  await registerSchedules(runtime, options);
  const stop = new AbortController();
  const firing = fireUntil(runtime, options, stop.signal);
  return {
    async close() {
      stop.abort();
      await firing;
    },
  };
}

/**
 * Makes schedules known to the store: new ones, and those whose expression or time zone changed, go on from now.
 *
 * @throws `agent_not_found`; `invalid_input` for an input that its agent does not take, where it is no function; `usage`
 *   for two schedules of one name.
 */
export async function registerSchedules(
  runtime: Runtime,
  { schedules, store, signal = never }: ScheduleOptions,
): Promise<void> {
  const names = new Set<string>();
  for (const schedule of schedules) {
    if (names.has(schedule.name))
      throw new HoldpointError("usage", `there are two schedules "${schedule.name}"`, { fix: "Rename one." });
    names.add(schedule.name);
    await checkInput(runtime, schedule, signal);
  }
  const now = runtime.clock.now();
  await Promise.all(schedules.map(({ name, definition }) => store.register({ name, definition, now })));
}

async function checkInput(runtime: Runtime, schedule: Schedule, signal: AbortSignal): Promise<void> {
  const agent = agentNamed(runtime, schedule.agent);
  if (!agent.input || typeof schedule.input === "function") return;
  const result = await validateWithin(runtime.clock, signal)(agent.input, schedule.input);
  if (result.ok) return;
  throw new HoldpointError(
    "invalid_input",
    `schedule ${schedule.name}: its input is not valid for agent ${agent.name}: ${result.why}`,
    { fix: "Give the schedule an input that fits the agent's input schema." },
  );
}

async function fireUntil(runtime: Runtime, options: ScheduleOptions, signal: AbortSignal): Promise<void> {
  const told = new Set<string>();
  while (!signal.aborted) {
    const fired = await look(runtime, options, signal);
    for (const { schedule, error } of fired.problems) tellOnce(runtime, told, schedule, error);
    if (fired.problems.length === 0) told.clear();
    await runtime.clock.sleep(pauseMs(runtime, fired), signal);
  }
}

async function look(runtime: Runtime, options: ScheduleOptions, signal: AbortSignal): Promise<Fired> {
  try {
    return await fireSchedules(runtime, { ...options, signal });
  } catch (error) {
    return { started: [], nextAt: null, problems: [{ schedule: "", error }] };
  }
}

/** What stays wrong is told once, not every second. */
function tellOnce(runtime: Runtime, told: Set<string>, schedule: string, error: unknown): void {
  const problem = `${schedule} ${error instanceof Error ? error.message : String(error)}`;
  if (told.has(problem)) return;
  told.add(problem);
  runtime.observe({ kind: "problem", threadId: "", error });
}

function pauseMs({ clock }: Runtime, { started, nextAt, problems }: Fired): number {
  if (problems.length > 0) return retryMs;
  if (started.length > 0) return 1; // more may be waiting
  return nextAt === null ? lookMs : Math.min(lookMs, Math.max(1, nextAt - clock.now()));
}
