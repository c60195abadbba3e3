import type { CaseComparison, Comparison } from "../eval/figures/comparison.ts";
import { type EvalFigures, type EvalReport, isReached } from "../eval/figures/eval-report.ts";
import type { Interval } from "../eval/figures/intervals.ts";
import { formatCount, formatDuration, line, plural } from "./format.ts";
import type { Paint } from "./screen.ts";

/** Most failed trials that are told; the JSON has all. */
const maxFailed = 20;

/** A line for each case, the total, what failed and how to look at it. */
export function describeEval(
  report: EvalReport,
  comparison: Comparison | null,
  paint: Paint,
  show: (threadId: string) => string,
): readonly string[] {
  const { run, cases, total } = report;
  const what = [
    run.model ?? "the agents' own models",
    run.prompt && `prompt ${run.prompt.name} (${run.prompt.version})`,
    run.faults === null ? null : `${percent(run.faults)} of calls go wrong, seed ${run.seed}`,
  ];
  return [
    `${paint("bold", line(run.suite, 200))}  ${paint("dim", what.filter((part) => part).join(", "))}`,
    "",
    ...table(report, paint),
    "",
    ...describeTotal(total, paint),
    ...describeFailed(
      cases.flatMap(({ results }) => results),
      paint,
      show,
    ),
    ...(comparison ? ["", ...describeComparison(comparison, paint)] : []),
  ];
}

const columns: readonly (readonly [title: string, cell: (figures: EvalFigures) => string])[] = [
  ["passed", ({ passed, trials }) => `${passed}/${trials}`],
  ["success", ({ success }) => (success.rate === null ? "-" : percent(success.rate))],
  ["95 %", ({ success }) => range(success)],
  ["pass^k", ({ passHat }) => percent(passHat.at(-1) ?? 0)],
  ["active p50", ({ time }) => (time.active ? formatDuration(time.active.p50) : "-")],
  ["p95", ({ time }) => (time.active ? formatDuration(time.active.p95) : "-")],
  ["tokens", ({ tokens }) => formatCount(Math.round(tokens.perTrial))],
  ["cost", cost],
  ["asked", ({ asked }) => formatCount(asked)],
];

/** Nothing known is not nothing paid. */
function cost({ usd, unpricedCalls }: EvalFigures): string {
  return usd === 0 && unpricedCalls > 0 ? "-" : `$${usd.toFixed(usd >= 1 || usd === 0 ? 2 : 4)}`;
}

function table({ cases, total, minSuccess }: EvalReport, paint: Paint): readonly string[] {
  const rows = [
    ...cases.map((each) => ({ name: line(each.name, 60), figures: each })),
    { name: "all", figures: total },
  ];
  const head = [
    "",
    ...columns.map(([title]) => title.replace("^k", `^${Math.max(1, total.passHat.length)}`)),
  ];
  const cells = rows.map(({ name, figures }) => [name, ...columns.map(([, cell]) => cell(figures))]);
  const widths = head.map((_, index) => Math.max(...[head, ...cells].map((row) => row[index]?.length ?? 0)));
  const joined = (row: readonly string[]): string =>
    row
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join("  ");
  return [
    paint("dim", joined(head)),
    ...cells.map((row, index) => {
      const own = cases[index];
      if (!own) return paint("bold", joined(row)); // the last: of all together
      return paint(isReached(own, minSuccess) ? "green" : "red", joined(row));
    }),
  ];
}

