import { type Html, html } from "../../core/html.ts";

/** The page's style: it holds no character that `html` would escape if it were a value. */
export const style: Html = html`
:root { color-scheme: light dark; --page: #f6f6f4; --card: #ffffff; --ink: #1b1b1a; --soft: #5d5c58; --line: #e2e1dc; --bar: #2f6fb3; --bad: #c2410c; --good: #22794a; --mark: #1b1b1a; --code: #f0efeb; }
@media (prefers-color-scheme: dark) { :root { --page: #161615; --card: #20201f; --ink: #ececea; --soft: #a3a29c; --line: #363634; --bar: #5b9bde; --bad: #f2854b; --good: #56b881; --mark: #ececea; --code: #2b2b29; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1060px; padding: 32px 20px 48px; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header { margin-bottom: 20px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 2px; }
p { margin: 0; }
.verdict { display: inline-block; font-weight: 600; font-size: 14px; margin-bottom: 6px; }
.good { color: var(--good); } .bad { color: var(--bad); }
.facts { color: var(--soft); font-size: 13.5px; } .facts span + span::before { content: " · "; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin-bottom: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(205px, 1fr)); gap: 18px 24px; }
.tile .name { color: var(--soft); font-size: 13px; } .tile .value { font-size: 25px; font-weight: 600; line-height: 1.3; } .tile .more { color: var(--soft); font-size: 12.5px; line-height: 1.4; }
.note { color: var(--soft); font-size: 13px; max-width: 80ch; overflow-wrap: anywhere; }
.chart, .scroll { overflow-x: auto; margin-top: 12px; }
svg { display: block; width: 100%; min-width: 660px; height: auto; font: 12.5px system-ui, sans-serif; }
.label { fill: var(--ink); } .amount { fill: var(--ink); font-variant-numeric: tabular-nums; white-space: pre; } .tick { fill: var(--soft); font-size: 11px; }
.grid { stroke: var(--line); stroke-width: 1; } .zero { stroke: var(--soft); stroke-width: 1.5; } .goal { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 4 3; }
path.bar { fill: var(--bar); } path.bar.bad { fill: var(--bad); } .whisker { stroke: var(--mark); stroke-width: 1.5; fill: none; opacity: 0.75; }
.dot { fill: var(--soft); stroke: var(--card); stroke-width: 2; } .dot.worse { fill: var(--bad); } .dot.better { fill: var(--good); }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; color: var(--soft); font-weight: 500; white-space: nowrap; } th, td { padding: 6px 8px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: anywhere; } .number { min-width: 0; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } tfoot td { font-weight: 600; border-bottom: 0; }
td:first-child { min-width: 180px; } ul { margin: 0; padding-left: 18px; } li + li { margin-top: 3px; }
code { font: 12px ui-monospace, monospace; background: var(--code); border-radius: 4px; padding: 1px 5px; } .show { margin-top: 6px; } .number + td { padding-left: 10px; }
footer { color: var(--soft); font-size: 12.5px; }
`;
