import type { Spread } from "../core/numbers/spread.ts";
import type { Share, Stats, StatsGroup, StatsReport } from "../core/numbers/stats.ts";
import { formatCount, formatDuration, formatTime, line, plural } from "./format.ts";
import type { Paint } from "./screen.ts";

/** The total in a few lines, then a line for each group. */
export function describeStats({ since, until, total, groups }: StatsReport, paint: Paint): readonly string[] {
  const period = `${formatTime(since)} to ${formatTime(until)} UTC`;
  return [paint("dim", period), "", ...describeTotal(total, paint), ...groupTable(groups, paint)];
}

function describeTotal(stats: Stats, paint: Paint): readonly string[] {
  const { threads, success, time, overflow, misoperation, prevented, withoutPerson, people, usage } = stats;
  const rows: readonly (readonly [name: string, value: string, rest: string])[] = [
    [
      "success",
      percent(success),
      `${of(success, "ended")}: ${counts([threads.failed, "failed"], [threads.cancelled, "cancelled"], [threads.notAccepted, "not accepted"])}`,
    ],
    ["time, active", time.active ? formatDuration(time.active.mean) : "-", percentiles(time.active)],
    ["time, wall", time.wall ? formatDuration(time.wall.mean) : "-", percentiles(time.wall)],
    ["  of it waiting", time.waiting ? formatDuration(time.waiting.mean) : "-", percentiles(time.waiting)],
    [
      "context overflow",
      `${rounded(overflow.perDay)} a day`,
      counts(
        [overflow.reported, "reported"],
        [overflow.prevented, "window shrunk before", "windows shrunk before"],
      ),
    ],
    [
      "misoperation",
      percent(misoperation),
      `${of(misoperation, "critical actions")}: ${counts([misoperation.unapproved, "without approval"], [misoperation.flags, "flag", "flags"], [misoperation.allowedByGate, "allowed by the gate"])}`,
    ],
    [
      "prevented",
      "",
      counts(
        [prevented.held, "held"],
        [prevented.rejected, "rejected"],
        [prevented.deniedByGate, "denied by the gate"],
        [prevented.deniedByValidation, "invalid call", "invalid calls"],
        [prevented.deniedByDeadline, "not approved in time"],
        [prevented.invalidOutputs, "invalid output", "invalid outputs"],
        [prevented.limits, "limit reached", "limits reached"],
      ),
    ],
    ["without a person", percent(withoutPerson), of(withoutPerson, "completed")],
    [
      "people answered",
      formatCount(people.answered),
      `${people.answerTime ? `${percentiles(people.answerTime)}; ` : ""}${counts([people.unanswered, "unanswered"], [people.answeredByStanding, "by a standing approval", "by standing approvals"])}`,
    ],
    [
      "tokens",
      formatCount(usage.inputTokens + usage.outputTokens),
      `${formatCount(usage.inputTokens)} in, ${formatCount(usage.outputTokens)} out, ${plural(usage.modelCalls, "model call")}`,
    ],
    ["cost", cost(usage), unpriced(usage.unpricedCalls)],
  ];
  const isWrong = misoperation.unapproved > 0;
  return rows.map(([name, value, rest]) => {
    const text = `${name.padEnd(18)}${value.padStart(12)}  ${rest}`.trimEnd();
    return isWrong && name === "misoperation" ? paint("red", text) : text;
  });
}

function percent({ rate }: Share): string {
  return rate === null ? "-" : `${(rate * 100).toFixed(1)} %`;
}

function of({ count, of: all }: Share, what: string): string {
  return `${formatCount(count)} of ${formatCount(all)} ${what}`;
}

/** `many`: how it reads of any number but one; without it, alike. */
function counts(...parts: readonly (readonly [count: number, one: string, many?: string])[]): string {
  return parts
    .map(([count, one, many = one]) => `${formatCount(count)} ${count === 1 ? one : many}`)
    .join(", ");
}

function percentiles(spread: Spread | null): string {
  return spread === null ? "" : `p50 ${formatDuration(spread.p50)}, p95 ${formatDuration(spread.p95)}`;
}

