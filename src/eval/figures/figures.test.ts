import { describe, expect, it } from "vitest";
import { bootstrapMean } from "./bootstrap.ts";
import { newcombeInterval, wilsonInterval, z95, zForAll } from "./intervals.ts";
import { passHat } from "./pass-hat.ts";

describe("Wilson's interval", () => {
  it.each([
    // Newcombe 1998 (doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E), table I, method 3
    { count: 81, of: 263, low: 0.2553, high: 0.3662 },
    { count: 15, of: 148, low: 0.0624, high: 0.1605 },
    { count: 0, of: 20, low: 0, high: 0.1611 },
    { count: 1, of: 29, low: 0.0061, high: 0.1718 },
    { count: 10, of: 10, low: 0.7225, high: 1 },
  ])("of $count in $of is as published", ({ count, of, low, high }) => {
    const interval = wilsonInterval(count, of);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it("knows nothing without trials", () => expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 }));
});

describe("Newcombe's interval of a difference", () => {
  it.each([
    // Newcombe 1998, table II, method 10; the differences there are first minus second
    { after: [56, 70], before: [48, 80], low: 0.0524, high: 0.3339 },
    { after: [9, 10], before: [3, 10], low: 0.1705, high: 0.809 },
    { after: [5, 56], before: [0, 29], low: -0.0381, high: 0.1926 },
    { after: [10, 10], before: [0, 20], low: 0.6791, high: 1 },
  ] as const)("of $after and $before is as published", ({ after, before, low, high }) => {
    const interval = newcombeInterval({ count: before[0], of: before[1] }, { count: after[0], of: after[1] });
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });
});

describe("the z of several intervals at once", () => {
  it.each([
    [1, z95],
    [2, 2.2414027],
    [5, 2.5758293],
    [10, 2.8070337],
    [100, 3.4807564],
  ])("of %i is the normal distribution's", (comparisons, z) =>
    expect(zForAll(comparisons)).toBeCloseTo(z, 6),
  );
});

describe("pass^k", () => {
  it.each([
    { passed: 5, trials: 5, k: 5, is: 1 },
    { passed: 4, trials: 5, k: 1, is: 0.8 },
    { passed: 4, trials: 5, k: 2, is: 0.6 }, // C(4,2)/C(5,2) = 6/10
    { passed: 3, trials: 8, k: 3, is: 1 / 56 },
    { passed: 1, trials: 5, k: 2, is: 0 },
    { passed: 2, trials: 2, k: 3, is: null },
  ])("of $passed in $trials trials for k = $k", ({ passed, trials, k, is }) => {
    if (is === null) expect(passHat(passed, trials, k)).toBeNull();
    else expect(passHat(passed, trials, k)).toBeCloseTo(is, 12);
  });

  it("is the share of all choices of k trials in which all passed", () => {
    const trials = [true, true, false, true, true, false, true];
    const all = choices(trials, 3);
    const share = all.filter((chosen) => chosen.every(Boolean)).length / all.length;
    expect(passHat(5, 7, 3)).toBeCloseTo(share, 12);
  });
});

function choices<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) =>
    choices(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]),
  );
}

describe("the bootstrap of paired differences", () => {
  it("follows from the seed, and holds the mean", () => {
    const differences = [0.2, 0, -0.1, 0.4, 0.1, 0.3, 0, 0.2, -0.2, 0.1];
    const interval = bootstrapMean(differences, 7);
    expect(interval).toEqual(bootstrapMean(differences, 7));
    expect(interval).not.toEqual(bootstrapMean(differences, 8));
    // the normal approximation: mean 0.1, standard error 0.055
    expect(interval?.low).toBeCloseTo(-0.008, 1);
    expect(interval?.high).toBeCloseTo(0.208, 1);
  });

  it("has no width where nothing varies, and is none of a single case", () => {
    expect(bootstrapMean([0, 0, 0], 1)).toEqual({ low: 0, high: 0 });
    expect(bootstrapMean([0.5], 1)).toBeNull();
  });
});
