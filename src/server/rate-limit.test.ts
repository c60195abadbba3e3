import { describe, expect, test } from "vitest";
import { createRateLimit } from "./rate-limit.ts";

describe("a bucket", () => {
  test("gives its burst, then as many as time fills in, and never more than its burst", () => {
    const take = createRateLimit({ perSecond: 10, burst: 2 });
    take("a", 0);
    take("a", 0);
    expect(() => take("a", 0)).toThrow(expect.objectContaining({ code: "rate_limited", retryAfterMs: 100 }));
    take("a", 100);
    expect(() => take("a", 100)).toThrow();
    take("a", 60_000);
    take("a", 60_000);
    expect(() => take("a", 60_000)).toThrow();
  });

  test("is each bearer's own, and a clock that is set back takes nothing away", () => {
    const take = createRateLimit({ perSecond: 1, burst: 1 });
    take("a", 10_000);
    take("b", 10_000);
    expect(() => take("a", 0)).toThrow();
    take("a", 1_000);
  });

  test("is forgotten when there are too many, longest unused first", () => {
    const take = createRateLimit({ perSecond: 0.001, burst: 1 });
    take("first", 0);
    take("second", 0);
    expect(() => take("first", 0)).toThrow(); // used again
    for (let index = 0; index < 9_999; index++) take(`other ${index}`, 0);
    expect(() => take("first", 0)).toThrow();
    take("second", 0);
  });
});
