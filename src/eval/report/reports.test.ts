import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { compareReports } from "../figures/comparison.ts";
import { type EvalReport, evalReport, type TrialResult } from "../figures/eval-report.ts";
import { trialNumbers } from "../trial-numbers.ts";
import { htmlReport } from "./html-report.ts";
import { junitReport } from "./junit.ts";

/** Names and messages that would break out of where they are put, or that XML has no place for. */
const hostile = `"><script>alert(1)</script>]]>&amp;\u0000\u0007\u001b[31m\ud800\ufffe\u202e\n'{}`;

function reportOf(name: string, minSuccess = 1): EvalReport {
  const result = (trial: number, passed: boolean): TrialResult => ({
    case: name,
    trial,
    threadId: "th_1",
    agent: "desk",
    passed,
    outcome: "completed",
    findings: passed ? [] : [{ rule: `never[0] ${name}`, message: `it did ${name}` }],
    numbers: trialNumbers([]),
  });
  const run = {
    suite: name,
    digest: "d",
    agents: [{ name, version: name, digest: "" }],
    model: name,
    prompt: { name, version: name },
    faults: 0.3,
    seed: name,
    createdAt: "2026-01-01T00:00:00.000Z",
  };
  return evalReport(
    run,
    [name, "good"],
    [result(1, true), result(2, false), { ...result(1, true), case: "good" }],
    minSuccess,
  );
}

const show = (threadId: string): string => `holdpoint show ${threadId} --store '${hostile}'`;

describe("JUnit XML", () => {
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "", htmlEntities: false });

  it("is well-formed whatever names and messages hold", () => {
    const xml = junitReport(reportOf(hostile), show);
    expect(XMLValidator.validate(xml)).toBe(true);
    expect(xml).not.toMatch(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u);
    expect(xml).not.toContain("<script>");
    const { testsuites } = parser.parse(xml);
    expect(testsuites).toMatchObject({ tests: "2", failures: "1" });
    const [bad, good] = testsuites.testsuite.testcase;
    expect(bad.failure["#text"]).toContain("trial 2");
    expect(bad.failure).toMatchObject({ message: "1 of 2 trials passed" });
    expect(good).toMatchObject({ name: "good" });
    expect(good.failure).toBeUndefined();
  });

  it("keeps a case that reached its share as passed, and tells what failed in it", () => {
    const { testsuites } = parser.parse(junitReport(reportOf("flaky", 0.5), show));
    expect(testsuites.failures).toBe("0");
    expect(testsuites.testsuite.testcase[0]["system-out"]).toContain("never[0] flaky: it did flaky");
  });
});

describe("the page", () => {
  it("is one file that runs nothing, loads nothing and escapes what it is given", () => {
    const report = reportOf(hostile);
    const page = htmlReport(report, compareReports(report, report, 1), show);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|url\(|@import|https?:/i);
    expect(page).toContain("default-src 'none'");
    expect(page).toContain("&quot;&gt;&lt;script&gt;");
    expect(page).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}]/u);
    expect(page).toContain("holdpoint show th_1");
    for (const chart of ["Success rate", "Tokens per trial", "Difference of success"])
      expect(page).toContain(`aria-label="${chart}`);
    expect(page).toContain("prefers-color-scheme: dark");
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("says what else differs between two runs, so that injected faults are no gain", () => {
    const report = reportOf("desk");
    const before = { ...report, run: { ...report.run, faults: null, seed: hostile } };
    const page = htmlReport(report, compareReports(before, report, 1), show);
    expect(page).toContain("the rate of faults (null there, 0.3 now); the seed");
    expect(page).not.toContain("<script>");
    expect(htmlReport(report, compareReports(report, report, 1), show)).not.toContain("Between the two runs");
  });

  it("does not call a cost nothing when no price is known", () => {
    const report = reportOf("x");
    const unknown = { ...report, total: { ...report.total, unpricedCalls: 3 } };
    expect(htmlReport(report, null, show)).toContain('<p class="value">$0.00</p>');
    expect(htmlReport(unknown, null, show)).toContain(
      '<p class="value">–</p><p class="more">without 3 calls',
    );
  });

  it("stands without any trial", () => {
    const { run } = reportOf("x");
    expect(htmlReport(evalReport(run, ["none"], [], 1), null, show)).not.toMatch(/NaN|undefined|Infinity/);
  });
});