function rounded(value: number): string {
  return value === 0 || value >= 10 ? formatCount(Math.round(value)) : value.toPrecision(2);
}

/** What is known of the cost: nothing when no call has a price, the least when some have none. */
function cost({ usd, modelCalls, unpricedCalls }: Stats["usage"]): string {
  if (unpricedCalls > 0 && unpricedCalls === modelCalls) return "-";
  return `${unpricedCalls > 0 ? "≥ " : ""}$${usd.toFixed(2)}`;
}

function unpriced(calls: number): string {
  const models = calls === 1 ? "a model whose price is" : "models whose price is";
  return calls === 0 ? "" : `without ${plural(calls, "call")} of ${models} not known`;
}

const columns: readonly (readonly [title: string, cell: (stats: Stats) => string])[] = [
  ["ended", ({ threads }) => formatCount(threads.ended)],
  ["success", ({ success }) => percent(success)],
  ["active p50", ({ time }) => shown(time.active?.p50)],
  ["p95", ({ time }) => shown(time.active?.p95)],
  ["wall p50", ({ time }) => shown(time.wall?.p50)],
  ["p95", ({ time }) => shown(time.wall?.p95)],
  ["overflows", ({ overflow }) => formatCount(overflow.reported)],
  ["misoperation", ({ misoperation }) => percent(misoperation)],
  ["without a person", ({ withoutPerson }) => percent(withoutPerson)],
  ["cost", ({ usage }) => cost(usage)],
];

function shown(ms: number | undefined): string {
  return ms === undefined ? "-" : formatDuration(ms);
}

function groupTable(groups: readonly StatsGroup[], paint: Paint): readonly string[] {
  if (groups.length === 0) return [];
  const cells = groups.map(({ stats, ...group }) => [
    nameOf(group),
    ...columns.map(([, cell]) => cell(stats)),
  ]);
  const head = ["", ...columns.map(([title]) => title)];
  const widths = head.map((_, index) => Math.max(...[head, ...cells].map((row) => row[index]?.length ?? 0)));
  const joined = (row: readonly string[]): string =>
    row
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join("  ");
  return ["", paint("dim", joined(head).trimEnd()), ...cells.map(joined)];
}

function nameOf({ agent, agentVersion, day }: Omit<StatsGroup, "stats">): string {
  if (day !== undefined) return day;
  return line(agentVersion === undefined ? (agent ?? "") : `${agent} ${agentVersion}`, 60);
}

const bars = "▁▂▃▄▅▆▇█";

/** How the numbers went from day to day: for terminals. */
export function describeTrend(days: readonly StatsGroup[], paint: Paint): readonly string[] {
  if (days.length < 2) return [];
  const trends: readonly (readonly [name: string, of: (stats: Stats) => number | null, largest?: number])[] =
    [
      ["ended", ({ threads }) => threads.ended],
      ["success", ({ success }) => success.rate, 1],
      ["overflows", ({ overflow }) => overflow.reported],
      ["misoperations", ({ misoperation }) => misoperation.count],
    ];
  const shownDays = days.slice(-60);
  const range = `${shownDays[0]?.day} to ${shownDays.at(-1)?.day}`;
  return [
    "",
    paint("dim", `by day, ${range}`),
    ...trends.map(([name, numberOf, largest]) => {
      const values = shownDays.map(({ stats }) => numberOf(stats));
      const most = Math.max(...values.map((value) => value ?? 0));
      const top = largest === undefined ? `most ${formatCount(most)}` : "";
      return `${name.padEnd(18)}${paint("cyan", values.map((value) => bar(value, largest ?? most)).join(""))}  ${top}`.trimEnd();
    }),
  ];
}

/** A day without a value is left blank. */
function bar(value: number | null, largest: number): string {
  if (value === null) return " ";
  const step = largest === 0 ? 0 : Math.ceil((value / largest) * (bars.length - 1));
  return bars[step] ?? " ";
}
