import { sha256 } from "../core/digest.ts";
import { HoldpointError } from "../core/errors.ts";
import { canonicalJson } from "../core/json.ts";
import { type Calendar, calendar } from "./calendar.ts";

/** One moment at which a schedule starts a thread. */
export interface Tick {
  readonly schedule: string;
  /** When it was due, ISO 8601, UTC: not when it is started. */
  readonly at: string;
}

/**
 * What becomes of ticks that no worker was there for. A tick counts as missed when the next one is due too, or, with
 * `skip`, when a minute has passed. `once`: of several the newest is started. `skip`: none. `all`: each, at most the newest 1,000.
 */
export type MissedTicks = "skip" | "once" | "all";

export interface ScheduleDefinition {
  /** Letters, digits, `_`, `-` and `.`; at most 64. What the store knows it by. */
  readonly name: string;
  /** The agent that each tick starts, by its name. */
  readonly agent: string;
  /** Five fields, or six with seconds first; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. */
  readonly cron: string;
  /** IANA name. Default `UTC`. */
  readonly timezone?: string;
  /** The agent's input, or what makes it of a tick. Default: none. */
  readonly input?: unknown;
  /** Default `once`. */
  readonly missed?: MissedTicks;
}

/** A checked definition. Made by `schedule`. */
export interface Schedule {
  readonly name: string;
  readonly agent: string;
  readonly cron: string;
  readonly timezone: string;
  readonly missed: MissedTicks;
  /** A function is called for each tick, and again when a worker died in between. */
  readonly input: unknown;
  readonly calendar: Calendar;
  /** Hash of what its ticks follow from: another one starts from now. */
  readonly definition: string;
}

const made = new WeakSet<object>();
const policies: readonly string[] = ["skip", "once", "all"] satisfies readonly MissedTicks[];

/**
 * Defines a schedule: one thread of `agent` per tick, over any number of workers.
 *
 * @throws `usage` for a name, cron expression, time zone or policy that cannot be used.
 */
export function schedule(definition: ScheduleDefinition): Schedule {
  const { name, agent, cron, timezone = "UTC", missed = "once", input } = definition;
  if (typeof name !== "string" || !/^[a-zA-Z0-9._-]{1,64}$/.test(name))
    throw invalid(String(name), "its name cannot be used", "Use 1 to 64 letters, digits, dots, _ and -.");
  if (typeof agent !== "string" || agent === "") throw invalid(name, "it names no agent", "Give `agent`.");
  if (!policies.includes(missed))
    throw invalid(name, `missed is ${JSON.stringify(missed)}`, `Use one of: ${policies.join(", ")}.`);
  const checked: Schedule = Object.freeze({
    name,
    agent,
    cron,
    timezone,
    missed,
    input,
    calendar: calendarOf(name, cron, timezone),
    definition: sha256(canonicalJson({ cron: cron.trim().replaceAll(/\s+/g, " "), timezone })),
  });
  made.add(checked);
  return checked;
}

/** Tells what `schedule` made from whatever else a config holds. */
export function isSchedule(value: unknown): value is Schedule {
  return typeof value === "object" && value !== null && made.has(value);
}

/** The input of one tick. */
export function inputOf({ name, input }: Schedule, tickMs: number): unknown {
  if (typeof input !== "function") return input;
  return input({ schedule: name, at: new Date(tickMs).toISOString() } satisfies Tick);
}

function calendarOf(name: string, cron: string, timezone: string): Calendar {
  try {
    return calendar(cron, timezone);
  } catch (cause) {
    if (!(cause instanceof HoldpointError)) throw cause;
    throw invalid(name, cause.message, cause.fix ?? "", cause);
  }
}

function invalid(name: string, why: string, fix: string, cause?: unknown): HoldpointError {
  return new HoldpointError("usage", `schedule ${JSON.stringify(name)}: ${why}`, { fix, cause });
}
