// What `npm test` does on every tenth run and the soak test on all: the same checks, and the tables for the docs.
import { expect } from "vitest";
import type { Tape } from "../kit/tape.ts";
import { unbounded } from "../kit/window-run.ts";
import type { Counter, RunSettings } from "./run-settings.ts";
import { type BudgetSweep, sweepBudgets } from "./sweep-budget.ts";
import { showPrefixes, sweepPrefixes } from "./sweep-prefix.ts";
import { showTokens, sweepTokens } from "./sweep-tokens.ts";

const budgets = [2_000, 4_000, 8_000, 32_000] as const;

function budgetSettings(counter: Counter): readonly RunSettings[] {
  return [
    ...budgets.map((budget) => ({ around: "whole", counter, budget }) as const),
    ...budgets.map((budget) => ({ around: "history", counter, budget }) as const),
    // Every value over 4 KiB lies in the store, and not in its event.
    ...[2_000, 8_000].map(
      (budget) => ({ around: "history", counter, budget, artifactBytes: 4_096 }) as const,
    ),
    ...(["json", "text"] as const).map(
      (encoding) => ({ around: "history", counter, budget: 4_000, encoding }) as const,
    ),
  ];
}

export function sweepAllBudgets(tapes: readonly Tape[], counter: Counter): BudgetSweep {
  return sweepBudgets(tapes, budgetSettings(counter));
}

/** Issue 4, "Show": 0 windows over budget by either tokenizer, 0 unpaired, legal for every provider. */
export function expectWithinBudget({ faults }: BudgetSweep): void {
  expect.soft(few(faults.over), "windows over budget").toEqual([]);
  expect.soft(few(faults.illegal), "messages that a provider refuses").toEqual([]);
  expect.soft(few(faults.wronglyRefused), "runs refused for no reason").toEqual([]);
}

/** Issue 4, 4: calibrated by the usage that is reported, a window's own count is never under. */
export function expectCountedEnough({ faults }: BudgetSweep): void {
  expect.soft(few(faults.undercounted), "windows that were counted too low").toEqual([]);
}

/** Issue 4, "Show": within 2 points of the append-only ideal between compactions; as many breaks as compactions. */
export function checkPrefixes(tapes: readonly Tape[]): string {
  const settings: readonly RunSettings[] = [
    ...[8_000, 32_000].map((budget) => ({ around: "whole", counter: "estimate", budget }) as const),
    ...[2_000, 4_000].map((budget) => ({ around: "history", counter: "estimate", budget }) as const),
  ];
  const rows = sweepPrefixes(tapes, settings);
  const named = (row: RunSettings & { readonly source: string }): string =>
    `${row.source}, ${row.around} at ${row.budget}`;
  expect.soft(few(rows.flatMap(({ unequal }) => unequal)), "breaks that are no compactions").toEqual([]);
  for (const row of rows) {
    expect.soft(row.between, named(row)).toBeGreaterThanOrEqual(row.ownIdeal - 0.02);
    expect.soft(row.between, named(row)).toBeGreaterThanOrEqual(row.ideal - 0.02);
  }
  return showPrefixes(rows);
}

/** No claim but that a window never costs more than its budget times the calls: what a table shows. */
export function measureTokens(tapes: readonly Tape[]): string {
  const rows = [
    ...sweepTokens(tapes, "whole", [4_000, 8_000, 32_000, unbounded]),
    ...sweepTokens(tapes, "history", [4_000, 8_000, 32_000, unbounded]),
  ];
  for (const row of rows.filter(({ budget }) => budget !== null))
    expect.soft(row.largest, `${row.source} at ${row.budget}`).toBeLessThanOrEqual(row.budget ?? 0);
  return showTokens(rows);
}

/** The first of many. */
function few(faults: readonly string[]): readonly string[] {
  return faults.length <= 8 ? faults : [...faults.slice(0, 8), `… ${faults.length} in all`];
}
