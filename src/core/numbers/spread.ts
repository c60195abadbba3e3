/** How values lie: percentiles are values that occurred (nearest rank), the mean is rounded to whole numbers. */
export interface Spread {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
}

/** `null` for no values. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const percentile = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  const sum = sorted.reduce((total, value) => total + value, 0);
  return { mean: Math.round(sum / sorted.length), p50: percentile(0.5), p95: percentile(0.95) };
}
