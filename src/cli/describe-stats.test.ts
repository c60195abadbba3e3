import { describe, expect, it } from "vitest";
import { type StatsInput, statsReport } from "../core/numbers/stats.ts";
import { describeStats, describeTrend } from "./describe-stats.ts";
import { statsCsv } from "./stats-csv.ts";

const day = 86_400_000;
const plain = (_style: string, text: string): string => text;

/** One thread on each day whose outcome is given; a day without one is left out. */
function input(outcomes: readonly ("completed" | "failed" | null)[], agentVersion = "1"): StatsInput {
  const rest = {
    accepted: null,
    wallMs: 5,
    waitingMs: 0,
    activeMs: 5,
    asked: 0,
    modelCalls: 0,
    unpricedCalls: 0,
  };
  return {
    threads: outcomes.flatMap((outcome, index) =>
      outcome === null
        ? []
        : [
            {
              agent: "a",
              agentVersion,
              endedAt: index * day,
              outcome,
              ...rest,
              inputTokens: 0,
              outputTokens: 0,
              nanoUsd: 0,
            },
          ],
    ),
    facts: [],
    answers: [],
  };
}

describe("a trend", () => {
  it("has a bar for each day, and a gap where there is nothing to say", () => {
    const report = statsReport(
      input(["completed", null, "failed", "completed"]),
      { from: 0, until: 4 * day },
      "day",
    );
    const lines = describeTrend(report.groups, plain);
    expect(lines).toContain("by day, 1970-01-01 to 1970-01-04");
    expect(lines).toContain("ended             █▁██  most 1");
    expect(lines).toContain("success           █ ▁█");
  });

  it("is left out for a single day", () => {
    expect(
      describeTrend(statsReport(input(["failed"]), { from: 0, until: day }, "day").groups, plain),
    ).toEqual([]);
  });
});

describe("CSV", () => {
  it("quotes text, lets none pass for a formula, and leaves empty what there is nothing of", () => {
    const report = statsReport(input(["failed"], '=1+"x",'), { from: 0, until: day }, "version");
    const [names = "", row = ""] = statsCsv(report);
    expect(row).toMatch(/^a,"'=1\+""x"",",,1,0,1,0,0,0,5,5,5,/);
    const misoperation = names.split(",").indexOf("misoperation_rate");
    expect(row.replace(/".*",/, "v,").split(",")[misoperation]).toBe("");
  });
});

describe("a cost", () => {
  const costLine = (usage: { modelCalls: number; unpricedCalls: number; nanoUsd: number }): string => {
    const { threads, ...rest } = input(["completed"]);
    const report = statsReport(
      { ...rest, threads: threads.map((thread) => ({ ...thread, ...usage })) },
      { from: 0, until: day },
    );
    return describeStats(report, plain).find((line) => line.startsWith("cost")) ?? "";
  };

  it.each([
    { modelCalls: 3, unpricedCalls: 0, nanoUsd: 2_500_000_000, says: /\s\$2\.50$/ },
    {
      modelCalls: 3,
      unpricedCalls: 1,
      nanoUsd: 2_500_000_000,
      says: /≥ \$2\.50 {2}without 1 call of a model whose/,
    },
    {
      modelCalls: 3,
      unpricedCalls: 3,
      nanoUsd: 0,
      says: /\s- {2}without 3 calls of models whose price is not known$/,
    },
  ])(
    "of $unpricedCalls of $modelCalls calls without a price is not told as less than it may be",
    ({ says, ...usage }) => {
      expect(costLine(usage)).toMatch(says);
    },
  );
});
