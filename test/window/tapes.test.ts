// Recorded runs as threads, and what the window makes of every tenth of them; `test/soak/window.test.ts` takes all.
import { afterAll, describe, expect, test } from "vitest";
import { evolve } from "../../src/core/evolve.ts";
import { initialState } from "../../src/core/state.ts";
import { tokenEstimator } from "../../src/models/token-estimator.ts";
import { hasTapes, readTapes, whyNoTapes } from "../kit/tape.ts";
import { newLog, type Played, playTape } from "../kit/tape-log.ts";
import { windowAt } from "../kit/window-run.ts";
import { once } from "./once.ts";
import { showBudgets } from "./sweep-budget.ts";
import {
  checkPrefixes,
  expectCountedEnough,
  expectWithinBudget,
  measureTokens,
  sweepAllBudgets,
} from "./window-measures.ts";

const printed: string[] = [];
afterAll(() => void process.stdout.write(printed.map((text) => `${text}\n\n`).join("")));

const sample = once(() => readTapes(10));

describe.skipIf(!hasTapes)(`recorded runs${whyNoTapes}`, () => {
  test("are threads whose logs fold, and the same log gives the same window", () => {
    const all = readTapes();
    expect(all.length).toBe(340);
    const counts = { decisions: 0, calls: 0, replies: 0, events: 0 };
    for (const tape of all) {
      const log = newLog(tape, {});
      const offer = { tools: tape.tools, answer: null };
      const setup = { system: "s", input: tape.input, offer, budget: 8_000, count: tokenEstimator.count };
      const build = (state: typeof log.state) => windowAt(state, setup);
      let last: Played | undefined;
      for (last of playTape(tape, { build, reported: () => 1_000 }, log));
      const read = JSON.parse(JSON.stringify(log.events)) as typeof log.events;
      const again = windowAt(read.reduce(evolve, initialState()), setup);
      expect(last?.kind === "window" && last.window, tape.name).toEqual(again);
      counts.decisions += log.state.decisions;
      counts.events += log.events.length;
      for (const turn of tape.turns)
        if (turn.kind === "calls") counts.calls += turn.calls.length;
        else counts.replies += 1;
    }
    expect(counts).toEqual({ decisions: 3_778, calls: 1_982, replies: 1_799, events: 13_262 });
  });

  for (const counter of ["estimate", "exact"] as const) {
    const swept = once(() => sweepAllBudgets(sample(), counter));

    test(`no window is over budget or illegal, whatever the budget, counted by the ${counter} counter`, () => {
      printed.push(`every tenth run\n${showBudgets(swept())}`);
      expectWithinBudget(swept());
    });

    test(`no window after a call is counted too low by the ${counter} counter`, () => {
      expectCountedEnough(swept());
    });
  }

  test("a window starts with the one before, until it is compacted", () => {
    printed.push(`every tenth run\n${checkPrefixes(sample())}`);
  });

  test("no call of a run is larger than its budget", () => {
    printed.push(`every tenth run, input tokens of a run\n${measureTokens(sample())}`);
  });
});
