import { checkApprovers } from "./check-approvers.ts";
import { checkGate } from "./check-gate.ts";
import { checkLimits } from "./check-limits.ts";
import { checkPrompt } from "./check-prompt.ts";
import { checkTools } from "./check-tools.ts";
import { checkWindow } from "./check-window.ts";
import type { CheckContext, Finding } from "./finding.ts";

/** The four areas, in their order. */
const checks: readonly ((context: CheckContext) => readonly Finding[])[] = [
  checkPrompt,
  checkWindow,
  checkLimits,
  checkGate,
  checkApprovers,
  checkTools,
];

/** What Holdpoint's own checks find. Pure: nothing is called but what a definition holds and calls pure itself. */
export function runChecks(context: CheckContext): readonly Finding[] {
  return checks.flatMap((check) => check(context));
}
