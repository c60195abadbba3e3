// Charts as inline SVG: colours come from the page's style, so that they follow its light and dark scheme.
import { type Html, html } from "../../core/html.ts";
import type { CaseComparison } from "../figures/comparison.ts";
import { type CaseReport, isReached } from "../figures/eval-report.ts";
import { formatShare, shownText, signed } from "./format-report.ts";

/** In units of the drawing. */
const width = 860;
const labelWidth = 300;
const valueWidth = 130;
const rowHeight = 28;
const barHeight = 14;
const top = 24;
/** So many characters of a label fit; the whole of it is the tooltip. */
const labelLength = 38;
/** More rows would make a page that nobody reads: the table has all. */
const maxRows = 200;

const plotLeft = labelWidth + 12;
const plotWidth = width - plotLeft - valueWidth;

interface Row {
  readonly label: string;
  readonly value: string;
  readonly mark: (y: number) => Html;
}

/** Rows under one another, with a grid behind. `x` places a tick. */
function rowChart(
  name: string,
  rows: readonly Row[],
  ticks: readonly (readonly [x: number, label: string])[],
  behind: Html | null = null,
): Html {
  const shown = rows.slice(0, maxRows);
  const height = top + shown.length * rowHeight + 6;
  const bottom = height - 4;
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}">
${ticks.map(([x, label]) => html`<line class="grid" x1="${x}" x2="${x}" y1="${top - 4}" y2="${bottom}"/><text class="tick" x="${x}" y="${top - 10}" text-anchor="middle">${label}</text>`)}
${behind ? [behind] : []}
${shown.map((row, index) => {
  const y = top + index * rowHeight + rowHeight / 2;
  return html`<g><title>${shownText(row.label)}: ${row.value}</title><text class="label" x="${labelWidth}" y="${y + 4}" text-anchor="end">${shortened(row.label)}</text>${row.mark(y)}<text class="amount" x="${width - valueWidth + 12}" y="${y + 4}">${row.value}</text></g>
`;
})}</svg>${rows.length > maxRows ? [html`<p class="note">and ${rows.length - maxRows} more cases, in the table</p>`] : []}`;
}

/** By characters, and not by halves of them. */
function shortened(label: string): string {
  const characters = [...shownText(label)];
  return characters.length <= labelLength
    ? characters.join("")
    : `${characters.slice(0, labelLength - 1).join("")}…`;
}

export function successChart(cases: readonly CaseReport[], minSuccess: number): Html {
  const x = (share: number): number => rounded(plotLeft + share * plotWidth);
  const rows = cases.map((each): Row => {
    const { name, success, passed, trials } = each;
    const rate = success.rate ?? 0;
    return {
      label: name,
      value: `${formatShare(rate)}  ${passed}/${trials}`,
      mark: (y) =>
        html`${bar(x(0), x(rate), y, isReached(each, minSuccess) ? "bar" : "bar bad")}${whisker(x(success.low), x(success.high), y)}`,
    };
  });
  const goal = html`<line class="goal" x1="${x(minSuccess)}" x2="${x(minSuccess)}" y1="${top - 4}" y2="${top + Math.min(rows.length, maxRows) * rowHeight + 2}"/>`;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => [x(share), formatShare(share)] as const);
  return rowChart("Success rate of each case with its 95 % interval", rows, ticks, goal);
}

export function tokenChart(cases: readonly CaseReport[]): Html {
  const most = roundUp(Math.max(1, ...cases.map(({ tokens }) => tokens.perTrial)));
  const x = (tokens: number): number => rounded(plotLeft + (tokens / most) * plotWidth);
  const rows = cases.map(({ name, tokens }): Row => {
    return {
      label: name,
      value: Math.round(tokens.perTrial).toLocaleString("en"),
      mark: (y) => bar(x(0), x(tokens.perTrial), y, "bar"),
    };
  });
  const ticks = [0, 0.5, 1].map((part) => [x(most * part), (most * part).toLocaleString("en")] as const);
  return rowChart("Tokens per trial of each case", rows, ticks);
}

/** Of one to eight values, evenly chosen; the first and the last are among them. */
export function passHatChart(passHat: readonly number[]): Html {
  const most = Math.min(8, passHat.length);
  const chosen = Array.from({ length: most }, (_, index) =>
    Math.round((index * (passHat.length - 1)) / Math.max(1, most - 1)),
  );
  const x = (share: number): number => rounded(plotLeft + share * plotWidth);
  const rows = chosen.map((index): Row => {
    const value = passHat[index] ?? 0;
    return {
      label: `k = ${index + 1}`,
      value: formatShare(value),
      mark: (y) => bar(x(0), x(value), y, "bar"),
    };
  });
  return rowChart(
    "pass^k by k",
    rows,
    [0, 0.25, 0.5, 0.75, 1].map((share) => [x(share), formatShare(share)] as const),
  );
}

export function differenceChart(cases: readonly CaseComparison[]): Html {
  const x = (difference: number): number => rounded(plotLeft + ((difference + 1) / 2) * plotWidth);
  const rows = cases.map(({ name, before, after, difference, interval, change }): Row => {
    return {
      label: name,
      value: `${formatShare(before)} → ${formatShare(after)}`,
      mark: (y) =>
        html`${whisker(x(interval.low), x(interval.high), y)}<circle class="dot ${change}" cx="${x(difference)}" cy="${y}" r="6"><title>${signed(difference * 100)} points: ${change}</title></circle>`,
    };
  });
  const zero = html`<line class="zero" x1="${x(0)}" x2="${x(0)}" y1="${top - 4}" y2="${top + Math.min(rows.length, maxRows) * rowHeight + 2}"/>`;
  const ticks = [-1, -0.5, 0, 0.5, 1].map((part) => [x(part), signed(part * 100)] as const);
  return rowChart("Difference of success of each case, in percentage points", rows, ticks, zero);
}

/** Square where it begins and round where it ends; nothing for no length. */
function bar(from: number, to: number, y: number, name: string): Html {
  const length = rounded(to - from);
  if (length <= 0) return html``;
  const round = Math.min(4, length);
  const [upper, lower] = [y - barHeight / 2, y + barHeight / 2];
  return html`<path class="${name}" d="M${from} ${upper}H${rounded(to - round)}Q${to} ${upper} ${to} ${upper + round}V${lower - round}Q${to} ${lower} ${rounded(to - round)} ${lower}H${from}Z"/>`;
}

function whisker(from: number, to: number, y: number): Html {
  return html`<path class="whisker" d="M${from} ${y}H${to}M${from} ${y - 4}V${y + 4}M${to} ${y - 4}V${y + 4}"/>`;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The next of 1, 2, 5, 10, 20, 50 and so on. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}
