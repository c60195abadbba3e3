// Names of columns are part of the outside contract: add at the end, and rename none.
import type { Spread } from "../core/numbers/spread.ts";
import type { Stats, StatsGroup, StatsReport } from "../core/numbers/stats.ts";

type Column = readonly [name: string, of: (stats: Stats) => number | null];

const columns: readonly Column[] = [
  ["threads_ended", ({ threads }) => threads.ended],
  ["threads_completed", ({ threads }) => threads.completed],
  ["threads_failed", ({ threads }) => threads.failed],
  ["threads_cancelled", ({ threads }) => threads.cancelled],
  ["threads_not_accepted", ({ threads }) => threads.notAccepted],
  ["success_rate", ({ success }) => success.rate],
  ...spread("active_ms", ({ time }) => time.active),
  ...spread("wall_ms", ({ time }) => time.wall),
  ...spread("waiting_ms", ({ time }) => time.waiting),
  ["overflows_per_day", ({ overflow }) => overflow.perDay],
  ["overflows_reported", ({ overflow }) => overflow.reported],
  ["overflows_prevented", ({ overflow }) => overflow.prevented],
  ["misoperation_rate", ({ misoperation }) => misoperation.rate],
  ["misoperations", ({ misoperation }) => misoperation.count],
  ["critical_actions", ({ misoperation }) => misoperation.of],
  ["critical_unapproved", ({ misoperation }) => misoperation.unapproved],
  ["critical_allowed_by_gate", ({ misoperation }) => misoperation.allowedByGate],
  ["flags", ({ misoperation }) => misoperation.flags],
  ["held", ({ prevented }) => prevented.held],
  ["denied_by_gate", ({ prevented }) => prevented.deniedByGate],
  ["denied_by_validation", ({ prevented }) => prevented.deniedByValidation],
  ["rejected", ({ prevented }) => prevented.rejected],
  ["denied_by_deadline", ({ prevented }) => prevented.deniedByDeadline],
  ["invalid_outputs", ({ prevented }) => prevented.invalidOutputs],
  ["limits", ({ prevented }) => prevented.limits],
  ["without_person_rate", ({ withoutPerson }) => withoutPerson.rate],
  ["without_person", ({ withoutPerson }) => withoutPerson.count],
  ["requests_answered", ({ people }) => people.answered],
  ["requests_unanswered", ({ people }) => people.unanswered],
  ["requests_answered_by_standing", ({ people }) => people.answeredByStanding],
  ...spread("answer_ms", ({ people }) => people.answerTime),
  ["model_calls", ({ usage }) => usage.modelCalls],
  ["input_tokens", ({ usage }) => usage.inputTokens],
  ["output_tokens", ({ usage }) => usage.outputTokens],
  ["usd", ({ usage }) => usage.usd],
  ["unpriced_calls", ({ usage }) => usage.unpricedCalls],
];

function spread(name: string, of: (stats: Stats) => Spread | null): readonly Column[] {
  return [
    [`${name}_mean`, (stats) => of(stats)?.mean ?? null],
    [`${name}_p50`, (stats) => of(stats)?.p50 ?? null],
    [`${name}_p95`, (stats) => of(stats)?.p95 ?? null],
  ];
}

/** RFC 4180, without its carriage returns: a row for each group, or one for all. What there is nothing of is empty. */
export function statsCsv({ by, total, groups }: StatsReport): readonly string[] {
  const names = ["agent", "agent_version", "day", ...columns.map(([name]) => name)];
  const rows = by === null ? [{ stats: total }] : groups;
  return [names.join(","), ...rows.map(csvRow)];
}

function csvRow({ agent = "", agentVersion = "", day = "", stats }: StatsGroup): string {
  const numbers = columns.map(([, of]) => of(stats)?.toString() ?? "");
  return [cell(agent), cell(agentVersion), cell(day), ...numbers].join(",");
}

/** Versions are free text; a spreadsheet takes what begins like a formula for one. */
function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
