import { type Duration, durationMs } from "../core/duration.ts";
import { HoldpointError } from "../core/errors.ts";
import {
  type StatsGrouping,
  type StatsPeriod,
  type StatsReport,
  statsReport,
} from "../core/numbers/stats.ts";
import type { NumbersStore } from "../ports/numbers-store.ts";

export interface StatsQuery {
  /** How long back, such as `24h` or `30d`; or from when: an ISO 8601 date (UTC), or a time with its zone. At most 10 years. Default `7d`. */
  readonly since?: string | undefined;
  /** Before when, in the same ways. Default: now. */
  readonly until?: string | undefined;
  readonly agent?: string | undefined;
  /** Also each agent, version, or day (UTC) by itself. */
  readonly by?: StatsGrouping | undefined;
}

const mostMs = 3_653 * 86_400_000;

/**
 * The statistics of a period ([docs](../../docs/stats.md)).
 *
 * @param now - milliseconds since the epoch.
 * @throws `usage` for a period that is none.
 */
export async function readStats(
  numbers: NumbersStore,
  { since = "7d", until, agent, by }: StatsQuery,
  now: number,
): Promise<StatsReport> {
  const period = { from: timeOf(since, now), until: until === undefined ? now + 1 : timeOf(until, now) };
  assertPeriod(period);
  const counted = await numbers.read({ ...period, ...(agent !== undefined && { agent }) });
  return statsReport(counted, period, by ?? null);
}

function timeOf(text: string, now: number): number {
  if (/^\d+(\.\d+)?[a-z]+$/.test(text)) return now - durationMs(text as Duration); // which checks it
  const time = parseTime(text);
  if (time !== null) return time;
  throw new HoldpointError("usage", `${JSON.stringify(text)} is neither an age nor a date that there is`, {
    fix: "Write 24h, 7d, 2026-01-31 (in UTC) or 2026-01-31T08:00:00Z (or +02:00).",
  });
}

const isoTime =
  /^(?<date>\d{4}-\d{2}-\d{2})(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))?$/;

/** A date alone is its beginning in UTC. What names no zone would be another time on each machine. */
function parseTime(text: string): number | null {
  const date = isoTime.exec(text)?.groups?.date;
  if (date === undefined) return null;
  const midnight = Date.parse(date);
  if (Number.isNaN(midnight)) return null;
  return new Date(midnight).toISOString().startsWith(date) ? Date.parse(text) : null; // 30 February would be 2 March
}

function assertPeriod({ from, until }: StatsPeriod): void {
  if (from < until && until - from <= mostMs && from >= 0 && until < 8.64e15) return;
  throw new HoldpointError("usage", "the period is empty, or longer than 10 years", {
    fix: "Begin before the end, and less than 10 years back.",
  });
}
