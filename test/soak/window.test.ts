// All recorded runs, at every budget, at every decision: what `test/window/` does with every tenth.
import { afterAll, describe, test } from "vitest";
import { hasTapes, readTapes, whyNoTapes } from "../kit/tape.ts";
import { once } from "../window/once.ts";
import { showBudgets } from "../window/sweep-budget.ts";
import {
  checkPrefixes,
  expectCountedEnough,
  expectWithinBudget,
  measureTokens,
  sweepAllBudgets,
} from "../window/window-measures.ts";

const printed: string[] = [];
afterAll(() => void process.stdout.write(printed.map((text) => `${text}\n\n`).join("")));

const tapes = once(readTapes);

describe.skipIf(!hasTapes)(`all recorded runs${whyNoTapes}`, () => {
  for (const counter of ["estimate", "exact"] as const) {
    const swept = once(() => sweepAllBudgets(tapes(), counter));

    test(`no window is over budget or illegal, whatever the budget, counted by the ${counter} counter`, () => {
      printed.push(`Windows of all runs\n${showBudgets(swept())}`);
      expectWithinBudget(swept());
    });

    test(`no window after a call is counted too low by the ${counter} counter`, () => {
      expectCountedEnough(swept());
    });
  }

  test("a window starts with the one before, until it is compacted", () => {
    printed.push(`Share of a call that the call before began with, in bytes\n${checkPrefixes(tapes())}`);
  });

  test("no call of a run is larger than its budget", () => {
    printed.push(`Input tokens of a run, by gpt-tokenizer\n${measureTokens(tapes())}`);
  });
});
