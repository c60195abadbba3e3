// What a run comes to: pure, from what each trial was judged to be.
import { type Spread, spreadOf } from "../../core/numbers/spread.ts";
import type { TrialFinding } from "../finding.ts";
import type { RunIdentity } from "../run-identity.ts";
import type { TrialNumbers } from "../trial-numbers.ts";
import { type Interval, wilsonInterval } from "./intervals.ts";
import { passHat } from "./pass-hat.ts";

export interface TrialResult {
  readonly case: string;
  /** From 1. */
  readonly trial: number;
  readonly threadId: string;
  readonly agent: string;
  readonly passed: boolean;
  readonly outcome: string;
  readonly findings: readonly TrialFinding[];
  readonly numbers: TrialNumbers;
}

/** Of a case, or of all together. */
export interface EvalFigures {
  readonly trials: number;
  readonly passed: number;
  /** `rate` is `null` without trials. The interval is Wilson's, at 95 %, over the trials. */
  readonly success: Interval & { readonly rate: number | null };
  /** pass^1, pass^2 and so on, as far as there are trials; of all together, the mean over the cases. */
  readonly passHat: readonly number[];
  /** Milliseconds. `wall` has the waits that were passed over. */
  readonly time: { readonly active: Spread | null; readonly wall: Spread | null };
  readonly tokens: { readonly input: number; readonly output: number; readonly perTrial: number };
  readonly usd: number;
  readonly modelCalls: number;
  /** Of models whose price is not known: they are not in the cost. */
  readonly unpricedCalls: number;
  readonly overflow: { readonly reported: number; readonly prevented: number };
  /** Critical actions without approval, or flagged, of those that started. */
  readonly misoperation: { readonly count: number; readonly of: number; readonly unapproved: number };
  readonly invalidOutputs: number;
  /** Requests that went to people. */
  readonly asked: number;
}

export interface CaseReport extends EvalFigures {
  readonly name: string;
  readonly results: readonly TrialResult[];
}

export interface EvalReport {
  readonly v: 1;
  readonly run: RunIdentity;
  /** What each case must reach. */
  readonly minSuccess: number;
  readonly ok: boolean;
  readonly total: EvalFigures;
  /** In the order of the suite. */
  readonly cases: readonly CaseReport[];
}

/** @param names - of the cases that were run, in order. */
export function evalReport(
  run: RunIdentity,
  names: readonly string[],
  results: readonly TrialResult[],
  minSuccess: number,
): EvalReport {
  const cases = names.map((name) => {
    const own = results
      .filter((result) => result.case === name)
      .sort((one, other) => one.trial - other.trial);
    return { name, ...figuresOf(own, [own]), results: own };
  });
  const ok = cases.every((each) => isReached(each, minSuccess));
  const total = figuresOf(
    results,
    cases.map((each) => each.results),
  );
  return { v: 1, run, minSuccess, ok, total, cases };
}

/** Whether so many trials passed as must. */
export function isReached({ success: { rate } }: EvalFigures, minSuccess: number): boolean {
  return rate !== null && rate >= minSuccess - 1e-9; // a share such as 0.7 is no fraction of two
}

function figuresOf(results: readonly TrialResult[], cases: readonly (readonly TrialResult[])[]): EvalFigures {
  const passed = results.filter((result) => result.passed).length;
  const sum = (of: (numbers: TrialNumbers) => number): number =>
    results.reduce((total, { numbers }) => total + of(numbers), 0);
  const [input, output] = [sum((numbers) => numbers.inputTokens), sum((numbers) => numbers.outputTokens)];
  return {
    trials: results.length,
    passed,
    success: { rate: shareOf(passed, results.length), ...wilsonInterval(passed, results.length) },
    passHat: passHats(cases),
    time: {
      active: spreadOf(results.map(({ numbers }) => numbers.activeMs)),
      wall: spreadOf(results.map(({ numbers }) => numbers.wallMs)),
    },
    tokens: { input, output, perTrial: shareOf(input + output, results.length) ?? 0 },
    usd: Math.round(sum(({ usd }) => usd) * 1e9) / 1e9, // billionths, as they are counted
    modelCalls: sum(({ modelCalls }) => modelCalls),
    unpricedCalls: sum(({ unpricedCalls }) => unpricedCalls),
    overflow: {
      reported: sum(({ overflows }) => overflows),
      prevented: sum(({ overflowsPrevented }) => overflowsPrevented),
    },
    misoperation: {
      count: sum(({ misoperations }) => misoperations),
      of: sum(({ critical }) => critical),
      unapproved: sum(({ unapproved }) => unapproved),
    },
    invalidOutputs: sum(({ invalidOutputs }) => invalidOutputs),
    asked: sum(({ asked }) => asked),
  };
}

/** As far as every case has so many trials. */
function passHats(cases: readonly (readonly TrialResult[])[]): readonly number[] {
  const most = cases.length === 0 ? 0 : Math.min(...cases.map((results) => results.length));
  return Array.from({ length: most }, (_, index) => {
    const each = cases.map(
      (results) => passHat(results.filter(({ passed }) => passed).length, results.length, index + 1) ?? 0, // k ≤ trials
    );
    return each.reduce((total, value) => total + value, 0) / each.length;
  });
}

function shareOf(count: number, of: number): number | null {
  return of === 0 ? null : count / of;
}
