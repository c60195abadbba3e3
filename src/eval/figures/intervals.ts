// Intervals for shares of few trials. A normal approximation would say "100 %, give or take nothing" after three trials
// that passed; Wilson's score interval does not.

/** From `low` to `high`, both included. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The 97.5th percentile of the normal distribution: for intervals that miss in one of 20. */
export const z95 = 1.959963984540054;

/**
 * Wilson's score interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953). Of no trials it is 0 to 1: nothing
 * is known.
 */
export function wilsonInterval(count: number, of: number, z: number = z95): Interval {
  if (of === 0) return { low: 0, high: 1 };
  const rate = count / of;
  const scale = 1 + z ** 2 / of;
  const middle = (rate + z ** 2 / (2 * of)) / scale;
  const half = (z / scale) * Math.sqrt((rate * (1 - rate)) / of + z ** 2 / (4 * of ** 2));
  return {
    low: count === 0 ? 0 : Math.max(0, middle - half), // exactly, where rounding would leave some 1e-17
    high: count === of ? 1 : Math.min(1, middle + half),
  };
}

/** How often something happened, of how many. */
export interface Proportion {
  readonly count: number;
  readonly of: number;
}

/**
 * The interval of `after - before`, two independent shares, by their Wilson intervals (Newcombe 1998, method 10,
 * doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I). Without trials on a side it is -1 to 1.
 */
export function newcombeInterval(before: Proportion, after: Proportion, z: number = z95): Interval {
  if (before.of === 0 || after.of === 0) return { low: -1, high: 1 };
  const [p1, p2] = [after.count / after.of, before.count / before.of];
  const one = wilsonInterval(after.count, after.of, z);
  const two = wilsonInterval(before.count, before.of, z);
  return {
    low: p1 - p2 - Math.hypot(p1 - one.low, two.high - p2),
    high: p1 - p2 + Math.hypot(one.high - p1, p2 - two.low),
  };
}

/**
 * The z of an interval that misses so seldom that, of `comparisons` such intervals, any misses in one of 20 (Bonferroni).
 * By bisection on the normal distribution, to about 1e-9.
 */
export function zForAll(comparisons: number): number {
  const tail = 0.025 / Math.max(1, comparisons);
  let [low, high] = [0, 10];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (upperTail(middle) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** How much of the normal distribution lies above z ≥ 0: a continued fraction where it converges, else the series. */
function upperTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z < 3) return 0.5 - density * seriesOf(z);
  let fraction = 0;
  for (let depth = 100; depth > 0; depth--) fraction = depth / (z + fraction);
  return density / (z + fraction);
}

/** z + z³/3 + z⁵/15 + … (Abramowitz and Stegun 26.2.11). */
function seriesOf(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; Math.abs(term) > 1e-17 * sum && odd < 400; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return sum;
}
