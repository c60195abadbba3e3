import { existsSync } from "node:fs";
import { Argument } from "commander";
import { nearest } from "../../core/nearest.ts";
import type { ScheduleRow } from "../../ports/schedule-store.ts";
import type { Schedule } from "../../triggers/schedule.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withStore } from "../context.ts";
import { formatDistance, formatTime, line, plural } from "../format.ts";
import { type CommandResult, usageError } from "../screen.ts";

type Action = "pause" | "resume";

export const addSchedules: AddCommand = (program, run) => {
  program
    .command("schedules")
    .description("list schedules: their last and next ticks; pause one, or let it go on")
    .addArgument(new Argument("[action]", "what to do with one").choices(["pause", "resume"]))
    .argument("[name]", "the schedule's name")
    .action(
      run(
        (context, [action, name]) =>
          action === undefined ? listSchedules(context) : change(context, action as Action, name), // one of the choices
      ),
    );
};

async function listSchedules(context: Context): Promise<CommandResult> {
  const { storePath } = context.settings;
  const rows = existsSync(storePath)
    ? await withStore(context, "read", ({ schedules }) => schedules.list())
    : [];
  const views = viewsOf(context.settings.schedules, rows);
  return {
    document: { schedules: views },
    lines: views.length === 0 ? ["No schedules: see docs/triggers.md."] : views.flatMap(describe),
  };
}

async function change(context: Context, action: Action, name: string | undefined): Promise<CommandResult> {
  if (name === undefined) throw usageError(`${action} which one?`, `holdpoint schedules ${action} <name>`);
  const { settings } = context;
  const configured = settings.schedules.find((schedule) => schedule.name === name);
  return withStore(context, configured ? "create" : "write", async ({ schedules }) => {
    const now = Date.now();
    const isKnown = (await schedules.list()).some((row) => row.name === name);
    if (!isKnown && configured) await schedules.register({ name, definition: configured.definition, now });
    const isThere =
      action === "pause"
        ? await schedules.pause({ name, by: settings.principal, now })
        : await schedules.resume({ name, now });
    const rows = await schedules.list();
    if (!isThere) throw noSchedule(name, viewsOf(settings.schedules, rows));
    const [view] = viewsOf(settings.schedules, rows).filter((each) => each.name === name);
    return { document: { schedule: view }, lines: view ? describe(view) : [] };
  });
}

/** Times are ISO 8601, UTC. */
interface ScheduleView {
  readonly name: string;
  /** `null` for one that the config has no more. */
  readonly agent: string | null;
  readonly cron: string | null;
  readonly timezone: string | null;
  readonly missed: string | null;
  readonly nextTick: string | null;
  readonly lastTick: string | null;
  readonly lastThread: string | null;
  readonly paused: boolean;
  readonly pausedBy: string | null;
  /** Claimed, not yet started. */
  readonly waiting: number;
  readonly problem: string | null;
}

function viewsOf(schedules: readonly Schedule[], rows: readonly ScheduleRow[]): readonly ScheduleView[] {
  const configured = new Map(schedules.map((schedule) => [schedule.name, schedule]));
  const known = new Map(rows.map((row) => [row.name, row]));
  const names = [...new Set([...configured.keys(), ...known.keys()])].sort();
  return names.map((name) => viewOf(name, configured.get(name), known.get(name)));
}

function viewOf(name: string, schedule: Schedule | undefined, row: ScheduleRow | undefined): ScheduleView {
  const paused = typeof row?.pausedAt === "number";
  return {
    name,
    agent: schedule?.agent ?? null,
    cron: schedule?.cron ?? null,
    timezone: schedule?.timezone ?? null,
    missed: schedule?.missed ?? null,
    nextTick: schedule && !paused ? isoOf(nextTick(schedule, row)) : null,
    lastTick: isoOf(row?.lastTick ?? null),
    lastThread: row?.lastThreadId ?? null,
    paused,
    pausedBy: row?.pausedBy ?? null,
    waiting: row?.waiting ?? 0,
    problem: row?.problem ?? null,
  };
}

/** What the store counts from, when its definition is still this one: a clock that ran ahead shows here. */
function nextTick({ calendar, definition }: Schedule, row: ScheduleRow | undefined): number | null {
  const cursor = row?.definition === definition ? row.cursor : 0;
  return calendar.next(Math.max(cursor, Date.now()));
}

function isoOf(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

function describe(view: ScheduleView): readonly string[] {
  const { name, agent, cron, timezone, missed, nextTick, lastTick, lastThread, waiting, problem } = view;
  const what =
    agent === null
      ? "not in the config"
      : `starts ${line(agent, 64)} at ${line(cron ?? "", 80)} (${timezone}), missed: ${missed}`;
  const next = view.paused
    ? `paused by ${line(view.pausedBy ?? "", 80)}`
    : nextTick === null
      ? "no next tick"
      : `next ${formatTime(nextTick)} UTC, ${formatDistance(nextTick, Date.now())}`;
  const last =
    lastTick === null ? "none started yet" : `last ${formatTime(lastTick)} UTC, thread ${lastThread}`;
  return [
    `${line(name, 64)}: ${what}`,
    `  ${next}; ${last}${waiting === 0 ? "" : `; ${plural(waiting, "tick")} to be started`}`,
    ...(problem === null ? [] : [`  ${line(problem, 400)}`]),
  ];
}

function noSchedule(name: string, views: readonly ScheduleView[]): Error {
  const names = views.map((view) => view.name);
  const near = nearest(name, names);
  const fix =
    near.length > 0
      ? `Did you mean ${near.join(" or ")}?`
      : names.length > 0
        ? `There are: ${names.join(", ")}.`
        : "Put it into the config's `schedules`.";
  return usageError(`there is no schedule "${name}"`, fix);
}
