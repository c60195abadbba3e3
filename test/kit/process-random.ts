/** Random numbers that a seed repeats. */
export interface Random {
  /** From 0 to 1, without 1. */
  fraction(): number;
  /** A whole number from 0 to `count - 1`. */
  below(count: number): number;
  /** True in so many of a hundred cases. */
  percent(chance: number): boolean;
}

/** Mulberry32: small, and even enough to choose moments and victims. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  function fraction(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return {
    fraction,
    below: (count) => Math.floor(fraction() * count),
    percent: (chance) => fraction() * 100 < chance,
  };
}

/** The seed of this run: `HOLDPOINT_SOAK_SEED`, or a new one. Whoever uses it prints it. */
export function soakSeed(): number {
  const given = Number(process.env.HOLDPOINT_SOAK_SEED);
  return Number.isSafeInteger(given) && given > 0 ? given : 1 + (Date.now() % 1_000_000_000);
}

/** A line on stderr at once, past any reporter: these tests run for minutes. */
export function progress(text: string): void {
  process.stderr.write(`  ${text}\n`);
}
