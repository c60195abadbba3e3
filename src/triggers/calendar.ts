// When a cron expression's ticks are, in a time zone. Around a change of the clocks: a time of day that is left out comes
// at the first moment after the gap; one that comes twice is taken the first time; what runs every so often keeps on
// running through both.
import { Cron } from "croner";
import { HoldpointError } from "../core/errors.ts";

/** Times are milliseconds since the epoch. */
export interface Calendar {
  /** The first tick after a time; `null` when there is none any more. */
  next(afterMs: number): number | null;
  /** The newest `limit` ticks after one time and up to another, oldest first, and whether there were more. */
  between(
    afterMs: number,
    untilMs: number,
    limit: number,
  ): { readonly ticks: readonly number[]; readonly isCut: boolean };
}

const fix =
  "Write five fields (minute hour day month weekday) or six (seconds first), such as 0 9 * * MON-FRI.";

/** @throws `usage` for an expression or a time zone that cannot be used, and for an expression that never comes. */
export function calendar(expression: string, timezone: string): Calendar {
  assertTimeZone(timezone);
  const cron = parse(expression, timezone);
  const next = (afterMs: number): number | null => cron.nextRun(new Date(afterMs))?.getTime() ?? null;
  if (next(0) === null) throw invalid(expression, "it names a day that never comes");
  return {
    next,
    between(afterMs, untilMs, limit) {
      const ticks: number[] = [];
      for (let tick = next(afterMs); tick !== null && tick <= untilMs; tick = next(tick)) {
        ticks.push(tick);
        if (ticks.length > limit) return { ticks: newest(cron, untilMs, limit), isCut: true };
      }
      return { ticks, isCut: false };
    },
  };
}

/** Backwards from the end: a year of seconds is not walked through. */
function newest(cron: Cron, untilMs: number, limit: number): readonly number[] {
  const before = new Date(untilMs + 1); // runs before it are listed, and the last millisecond counts
  return cron
    .previousRuns(limit, before)
    .map((date) => date.getTime())
    .reverse();
}

function parse(expression: string, timezone: string): Cron {
  if (typeof expression !== "string" || expression.includes("?"))
    throw invalid(
      String(expression),
      "? stands for the moment at which it is read, which is another in each process",
    );
  try {
    const cron = new Cron(expression, { timezone, mode: "5-or-6-parts" });
    if (cron.getPattern() !== undefined) return cron;
  } catch (cause) {
    throw invalid(
      expression,
      cause instanceof Error ? cause.message.replace(/^CronPattern: /, "") : "",
      cause,
    );
  }
  throw invalid(expression, "it is a date");
}

function invalid(expression: string, why: string, cause?: unknown): HoldpointError {
  const message = `${JSON.stringify(expression)} is no cron expression: ${why}`;
  return new HoldpointError("usage", message, { fix, cause });
}

/** By name, so that its changes of the clocks are known: an offset has none. */
function assertTimeZone(timezone: string): void {
  try {
    if (!/^[A-Za-z]/.test(timezone)) throw new RangeError("no name");
    new Intl.DateTimeFormat("en", { timeZone: timezone });
  } catch (cause) {
    throw new HoldpointError("usage", `there is no time zone ${JSON.stringify(timezone)}`, {
      fix: "Name one of the IANA database, such as Europe/Berlin or UTC.",
      cause,
    });
  }
}
