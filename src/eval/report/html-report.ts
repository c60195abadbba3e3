// One page that needs nothing else: no script, no font, no picture from elsewhere. All that came out of suites and logs goes
// through `shownText`, and is escaped by `html`.
import { type Html, html } from "../../core/html.ts";
import type { Comparison } from "../figures/comparison.ts";
import type { EvalFigures, EvalReport, TrialResult } from "../figures/eval-report.ts";
import { differenceChart, passHatChart, successChart, tokenChart } from "./charts.ts";
import { formatMs, formatShare, formatUsd, shownText, signed } from "./format-report.ts";
import { style } from "./style.ts";

/** @param show - the command that shows a thread. */
export function htmlReport(
  report: EvalReport,
  comparison: Comparison | null,
  show: (threadId: string) => string,
): string {
  const { run, cases, total, minSuccess } = report;
  const failed = cases.flatMap(({ results }) => results.filter(({ passed }) => !passed));
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${shownText(run.suite)}: evaluation</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="verdict ${report.ok ? "good" : "bad"}">${report.ok ? "✓ passed" : "✗ failed"}</p>
<h1>${shownText(run.suite)}</h1>
<p class="facts">${facts(report)}</p>
</header>
${tiles(total, cases.length)}
<section><h2>Success by case</h2>
<p class="note">Share of trials that went as expected, with the 95 % interval (Wilson). The dashed line is what each case must reach, ${formatShare(minSuccess)}.</p>
<div class="chart">${successChart(cases, minSuccess)}</div></section>
${total.passHat.length > 1 ? passHatSection(total) : []}
<section><h2>Tokens by case</h2>
<p class="note">Input and output of all model calls, mean per trial.</p>
<div class="chart">${tokenChart(cases)}</div></section>
${comparison ? comparisonSection(comparison) : []}
${failed.length > 0 ? failedSection(failed, show) : []}
<section><h2>All figures</h2>${figuresTable(report)}</section>
<footer>Made by holdpoint eval. Times are those of the trials' clocks: waits for people and deadlines are passed over, and counted in wall time only.</footer>
</body>
</html>
`;
  return page.html;
}

function facts({ run }: EvalReport): Html {
  const agents = run.agents.map(({ name, version }) => `${name} ${version}`).join(", ");
  const parts = [
    agents,
    run.model === null ? "the agents' own models" : run.model,
    ...(run.prompt ? [`prompt ${run.prompt.name} (${run.prompt.version})`] : []),
    ...(run.faults === null ? [] : [`${formatShare(run.faults)} of model calls go wrong`]),
    `seed ${run.seed}`,
    `${run.createdAt.slice(0, 19).replace("T", " ")} UTC`,
  ];
  return html`${parts.map((part) => html`<span>${shownText(part)}</span>`)}`;
}

function tiles(total: EvalFigures, cases: number): Html {
  const { success, passHat, time, tokens, misoperation, overflow, invalidOutputs, asked, modelCalls } = total;
  const k = passHat.length;
  const tile = (name: string, value: string, more: string, isBad = false): Html =>
    html`<div class="tile"><p class="name">${name}</p><p class="value${isBad ? " bad" : ""}">${value}</p><p class="more">${more}</p></div>`;
  return html`<section class="tiles">
${tile("Success", success.rate === null ? "–" : formatShare(success.rate), `${total.passed} of ${total.trials} trials of ${cases} cases; with 95 % confidence ${Math.round(success.low * 100)} to ${formatShare(success.high)}`)}
${k > 1 ? [tile(`pass^${k}`, formatShare(passHat.at(-1) ?? 0), `all of ${k} trials of a case pass`)] : []}
${tile("Active time", time.active ? formatMs(time.active.p50) : "–", time.active ? `p50; p95 ${formatMs(time.active.p95)}, mean ${formatMs(time.active.mean)}` : "")}
${tile("Tokens per trial", Math.round(tokens.perTrial).toLocaleString("en"), `${tokens.input.toLocaleString("en")} in, ${tokens.output.toLocaleString("en")} out, ${modelCalls.toLocaleString("en")} calls`)}
${tile("Cost", shownCost(total), total.unpricedCalls > 0 ? `without ${total.unpricedCalls.toLocaleString("en")} calls of unknown price` : "of all trials")}
${tile("Misoperation", `${misoperation.count} of ${misoperation.of}`, `critical actions; ${misoperation.unapproved} without approval`, misoperation.count > 0)}
${tile("Context overflow", String(overflow.reported), `reported; ${overflow.prevented} windows shrunk before`)}
${tile("Asked people", String(asked), `${invalidOutputs} invalid outputs`)}
</section>`;
}

function passHatSection({ passHat }: EvalFigures): Html {
  return html`<section><h2>Reliability: pass^k</h2>
<p class="note">How likely it is that all of k trials of a case pass, mean over the cases.</p>
<div class="chart">${passHatChart(passHat)}</div></section>`;
}

function comparisonSection(comparison: Comparison): Html {
  const { before, success, tokens, cases, onlyBefore, onlyAfter, conditions } = comparison;
  const interval = success.interval;
  const range = interval
    ? `, 95 % ${signed(interval.low * 100)} to ${signed(interval.high * 100)} (paired by case)`
    : "";
  const only = (where: string, names: readonly string[]): readonly Html[] =>
    names.length === 0 ? [] : [html`<p class="note">${where}: ${shownText(names.join("; "))}</p>`];
  return html`<section><h2>Against the run of ${before.createdAt.slice(0, 19).replace("T", " ")}</h2>
<p class="note">That run: ${shownText(before.model ?? "the agents' own models")}${before.prompt ? shownText(`, prompt ${before.prompt.name}`) : ""}. Success ${signed((success.difference ?? 0) * 100)} percentage points${range}; tokens ${signed(tokens.difference ?? 0)} a trial. Worst first; the line is the 95 % interval (Newcombe) of each case by itself, and a case is called worse or better only where that holds with all cases in view.</p>
${conditions.length === 0 ? [] : [html`<p class="note">Between the two runs differ: ${shownText(conditions.join("; "))}. What is shown may be of that.</p>`]}
<div class="chart">${differenceChart(cases)}</div>
${only("Only in that run", onlyBefore)}${only("Only in this run", onlyAfter)}</section>`;
}

function failedSection(failed: readonly TrialResult[], show: (threadId: string) => string): Html {
  return html`<section><h2>Failed expectations</h2>
<div class="scroll"><table><thead><tr><th>case</th><th class="number">trial</th><th>what was not as expected, and the command that shows it</th></tr></thead><tbody>
${failed.map(
  ({
    case: name,
    trial,
    threadId,
    findings,
  }) => html`<tr><td>${shownText(name)}</td><td class="number">${trial}</td><td><ul>${findings.map(
    ({ rule, message, seq }) =>
      html`<li><code>${shownText(rule)}</code> ${shownText(message)}${seq === undefined ? "" : ` (event ${seq})`}</li>`,
  )}</ul><p class="show"><code>${shownText(show(threadId))}</code></p></td></tr>
`,
)}</tbody></table></div></section>`;
}

const columns: readonly (readonly [title: string, cell: (figures: EvalFigures) => string])[] = [
  ["passed", ({ passed, trials }) => `${passed}/${trials}`],
  ["success", ({ success }) => (success.rate === null ? "–" : formatShare(success.rate))],
  ["95 %", ({ success }) => `${Math.round(success.low * 100)} – ${formatShare(success.high)}`],
  ["active p50", ({ time }) => (time.active ? formatMs(time.active.p50) : "–")],
  ["p95", ({ time }) => (time.active ? formatMs(time.active.p95) : "–")],
  ["wall p50", ({ time }) => (time.wall ? formatMs(time.wall.p50) : "–")],
  ["p95", ({ time }) => (time.wall ? formatMs(time.wall.p95) : "–")],
  ["tokens", ({ tokens }) => Math.round(tokens.perTrial).toLocaleString("en")],
  ["cost", shownCost],
  ["overflows", ({ overflow }) => String(overflow.reported)],
  ["misoperation", ({ misoperation }) => `${misoperation.count}/${misoperation.of}`],
  ["invalid", ({ invalidOutputs }) => String(invalidOutputs)],
  ["asked", ({ asked }) => String(asked)],
];

/** Nothing known is not nothing paid. */
function shownCost({ usd, unpricedCalls }: EvalFigures): string {
  return usd === 0 && unpricedCalls > 0 ? "–" : formatUsd(usd);
}

function figuresTable({ cases, total }: EvalReport): Html {
  const row = (name: string, figures: EvalFigures): Html =>
    html`<tr><td>${shownText(name)}</td>${columns.map(([, cell]) => html`<td class="number">${cell(figures)}</td>`)}</tr>
`;
  return html`<div class="scroll"><table><thead><tr><th>case</th>${columns.map(([title]) => html`<th class="number">${title}</th>`)}</tr></thead><tbody>
${cases.map((each) => row(each.name, each))}</tbody><tfoot>${row("all", total)}</tfoot></table></div>`;
}
