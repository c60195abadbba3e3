import type { Finding, FindingArea, FindingLevel } from "../core/check/finding.ts";
import { formatPath, line, plural } from "./format.ts";
import { spellCommands } from "./own-command.ts";
import type { Paint, Style } from "./screen.ts";

const areas: readonly FindingArea[] = ["prompt", "window", "control flow", "tools"];
const levels: readonly FindingLevel[] = ["error", "warning", "note"];
const styles: { readonly [Level in FindingLevel]: Style } = { error: "red", warning: "yellow", note: "dim" };

/** By area, the worst first. */
export function describeFindings(findings: readonly Finding[], paint: Paint): readonly string[] {
  return areas.flatMap((area) => {
    const own = levels.flatMap((level) =>
      findings.filter((each) => each.area === area && each.level === level),
    );
    if (own.length === 0) return [`  ${paint("green", "✓")} ${area}`];
    return [`  ${paint("bold", area)}`, ...own.flatMap((finding) => describeFinding(finding, paint))];
  });
}

function describeFinding(finding: Finding, paint: Paint): readonly string[] {
  const { code, level, message, why, fix, where } = finding;
  const place = where ? `  ${formatPath(where.file)}:${where.line}` : "";
  return [
    `    ${paint(styles[level], level)} ${code}: ${line(message, 500)}${place}`,
    `      ${spellCommands(line(why, 500))}`,
    `      ${paint("cyan", "→")} ${spellCommands(line(fix, 500))}`,
  ];
}

/** `1 error, 2 warnings, 0 notes`. */
export function countFindings(findings: readonly Finding[]): string {
  return levels
    .map((level) => plural(findings.filter((each) => each.level === level).length, level))
    .join(", ");
}
