import { describe, expect, it } from "vitest";
import type { TrialNumbers } from "../trial-numbers.ts";
import { compareReports } from "./comparison.ts";
import { type EvalReport, evalReport, type TrialResult } from "./eval-report.ts";

const run = {
  suite: "s",
  digest: "d",
  agents: [],
  model: null,
  prompt: null,
  faults: null,
  seed: "1",
  createdAt: "2026-01-01T00:00:00.000Z",
};

const none: TrialNumbers = {
  wallMs: 0,
  waitingMs: 0,
  activeMs: 0,
  asked: 0,
  modelCalls: 1,
  unpricedCalls: 0,
  inputTokens: 100,
  outputTokens: 10,
  usd: 0.001,
  overflows: 0,
  overflowsPrevented: 0,
  critical: 0,
  misoperations: 0,
  unapproved: 0,
  invalidOutputs: 0,
};

/** For each case, how many of its trials passed; tokens on top. */
function reportOf(cases: {
  readonly [name: string]: readonly [passed: number, of: number, tokens?: number];
}): EvalReport {
  const results = Object.entries(cases).flatMap(([name, [passed, of, tokens = 0]]) =>
    Array.from(
      { length: of },
      (_, index): TrialResult => ({
        case: name,
        trial: index + 1,
        threadId: `th_${name}_${index}`,
        agent: "desk",
        passed: index < passed,
        outcome: "completed",
        findings: [],
        numbers: { ...none, inputTokens: none.inputTokens + tokens, activeMs: index },
      }),
    ),
  );
  return evalReport(run, Object.keys(cases), results, 0.7);
}

describe("a report", () => {
  it("has figures of each case and of all", () => {
    const { cases, total, ok } = reportOf({ a: [7, 10], b: [10, 10] });
    expect(cases[0]).toMatchObject({ passed: 7, trials: 10, success: { rate: 0.7 } });
    expect(cases[0]?.passHat[1]).toBeCloseTo(42 / 90, 12);
    expect(total.passHat[1]).toBeCloseTo((42 / 90 + 1) / 2, 12);
    expect(total).toMatchObject({
      passed: 17,
      trials: 20,
      modelCalls: 20,
      tokens: { input: 2_000, output: 200, perTrial: 110 },
      usd: 0.02,
    });
    expect(total.time.active).toEqual({ mean: 5, p50: 4, p95: 9 });
    expect(ok).toBe(true); // each has reached 70 %
    expect(reportOf({ a: [6, 10], b: [10, 10] }).ok).toBe(false); // not: both together
    expect(reportOf({ a: [0, 0] }).ok).toBe(false);
  });
});

describe("a comparison", () => {
  it("tells what got worse first, and worse from noise", () => {
    const before = reportOf({
      steady: [9, 10],
      fell: [10, 10],
      dipped: [10, 10],
      rose: [0, 10],
      gone: [1, 1],
    });
    const after = reportOf({
      steady: [9, 10, 50],
      fell: [1, 10],
      dipped: [9, 10],
      rose: [10, 10],
      fresh: [1, 1],
    });
    const { cases, isWorse, onlyAfter, onlyBefore, success, tokens } = compareReports(before, after, 1);
    expect(cases.map(({ name, change }) => `${name} ${change}`)).toEqual([
      "fell worse",
      "dipped unclear",
      "steady same",
      "rose better",
    ]);
    expect([onlyBefore, onlyAfter, isWorse]).toEqual([["gone"], ["fresh"], true]);
    expect(success.difference).toBeCloseTo((0 - 0.9 - 0.1 + 1) / 4, 12);
    expect(tokens.difference).toBe(12.5);
    expect(cases[2]?.tokens).toEqual({ before: 110, after: 160 });
  });

  it("names the conditions that are not the same", () => {
    const report = reportOf({ a: [5, 10] });
    expect(compareReports(report, report, 1).conditions).toEqual([]);
    const faulty = { ...reportOf({ a: [1, 2] }), run: { ...run, faults: 0.5, seed: "2" } };
    expect(compareReports(faulty, report, 1).conditions).toEqual([
      "the rate of faults (0.5 there, null now)",
      'the seed ("2" there, "1" now)',
      "the trials of a case (2 there, 10 now)",
    ]);
  });

  it("takes the number of cases into account", () => {
    const one = (passed: number): readonly [number, number] => [passed, 10];
    const alone = compareReports(reportOf({ a: one(10) }), reportOf({ a: one(5) }), 1);
    expect(alone.cases[0]?.change).toBe("worse");
    const names = Array.from({ length: 60 }, (_, index) => `c${index}`);
    const many = (first: number): EvalReport =>
      reportOf(Object.fromEntries(names.map((name, index) => [name, one(index === 0 ? first : 10)])));
    const among = compareReports(many(10), many(5), 1);
    expect(among.cases[0]).toMatchObject({ name: "c0", change: "unclear" });
    expect(among.isWorse).toBe(false);
  });

  it("is worse when all cases together are, though none is by itself", () => {
    const names = Array.from({ length: 20 }, (_, index) => `c${index}`);
    const all = (passed: number): EvalReport =>
      reportOf(Object.fromEntries(names.map((name) => [name, [passed, 5] as const])));
    const { cases, isWorse } = compareReports(all(5), all(4), 1);
    expect(cases.every(({ change }) => change === "unclear")).toBe(true);
    expect(isWorse).toBe(true);
    expect(compareReports(all(4), all(5), 1).isWorse).toBe(false);
  });
});