function describeTotal(total: EvalFigures, paint: Paint): readonly string[] {
  const { overflow, misoperation, invalidOutputs, asked, modelCalls, tokens, time, unpricedCalls, passHat } =
    total;
  const wall = time.wall
    ? `wall p50 ${formatDuration(time.wall.p50)}, p95 ${formatDuration(time.wall.p95)} with the waits that were passed over`
    : "";
  const unpriced = unpricedCalls === 0 ? "" : `; the price of ${formatCount(unpricedCalls)} is not known`;
  const rows: readonly (readonly [name: string, value: string])[] = [
    [
      "pass^k",
      passHat
        .map((value, index) => `k=${index + 1} ${percent(value)}`)
        .slice(0, 8)
        .join(", "),
    ],
    ["time", wall],
    [
      "tokens",
      `${formatCount(tokens.input)} in, ${formatCount(tokens.output)} out, ${plural(modelCalls, "model call")}${unpriced}`,
    ],
    [
      "overflow",
      `${formatCount(overflow.reported)} reported, ${formatCount(overflow.prevented)} windows shrunk before`,
    ],
    [
      "misoperation",
      `${formatCount(misoperation.count)} of ${formatCount(misoperation.of)} critical actions, ${formatCount(misoperation.unapproved)} without approval`,
    ],
    ["invalid outputs", formatCount(invalidOutputs)],
    ["asked people", formatCount(asked)],
  ];
  return rows.map(([name, value]) => {
    const text = `${name.padEnd(16)}${value}`;
    return name === "misoperation" && misoperation.unapproved > 0 ? paint("red", text) : text;
  });
}

function describeFailed(
  results: EvalReport["cases"][number]["results"],
  paint: Paint,
  show: (threadId: string) => string,
): readonly string[] {
  const failed = results.filter(({ passed }) => !passed);
  if (failed.length === 0) return [];
  const lines = failed
    .slice(0, maxFailed)
    .flatMap(({ case: name, trial, threadId, findings }) => [
      "",
      `${paint("red", "failed")}  ${line(name, 100)} #${trial}`,
      ...findings.map(({ rule, message }) => `  ${paint("yellow", line(rule, 60))}  ${line(message, 500)}`),
      `  ${paint("dim", show(threadId))}`,
    ]);
  const more = failed.length - maxFailed;
  return more > 0 ? [...lines, "", `and ${plural(more, "more failed trial")}: --json has them all`] : lines;
}

function describeComparison(
  { success, tokens, usd, cases, onlyBefore, onlyAfter, before, conditions }: Comparison,
  paint: Paint,
): readonly string[] {
  const width = Math.max(4, ...cases.map(({ name }) => line(name, 60).length));
  const changed = cases.filter(
    ({ change, tokens: { before: from, after: to } }) => change !== "same" || from !== to,
  );
  return [
    paint(
      "bold",
      `against the run of ${before.createdAt.slice(0, 19).replace("T", " ")} (${before.model ?? "the agents' own models"})`,
    ),
    ...conditions.map((text) => paint("yellow", `differs: ${line(text, 300)}`)),
    `success  ${points(success.difference ?? 0)}${success.interval ? `  95 % ${points(success.interval.low)} to ${points(success.interval.high)} (paired by case)` : ""}`,
    `tokens   ${signed(Math.round(tokens.difference ?? 0))} a trial${tokens.interval ? `  95 % ${signed(Math.round(tokens.interval.low))} to ${signed(Math.round(tokens.interval.high))}` : ""}`,
    `cost     $${usd.before.toFixed(4)} → $${usd.after.toFixed(4)} for one trial of each`,
    ...changed.map((each) => comparedCase(each, width, paint)),
    ...(changed.length === 0 ? ["no case differs"] : []),
    ...only("only there", onlyBefore),
    ...only("only here", onlyAfter),
  ];
}

function comparedCase(
  { name, before, after, difference, interval, change, tokens }: CaseComparison,
  width: number,
  paint: Paint,
): string {
  const style = change === "worse" ? "red" : change === "better" ? "green" : "dim";
  const text = `${line(name, 60).padEnd(width)}  ${percent(before).padStart(5)} → ${percent(after).padStart(5)}  ${points(difference).padStart(6)}  95 % ${points(interval.low)} to ${points(interval.high)}  ${change.padEnd(7)}  tokens ${signed(Math.round(tokens.after - tokens.before))}`;
  return paint(style, text);
}

function only(where: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`${where}: ${names.map((name) => line(name, 60)).join("; ")}`];
}

function percent(rate: number): string {
  return `${Math.round(rate * 100)} %`;
}

function range({ low, high }: Interval): string {
  return `${Math.round(low * 100)}–${Math.round(high * 100)}`;
}

function points(difference: number): string {
  return `${signed(Math.round(difference * 100))} pp`;
}

function signed(value: number): string {
  return value > 0 ? `+${formatCount(value)}` : value < 0 ? `−${formatCount(-value)}` : "0"; // no −0
}
