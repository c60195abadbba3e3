// JUnit XML, as the readers of CI services take it: a test case for each case, failed when it is under its threshold.
import { type CaseReport, type EvalReport, isReached, type TrialResult } from "../figures/eval-report.ts";

/** @param show - the command that shows a thread. */
export function junitReport(
  { run, cases, total, minSuccess }: EvalReport,
  show: (threadId: string) => string,
): string {
  const failures = cases.filter((each) => !isReached(each, minSuccess)).length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" time="${seconds(timeOf(cases))}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="holdpoint eval" ${counts}>`,
    `  <testsuite name="${attribute(run.suite)}" ${counts} skipped="0" timestamp="${attribute(run.createdAt.slice(0, 19))}">`,
    "    <properties>",
    ...properties({
      model: run.model ?? "the agents' own",
      seed: run.seed,
      trials: total.trials,
      passed: total.passed,
    }),
    "    </properties>",
    ...cases.flatMap((each) => testCase(run.suite, each, minSuccess, show)),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function properties(given: { readonly [name: string]: string | number }): readonly string[] {
  return Object.entries(given).map(
    ([name, value]) => `      <property name="${attribute(name)}" value="${attribute(String(value))}"/>`,
  );
}

function testCase(
  suite: string,
  each: CaseReport,
  minSuccess: number,
  show: (threadId: string) => string,
): readonly string[] {
  const { name, passed, trials, results } = each;
  const head = `    <testcase classname="${attribute(suite)}" name="${attribute(name)}" time="${seconds(timeOf([each]))}"`;
  if (passed === trials) return [`${head}/>`];
  const failed = results
    .filter((result) => !result.passed)
    .map((result) => describe(result, show))
    .join("\n\n");
  const message = attribute(`${passed} of ${trials} trials passed`);
  const told = isReached(each, minSuccess)
    ? `      <system-out>${content(failed)}</system-out>`
    : `      <failure type="expectation" message="${message}">${content(failed)}</failure>`;
  return [`${head}>`, told, "    </testcase>"];
}

function describe({ trial, threadId, findings }: TrialResult, show: (threadId: string) => string): string {
  return [
    `trial ${trial}`,
    ...findings.map(({ rule, message }) => `  ${rule}: ${message}`),
    `  ${show(threadId)}`,
  ].join("\n");
}

function timeOf(cases: readonly CaseReport[]): number {
  return cases.flatMap(({ results }) => results).reduce((sum, { numbers }) => sum + numbers.activeMs, 0);
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}

/** What XML 1.0 (section 2.2) has no place for, also escaped, is replaced by the character that says so. */
const noCharacter = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

const entities: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;", // of `]]>`, which text may not hold
  '"': "&quot;",
  "\t": "&#9;", // in attributes, readers would make spaces of these three
  "\n": "&#10;",
  "\r": "&#13;",
};

function content(text: string): string {
  return text.replace(noCharacter, "\ufffd").replace(/[&<>\r]/g, (character) => entities[character] ?? "");
}

function attribute(text: string): string {
  return text
    .replace(noCharacter, "\ufffd")
    .replace(/[&<>"\t\n\r]/g, (character) => entities[character] ?? "");
}
