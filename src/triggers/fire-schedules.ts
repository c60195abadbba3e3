// T4. One thread per tick, over any number of workers and crashes: a tick is claimed with the store's own compare-and-set,
//     is then on a list until it was started, and is started under a key made of its time. Any worker works off the list.
// T5. A clock that is set back brings no tick again: the cursor stands at the newest tick that was claimed.
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { unawaited } from "../core/unawaited.ts";
import type { ScheduleRow, ScheduleStore, WaitingTick } from "../ports/schedule-store.ts";
import { startThread } from "../runtime/commands.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { dueTicks, maxMissedTicks } from "./due-ticks.ts";
import { inputOf, type Schedule } from "./schedule.ts";

export interface FireOptions {
  readonly schedules: readonly Schedule[];
  readonly store: ScheduleStore;
  readonly signal: AbortSignal;
}

/** What one look at the calendars came to. */
export interface Fired {
  readonly started: readonly {
    readonly schedule: string;
    readonly tick: string;
    readonly threadId: string;
  }[];
  /** The next tick, in milliseconds since the epoch; `null` when there is none. */
  readonly nextAt: number | null;
  /** What did not go as it should, by schedule. */
  readonly problems: readonly { readonly schedule: string; readonly error: unknown }[];
}

/** At most so many ticks of a schedule are started in one look. */
const startLimit = 100;

/** Starts what is due now, of schedules that are registered. What fails in one keeps no other from being started. */
export async function fireSchedules(runtime: Runtime, options: FireOptions): Promise<Fired> {
  const rows = new Map((await options.store.list()).map((row) => [row.name, row]));
  const all = await Promise.all(
    options.schedules.map((schedule) => fireOne(runtime, options, schedule, rows)),
  );
  const next = all.flatMap(({ nextAt }) => nextAt ?? []);
  return {
    started: all.flatMap(({ started }) => started),
    nextAt: next.length === 0 ? null : Math.min(...next),
    problems: all.flatMap(({ problems }) => problems),
  };
}

async function fireOne(
  runtime: Runtime,
  options: FireOptions,
  schedule: Schedule,
  rows: ReadonlyMap<string, ScheduleRow>,
): Promise<Fired> {
  const row = rows.get(schedule.name);
  if (row?.definition !== schedule.definition) return idle(schedule);
  const problems: Fired["problems"][number][] = [];
  const started: Fired["started"][number][] = [];
  const now = runtime.clock.now();
  try {
    const problem = row.pausedAt === null ? await claim(options.store, schedule, row, now) : null;
    if (problem) problems.push({ schedule: schedule.name, error: problem });
    for (const waiting of await options.store.waiting(schedule.name, startLimit)) {
      if (options.signal.aborted) break;
      const ended = await startTick(runtime, options, schedule, waiting);
      if ("error" in ended) problems.push({ schedule: schedule.name, error: ended.error });
      else started.push({ schedule: schedule.name, tick: isoOf(waiting.tick), threadId: ended.threadId });
    }
  } catch (error) {
    if (!options.signal.aborted) problems.push({ schedule: schedule.name, error });
  }
  return {
    started,
    problems,
    nextAt: row.pausedAt === null ? schedule.calendar.next(Math.max(now, row.cursor)) : null,
  };
}

/** Whoever registered last decides, so that two releases side by side do not fight over the cursor. */
function idle({ name }: Schedule): Fired {
  const error = new HoldpointError(
    "usage",
    `schedule ${name} was defined otherwise by a process that started later: this one leaves it alone`,
    { fix: "Start the workers with one configuration; the last one started counts." },
  );
  return { started: [], nextAt: null, problems: [{ schedule: name, error }] };
}

/** @returns what is to be told of it. That another worker was first is none of it. */
async function claim(
  store: ScheduleStore,
  schedule: Schedule,
  { cursor }: ScheduleRow,
  now: number,
): Promise<HoldpointError | null> {
  const due = dueTicks(schedule, cursor, now);
  if (due === null) return null;
  const { name, definition, agent } = schedule;
  const cut = due.isCut ? tooManyMissed(schedule) : null;
  const isOurs = await store.claim({
    name,
    definition,
    from: cursor,
    to: due.through,
    ticks: due.start,
    agent,
    problem: cut?.message ?? null,
  });
  return isOurs ? cut : null;
}

function tooManyMissed({ name }: Schedule): HoldpointError {
  return new HoldpointError(
    "limit_reached",
    `schedule ${name} missed more than ${maxMissedTicks} ticks: the newest ${maxMissedTicks} are started, the others are not`,
  );
}

/** A repeated start gives the thread there is. A tick that can never be started is taken off the list, and told. */
async function startTick(
  runtime: Runtime,
  { store, signal }: FireOptions,
  schedule: Schedule,
  { name, tick, agent }: WaitingTick,
): Promise<{ readonly threadId: string } | { readonly error: HoldpointError }> {
  try {
    const { threadId } = await startThread(runtime, agent, inputFor(schedule, tick), {
      by: `schedule:${name}`,
      key: `schedule:${name}:${isoOf(tick)}`,
      signal,
    });
    await store.started({ name, tick, threadId });
    return { threadId };
  } catch (error) {
    if (
      !isHoldpointError(
        error,
        "invalid_input",
        "not_json",
        "result_too_large",
        "agent_not_found",
        "check_failed",
      )
    )
      throw error;
    await store.failed({
      name,
      tick,
      problem: `tick ${isoOf(tick)}: ${runtime.redact.value(error.message)}`,
    });
    return { error };
  }
}

/** The user's code: what it throws is no input. */
function inputFor(schedule: Schedule, tick: number): unknown {
  try {
    return unawaited(inputOf(schedule, tick));
  } catch (cause) {
    throw new HoldpointError("invalid_input", `schedule ${schedule.name}: its input function failed`, {
      cause,
    });
  }
}

function isoOf(tick: number): string {
  return new Date(tick).toISOString();
}
