import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tokenEstimator } from "../../models/token-estimator.ts";
import { seenText } from "./see.ts";

const { count } = tokenEstimator;
const orders = Array.from({ length: 500 }, (_, id) => ({ id, name: `order ${id}` }));

describe("what code wants seen", () => {
  it("is shown whole without a limit, and within one", () => {
    expect(seenText({ orders }, undefined, count)).toEqual({
      text: JSON.stringify({ orders }),
      isWhole: true,
    });
    expect(seenText({ a: 1 }, 50, count)).toEqual({ text: '{"a":1}', isWhole: true });
  });

  it("is cut where it is largest, and says that something is left out", () => {
    const { text, isWhole } = seenText({ orders, customer: { id: "c7" } }, 300, count);
    expect(isWhole).toBe(false);
    expect(count(text)).toBeLessThanOrEqual(300);
    expect(JSON.parse(text).customer).toEqual({ id: "c7" });
    expect(text).toContain("more");
  });

  it("keeps to the limit as far as names and small values allow, as JSON with all its names", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 4 })),
        fc.integer({ min: 40, max: 400 }),
        (given, maxTokens) => {
          const see = JSON.parse(JSON.stringify(given));
          const { text, isWhole } = seenText(see, maxTokens, count);
          expect(Object.keys(JSON.parse(text))).toEqual(Object.keys(see));
          if (isWhole) expect(JSON.parse(text)).toEqual(see);
        },
      ),
    );
  });

  it("is measured a few times only, however many members it has", () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `member ${index}`);
    const see = Object.fromEntries(names.map((name) => [name, orders.slice(0, 3)]));
    let times = 0;
    seenText(see, 100, (text) => {
      times += 1;
      return count(text);
    });
    expect(times).toBeLessThan(20);
  });

  it("refuses limits that are none", () => {
    for (const limit of [0, -1, 1.5, Number.NaN])
      expect(() => seenText({ a: 1 }, limit, count)).toThrow("seeTokens");
  });
});
