import { sha256 } from "../../core/digest.ts";
import type { Interval } from "./intervals.ts";
import { mulberry32 } from "./mulberry32.ts";

/** More of them move the ends of an interval by less than a hundredth of its width. */
const resamples = 2_000;

/**
 * The 95 % interval of the mean of differences that belong together in pairs, one for each case: cases are drawn again and
 * again, with repetition, and the middle 95 % of the means are taken (Efron's percentile bootstrap). It follows from the
 * differences and the seed alone. `null` for fewer than two differences, which say nothing of how they vary.
 */
export function bootstrapMean(differences: readonly number[], seed: number | string): Interval | null {
  if (differences.length < 2) return null;
  const next = mulberry32(Number.parseInt(sha256(`bootstrap ${seed}`).slice(0, 8), 16));
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let drawn = 0; drawn < differences.length; drawn++)
      sum += differences[Math.floor(next() * differences.length)] ?? 0;
    return sum / differences.length;
  }).sort();
  return {
    low: means[Math.floor(resamples * 0.025)] ?? 0,
    high: means[Math.ceil(resamples * 0.975) - 1] ?? 0,
  };
}
