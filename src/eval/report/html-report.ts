import type { Comparison } from "../figures/comparison.ts";
import type { EvalReport } from "../figures/eval-report.ts";

export function htmlReport(
  report: EvalReport,
  comparison: Comparison | null,
  show: (threadId: string) => string,
): string {
  return JSON.stringify([report, comparison, show("")]);
}
