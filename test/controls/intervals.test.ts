import { describe, expect, test } from "vitest";
import { bootstrapRatio, wider, wilson } from "../../bench/controls/intervals.ts";

describe("Wilson's interval", () => {
  test.each([
    // Newcombe 1998, and the closed form at the ends.
    { name: "81 of 263", count: 81, of: 263, low: 0.2553, high: 0.3662 },
    { name: "15 of 148", count: 15, of: 148, low: 0.0624, high: 0.1605 },
    { name: "0 of 20 says that it may be up to a sixth", count: 0, of: 20, low: 0, high: 0.1611 },
    { name: "1 of 29", count: 1, of: 29, low: 0.0061, high: 0.1718 },
    { name: "20 of 20 is not certain", count: 20, of: 20, low: 0.8389, high: 1 },
  ])("$name", ({ count, of, low, high }) => {
    const interval = wilson(count, of);
    expect(interval.value).toBe(count / of);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  test("nothing of nothing may be anything", () => {
    expect(wilson(0, 0)).toMatchObject({ low: 0, high: 1 });
  });
});

describe("the bootstrap", () => {
  const values = Array.from({ length: 400 }, (_, index) => index % 20);

  test("has about the interval of a normal mean, and the same one for the same seed", () => {
    const { value, low, high } = bootstrapRatio(values, 7);
    const error = Math.sqrt(33.25 / values.length); // the values' variance is (20² − 1) / 12
    expect(value).toBe(9.5);
    expect(low).toBeCloseTo(9.5 - 1.96 * error, 0);
    expect(high).toBeCloseTo(9.5 + 1.96 * error, 0);
    expect(bootstrapRatio(values, 7)).toEqual({ value, low, high });
    expect(bootstrapRatio(values, 8)).not.toEqual({ value, low, high });
  });

  test("is wider than Wilson's where one task brings many at once", () => {
    const wrong = Array.from({ length: 100 }, (_, task) => (task < 5 ? 20 : 0));
    const all = Array.from({ length: 100 }, () => 20);
    const byTask = bootstrapRatio(wrong, 1, all);
    const byAction = wilson(100, 2_000);
    expect(byTask.value).toBe(byAction.value);
    expect(byTask.high - byTask.low).toBeGreaterThan(2 * (byAction.high - byAction.low));
    expect(wider(byTask, byAction)).toEqual(byTask);
  });

  test("of equal values is a point", () => {
    expect(bootstrapRatio([3, 3, 3], 1)).toEqual({ value: 3, low: 3, high: 3 });
  });
});
