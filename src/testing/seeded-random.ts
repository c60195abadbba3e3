import { sha256 } from "../core/digest.ts";

/** Numbers that follow from a key, the same on every machine. */
export interface SeededRandom {
  /** At least 0, under 1. */
  next(): number;
  /** A whole number, at least `from` and at most `to`. */
  between(from: number, to: number): number;
  /** One of the items; `undefined` of none. */
  pick<T>(items: readonly T[]): T | undefined;
}

export function seededRandom(key: string): SeededRandom {
  let count = 0;
  const next = (): number => {
    count += 1;
    return Number.parseInt(sha256(`${key} ${count}`).slice(0, 12), 16) / 2 ** 48;
  };
  return {
    next,
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
    pick: (items) => items[Math.floor(next() * items.length)],
  };
}
