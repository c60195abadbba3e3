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
  const values = (of: (task: TaskResult) => number): readonly number[] => tasks.map(of);
  const total = (of: (task: TaskResult) => number): number => tasks.reduce((sum, task) => sum + of(task), 0);
  const mean = (of: (task: TaskResult) => number): Estimate => bootstrapRatio(values(of), seed);
  const solved = total((task) => Number(task.solved));
  const [wrong, critical, overflows] = [
    total((task) => task.wrong),
    total((task) => task.critical),
    total((task) => task.overflows),
  ];
  return {
    name,
    tasks: tasks.length,
    solved,
    success: wilson(solved, tasks.length),
    successAgainstAllOn: bootstrapRatio(
      tasks.map((task, index) => Number(task.solved) - Number(allOn.tasks[index]?.solved)),
      seed,
    ),
    active: { ...mean((task) => task.activeMs), ...percentiles(values((task) => task.activeMs)) },
    wall: mean((task) => task.wallMs),
    waiting: mean((task) => task.wallMs - task.activeMs),
    overflows,
    overflowsPer1000: per1000(overflows, tasks),
    overflowsPerActiveDay: overflows / (total((task) => task.activeMs) / 86_400_000),
    ...{ critical, wrong, wrongSmall: total((task) => task.wrongSmall) },
    misoperation: wider(
      wilson(wrong, critical),
      bootstrapRatio(
        values((task) => task.wrong),
        seed,
        values((task) => task.critical),
      ),
    ),
    unapproved: total((task) => task.unapproved),
    tokens: mean((task) => task.tokens),
    modelCalls: mean((task) => task.modelCalls),
    asked: mean((task) => task.asked),
    ownCountAgrees: own && own.success.count === solved && own.misoperation.count === wrong,
  };

  /** Several may come of one task; of none at all, only how many tasks had none says how rare they may be. */
  function per1000(count: number, of: readonly TaskResult[]): Estimate {
    const rate = count === 0 ? wilson(0, of.length) : mean((task) => task.overflows);
    return { value: rate.value * 1_000, low: rate.low * 1_000, high: rate.high * 1_000 };
  }
}

function percentiles(values: readonly number[]): { readonly p50: number; readonly p95: number } {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95) };
}
