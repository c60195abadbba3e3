// The numbers for people. What they are is said above and below them: a simulation.
import type { DrawOptions } from "./draws.ts";
import type { Estimate } from "./intervals.ts";
import type { Numbers } from "./numbers.ts";

export function report(rows: readonly Numbers[], { seed, faults, approverErrors }: DrawOptions): string {
  const tasks = (rows[0]?.tasks ?? 0).toLocaleString("en");
  return [
    `Simulation: the four numbers, before and after. ${tasks} tasks, seed ${seed}, ${percent(faults)} of model calls go wrong, approvers err in ${percent(approverErrors)}.`,
    "Means and rates with their 95 % intervals; each variant has the same tasks and faults.",
    "",
    ...table(header, rows.map(cells)),
    "",
    ...table(costHeader, rows.map(costCells)),
    "",
    ...bars(rows),
    "",
    "Model, its faults and people are simulated: this shows what each control does with a given fault, at these rates. It",
    "cannot show how often a real model errs, or how it would answer to what a control tells it.",
    `Counted a second time, by Holdpoint from its log: ${agreement(rows)}.`,
  ].join("\n");
}

const header = [
  "variant",
  "solved",
  "",
  "against all on",
  "active, mean",
  "",
  "overflows",
  "",
  "misoperation",
  "",
  "",
];

function cells(row: Numbers): readonly string[] {
  return [
    row.name,
    percent(row.success.value),
    within(row.success, percentNumber),
    row.name === "all on" ? "" : `${points(row.successAgainstAllOn)}`,
    `${seconds(row.active.value)} s`,
    within(row.active, seconds),
    `${row.overflowsPer1000.value.toFixed(0)} per 1,000`,
    within(row.overflowsPer1000, (value) => value.toFixed(0)),
    percent(row.misoperation.value),
    within(row.misoperation, percentNumber),
    `${row.wrong} of ${row.critical}`,
  ];
}

const costHeader = [
  "variant",
  "active p50",
  "p95",
  "wall, mean",
  "of it waiting",
  "tokens",
  "model calls",
  "people asked",
  "overflows",
  "wrong, small",
  "unapproved",
];

function costCells(row: Numbers): readonly string[] {
  return [
    row.name,
    `${seconds(row.active.p50)} s`,
    `${seconds(row.active.p95)} s`,
    `${minutes(row.wall.value)} min`,
    `${minutes(row.waiting.value)} min`,
    `${Math.round(row.tokens.value).toLocaleString("en")}`,
    row.modelCalls.value.toFixed(1),
    row.asked.value.toFixed(2),
    `${row.overflowsPerActiveDay.toFixed(0)} a day`,
    `${row.wrongSmall} of ${row.wrong}`,
    `${row.unapproved}`,
  ];
}

function table(titles: readonly string[], lines: readonly (readonly string[])[]): readonly string[] {
  const all = [titles, ...lines];
  const widths = titles.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  return all.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}

const barLength = 40;

function bars(rows: readonly Numbers[]): readonly string[] {
  const most = Math.max(...rows.map(({ misoperation }) => misoperation.value), 0.001);
  return [
    ...["tasks solved, of all", ...rows.map((row) => bar(row, row.success.value, 1))],
    "",
    ...["critical actions that were wrong", ...rows.map((row) => bar(row, row.misoperation.value, most))],
  ];
}

function bar({ name }: Numbers, value: number, most: number): string {
  const length = Math.round((value / most) * barLength);
  return `  ${name.padEnd(20)} ${"█".repeat(length)}${"·".repeat(barLength - length)} ${percent(value)}`;
}

function agreement(rows: readonly Numbers[]): string {
  const counted = rows.filter(({ ownCountAgrees }) => ownCountAgrees !== null);
  const agreeing = counted.filter(({ ownCountAgrees }) => ownCountAgrees);
  return `tasks solved and actions wrong agree in ${agreeing.length} of ${counted.length} variants`;
}

function within({ low, high }: Estimate, show: (value: number) => string): string {
  return `${show(low)}–${show(high)}`;
}

function percentNumber(value: number): string {
  return (value * 100).toFixed(1);
}

function percent(value: number): string {
  return `${percentNumber(value)} %`;
}

/** Percentage points, with their interval. */
function points({ value, low, high }: Estimate): string {
  const signed = (each: number): string => `${each < 0 ? "−" : "+"}${percentNumber(Math.abs(each))}`;
  return `${signed(value)} (${signed(low)} to ${signed(high)})`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function minutes(ms: number): string {
  return (ms / 60_000).toFixed(1);
}
