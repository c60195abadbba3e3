import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { log, started } from "../../../test/kit/log.ts";
import { event } from "../events.ts";
import { evolve } from "../evolve.ts";
import { initialState } from "../state.ts";
import { calibrate, calibrated, countable, tighten, uncalibrated } from "./calibration.ts";

const record = (tokens: number) => ({ digest: "", tokens, budget: 1, fromSeq: 0, dropped: 0 });
const reports = fc.array(
  fc.record({
    counted: fc.integer({ min: 1, max: 50_000 }),
    share: fc.double({ min: 0.2, max: 3.5, noNaN: true }),
  }),
  { minLength: 1, maxLength: 20 },
);

describe("a calibration", () => {
  it("is never under for an input that was reported, and never less than before", () => {
    fc.assert(
      fc.property(reports, (series) => {
        let calibration = uncalibrated;
        for (const { counted, share } of series) {
          const reported = Math.round(counted * share);
          const sent = { ...record(calibrated(counted, calibration)), calibration };
          const after = calibrate(calibration, sent, reported);
          expect(calibrated(counted, after)).toBeGreaterThanOrEqual(reported);
          expect(after.factor).toBeGreaterThanOrEqual(calibration.factor);
          expect(after.offset).toBeGreaterThanOrEqual(calibration.offset);
          calibration = after;
        }
      }),
      // A single token after a factor above 1: the record was rounded up to 2, so that less than 1 seems counted.
      {
        examples: [
          [
            [
              { counted: 1_000, share: 1.0005 },
              { counted: 1, share: 2.5 },
            ],
          ],
        ],
      },
    );
  });

  it("leaves alone what was counted right, or over", () => {
    expect(calibrate(uncalibrated, record(2_000), 2_000)).toBe(uncalibrated);
    expect(calibrate(uncalibrated, record(2_000), 100)).toBe(uncalibrated);
  });

  it("puts down to the call what a small input has too much", () => {
    expect(calibrate(uncalibrated, record(100), 446)).toEqual({ factor: 1, offset: 346 });
    expect(calibrate({ factor: 1, offset: 346 }, record(2_000), 2_846)).toEqual({
      factor: 1.25,
      offset: 346,
    });
  });

  it("does not believe what is no error of a counter", () => {
    expect(calibrate(uncalibrated, record(2_000), 1_000_000).factor).toBe(4);
  });

  it("is inverse to what may be counted", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 1_000_000 }),
        fc.double({ min: 1, max: 4, noNaN: true }),
        fc.nat(900),
        (budget, factor, offset) => {
          const counted = countable(budget, { factor, offset });
          expect(calibrated(counted, { factor, offset })).toBeLessThanOrEqual(budget);
        },
      ),
    );
  });

  it.each([
    { limitTokens: null, factor: 1.25 },
    { limitTokens: 5_000, factor: 1.25 },
    { limitTokens: 3_000, factor: 1 }, // the limit explains it
  ])(
    "is tightened by an overflow at 4,000 tokens of a limit of $limitTokens by $factor",
    ({ limitTokens, factor }) => {
      const overflow = { key: "decide#1", attempt: 1, model: "m", message: "too long", sentTokens: 4_000 };
      const events = log(started(), event("overflow_reported", { ...overflow, limitTokens }));
      const { calibrations } = events.reduce(evolve, initialState());
      expect(calibrations.get("m")?.factor ?? 1).toBe(factor);
    },
  );

  it("tightens when a provider says that an input did not fit", () => {
    expect(tighten(uncalibrated).factor).toBe(1.25);
  });
});
