/**
 * pass^k: how likely it is that all of k trials of a case pass, estimated without bias from n trials of which `passed` did:
 * C(passed, k) / C(n, k). Defined by tau-bench (Yao et al. 2024, arXiv:2406.12045, section 3), which averages it over the
 * cases. `null` where there are fewer than k trials.
 */
export function passHat(passed: number, trials: number, k: number): number | null {
  if (k < 1 || trials < k) return null;
  let chance = 1; // of drawing k that passed, one after the other, without putting one back
  for (let drawn = 0; drawn < k; drawn++) chance *= Math.max(0, passed - drawn) / (trials - drawn);
  return chance;
}
