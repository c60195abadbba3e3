// Confidence intervals at 95 %. Rates of tasks have Wilson's; means, and ratios whose parts cluster by task (one task may
// send forty mails), a bootstrap over tasks, seeded so that the same run prints the same table.
import { wilsonInterval } from "../../src/eval/figures/intervals.ts";
import { mulberry32 } from "../../src/eval/figures/mulberry32.ts";

/** An estimate with the ends of its interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Wilson's score interval for `count` of `of`; all of 0 to 1 where there is nothing to divide by. */
export function wilson(count: number, of: number): Estimate {
  return { value: count / of, ...wilsonInterval(count, of) };
}

/** How often the tasks are drawn again: the ends of an interval then move by about a twentieth of its width. */
const resamples = 1_000;

/** The sum of `values` over the sum of `weights` (default: one each), drawn again by index. */
export function bootstrapRatio(
  values: readonly number[],
  seed: number,
  weights: readonly number[] = values.map(() => 1),
): Estimate {
  const value = sum(values) / sum(weights);
  const next = mulberry32(seed);
  const drawn = Float64Array.from({ length: resamples }, () => drawRatio(values, weights, next)).sort();
  const finite = drawn.filter(Number.isFinite);
  return {
    value,
    low: finite[Math.floor(finite.length * 0.025)] ?? value,
    high: finite[Math.ceil(finite.length * 0.975) - 1] ?? value,
  };
}

/** Of two intervals of one estimate the ends that lie further out. */
export function wider(one: Estimate, other: Estimate): Estimate {
  return { value: one.value, low: Math.min(one.low, other.low), high: Math.max(one.high, other.high) };
}

function drawRatio(values: readonly number[], weights: readonly number[], next: () => number): number {
  let over = 0;
  let under = 0;
  for (let draw = 0; draw < values.length; draw++) {
    const index = Math.floor(next() * values.length);
    over += values[index] ?? 0;
    under += weights[index] ?? 0;
  }
  return over / under;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
