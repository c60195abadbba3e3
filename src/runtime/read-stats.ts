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
  /** How long back, such as `24h` or `30d`; or from when, as an ISO 8601 date or time. At most 10 years. Default `7d`. */
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
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const time = Date.parse(text); // a date alone is its beginning in UTC
    if (!Number.isNaN(time)) return time;
  }
  if (/^\d+(\.\d+)?[a-z]+$/.test(text)) return now - durationMs(text as Duration); // which checks it
  throw new HoldpointError("usage", `${JSON.stringify(text)} is neither an age nor a date`, {
    fix: "Write 24h, 7d, 2026-01-31 or 2026-01-31T08:00:00Z.",
  });
}

function assertPeriod({ from, until }: StatsPeriod): void {
  if (from < until && until - from <= mostMs && from >= 0 && until < 8.64e15) return;
  throw new HoldpointError("usage", "the period is empty, or longer than 10 years", {
    fix: "Begin before the end, and less than 10 years back.",
  });
}
