// Two runs beside one another, case by case. What is called worse is worse beyond noise, with the number of cases taken into
// account: of a hundred cases that did not change, some look worse by chance.
import { differences } from "../run-identity.ts";
import { bootstrapMean } from "./bootstrap.ts";
import type { CaseReport, EvalReport } from "./eval-report.ts";
import { type Interval, newcombeInterval, type Proportion, zForAll } from "./intervals.ts";

/** Of a case that both runs have. Differences are this run minus the other. */
export interface CaseComparison {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  readonly difference: number;
  /** Newcombe's, at 95 %, for this case by itself. */
  readonly interval: Interval;
  /** Beyond noise when all cases are looked at together; `unclear`: the difference may be chance. */
  readonly change: "worse" | "better" | "unclear" | "same";
  readonly tokens: { readonly before: number; readonly after: number };
  /** Per trial. */
  readonly usd: { readonly before: number; readonly after: number };
}

export interface Comparison {
  readonly before: EvalReport["run"];
  /** In words, what else differs between the two runs, and may be what made the difference; empty when nothing does. */
  readonly conditions: readonly string[];
  /** Mean over the cases that both have; the interval is a paired bootstrap's over cases, `null` of a single one. */
  readonly success: { readonly difference: number | null; readonly interval: Interval | null };
  /** Of tokens per trial, likewise. */
  readonly tokens: { readonly difference: number | null; readonly interval: Interval | null };
  readonly usd: { readonly before: number; readonly after: number };
  /** Those that got worse first. */
  readonly cases: readonly CaseComparison[];
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** Some case, or all together, got worse beyond noise. */
  readonly isWorse: boolean;
}

/** @param seed - of the bootstrap. */
export function compareReports(before: EvalReport, after: EvalReport, seed: number | string): Comparison {
  const pairs = after.cases.flatMap((each) => {
    const other = before.cases.find(({ name }) => name === each.name);
    return other && other.trials > 0 && each.trials > 0 ? [{ before: other, after: each }] : [];
  });
  const z = zForAll(pairs.length);
  const cases = pairs.map((pair) => compareCase(pair.before, pair.after, z)).sort(byWorse);
  const success = paired(
    cases.map(({ difference }) => difference),
    seed,
  );
  const names = new Set(pairs.map((pair) => pair.after.name));
  const sum = (of: (each: CaseComparison) => number): number =>
    cases.reduce((total, each) => total + of(each), 0);
  return {
    before: before.run,
    conditions: conditionsOf(before, after),
    success,
    tokens: paired(
      cases.map(({ tokens }) => tokens.after - tokens.before),
      seed,
    ),
    usd: { before: sum(({ usd }) => usd.before), after: sum(({ usd }) => usd.after) },
    cases,
    onlyBefore: before.cases.map(({ name }) => name).filter((name) => !names.has(name)),
    onlyAfter: after.cases.map(({ name }) => name).filter((name) => !names.has(name)),
    isWorse: cases.some(({ change }) => change === "worse") || (success.interval?.high ?? 0) < 0,
  };
}

function conditionsOf(before: EvalReport, after: EvalReport): readonly string[] {
  const [there, now] = [before, after].map(({ cases }) => Math.max(0, ...cases.map(({ trials }) => trials)));
  const ofTrials = there === now ? [] : [`the trials of a case (${there} there, ${now} now)`];
  return [...differences(before.run, after.run), ...ofTrials];
}

function compareCase(before: CaseReport, after: CaseReport, z: number): CaseComparison {
  const [from, to] = [proportionOf(before), proportionOf(after)];
  const difference = after.passed / after.trials - before.passed / before.trials;
  const strict = newcombeInterval(from, to, z);
  return {
    name: after.name,
    before: before.passed / before.trials,
    after: after.passed / after.trials,
    difference,
    interval: newcombeInterval(from, to),
    change: difference === 0 ? "same" : strict.high < 0 ? "worse" : strict.low > 0 ? "better" : "unclear",
    tokens: { before: before.tokens.perTrial, after: after.tokens.perTrial },
    usd: { before: before.usd / before.trials, after: after.usd / after.trials },
  };
}

function proportionOf({ passed, trials }: CaseReport): Proportion {
  return { count: passed, of: trials };
}

function byWorse(one: CaseComparison, other: CaseComparison): number {
  const growth = ({ tokens }: CaseComparison): number => tokens.after - tokens.before;
  return one.difference - other.difference || growth(other) - growth(one);
}

function paired(differences: readonly number[], seed: number | string): Comparison["success"] {
  const sum = differences.reduce((total, each) => total + each, 0);
  return {
    difference: differences.length === 0 ? null : sum / differences.length,
    interval: bootstrapMean(differences, seed),
  };
}
