// The four numbers of each variant with their intervals, and what they cost.
import { bootstrapRatio, type Estimate, wider, wilson } from "./intervals.ts";
import type { VariantRun } from "./run-variant.ts";
import type { TaskResult } from "./task-result.ts";
import type { VariantName } from "./variants.ts";

/** Times in milliseconds; rates from 0 to 1; means are per task. */
export interface Numbers {
  readonly name: VariantName;
  readonly tasks: number;
  readonly solved: number;
  readonly success: Estimate;
  /** Of the same tasks, how many more are solved than with all on, as a share of all. */
  readonly successAgainstAllOn: Estimate;
  readonly active: Estimate & { readonly p50: number; readonly p95: number };
  readonly wall: Estimate;
  /** Of `wall`: in which neither the model nor a tool ran. */
  readonly waiting: Estimate;
  readonly overflows: number;
  readonly overflowsPer1000: Estimate;
  /** Per day of active time: waiting for people makes no overflow rarer. */
  readonly overflowsPerActiveDay: number;
  readonly critical: number;
  readonly wrong: number;
  /** Of the wrong ones, small refunds: the policy of the variants with a gate lets them run unasked. */
  readonly wrongSmall: number;
  readonly misoperation: Estimate;
  /** Critical actions that a person should have approved, and nobody had. */
  readonly unapproved: number;
  readonly tokens: Estimate;
  readonly modelCalls: Estimate;
  readonly asked: Estimate;
  /** Whether Holdpoint's own count, from its log, says the same; `null` for the loop without a log. */
  readonly ownCountAgrees: boolean | null;
}

export function numbersOf(run: VariantRun, allOn: VariantRun, seed: number): Numbers {
  const { name, tasks, own } = run;
  const sums = countsOf(tasks);
  const { solved, wrong } = sums;
  const gained = tasks.map((task, index) => Number(task.solved) - Number(allOn.tasks[index]?.solved));
  return {
    name,
    tasks: tasks.length,
    ...sums,
    success: wilson(solved, tasks.length),
    successAgainstAllOn: bootstrapRatio(gained, seed),
    ...timesOf(tasks, seed),
    ...overflowsOf(tasks, seed),
    misoperation: misoperationOf(tasks, seed),
    tokens: meanOf(tasks, seed, (task) => task.tokens),
    modelCalls: meanOf(tasks, seed, (task) => task.modelCalls),
    asked: meanOf(tasks, seed, (task) => task.asked),
    ownCountAgrees: own && own.success.count === solved && own.misoperation.count === wrong,
  };
}

type Tasks = readonly TaskResult[];
type Of = (task: TaskResult) => number;

function sumOf(tasks: Tasks, of: Of): number {
  return tasks.reduce((total, task) => total + of(task), 0);
}

function meanOf(tasks: Tasks, seed: number, of: Of): Estimate {
  return bootstrapRatio(tasks.map(of), seed);
}

function countsOf(
  tasks: Tasks,
): Pick<Numbers, "solved" | "critical" | "wrong" | "wrongSmall" | "unapproved"> {
  return {
    solved: sumOf(tasks, ({ solved }) => Number(solved)),
    critical: sumOf(tasks, ({ critical }) => critical),
    wrong: sumOf(tasks, ({ wrong }) => wrong),
    wrongSmall: sumOf(tasks, ({ wrongSmall }) => wrongSmall),
    unapproved: sumOf(tasks, ({ unapproved }) => unapproved),
  };
}

function timesOf(tasks: Tasks, seed: number): Pick<Numbers, "active" | "wall" | "waiting"> {
  const active: Of = ({ activeMs }) => activeMs;
  return {
    active: { ...meanOf(tasks, seed, active), ...percentiles(tasks.map(active)) },
    wall: meanOf(tasks, seed, ({ wallMs }) => wallMs),
    waiting: meanOf(tasks, seed, ({ wallMs, activeMs }) => wallMs - activeMs),
  };
}

/** Several may come of one task; of none at all, only how many tasks had none says how rare they may be. */
function overflowsOf(
  tasks: Tasks,
  seed: number,
): Pick<Numbers, "overflows" | "overflowsPer1000" | "overflowsPerActiveDay"> {
  const count: Of = (task) => task.overflows;
  const overflows = sumOf(tasks, count);
  const rate = overflows === 0 ? wilson(0, tasks.length) : meanOf(tasks, seed, count);
  return {
    overflows,
    overflowsPer1000: { value: rate.value * 1_000, low: rate.low * 1_000, high: rate.high * 1_000 },
    overflowsPerActiveDay: overflows / (sumOf(tasks, ({ activeMs }) => activeMs) / 86_400_000),
  };
}

function misoperationOf(tasks: Tasks, seed: number): Estimate {
  const wrong = tasks.map((task) => task.wrong);
  const critical = tasks.map((task) => task.critical);
  const { wrong: count, critical: of } = countsOf(tasks);
  return wider(wilson(count, of), bootstrapRatio(wrong, seed, critical));
}

function percentiles(values: readonly number[]): { readonly p50: number; readonly p95: number } {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95) };
}
