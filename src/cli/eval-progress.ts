import type { TrialResult } from "../eval/figures/eval-report.ts";
import type { EvalProgress } from "../eval/run-eval.ts";
import { formatDuration, line } from "./format.ts";
import type { Screen } from "./screen.ts";

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;

/** On stderr a line for each trial that ended, and on a terminal how far it has come. */
export function showEvalProgress(screen: Screen, total: number): EvalProgress & { close(): void } {
  const startedAt = performance.now();
  const running = new Set<string>();
  const counts = { passed: 0, failed: 0, known: 0 };
  let frame = 0;
  const timer = screen.isLive ? setInterval(draw, frameMs) : null;
  timer?.unref();

  function draw(): void {
    frame += 1;
    const ended = counts.passed + counts.failed;
    const failed = counts.failed === 0 ? "" : `, ${screen.paintNotes("red", `${counts.failed} failed`)}`;
    screen.live(
      `${frames[frame % frames.length]} ${bar(ended / total)} ${ended} of ${total} trials${failed}  ${running.size} running  ${formatDuration(performance.now() - startedAt)}`,
    );
  }

  function tell({ passed, threadId, findings, ...result }: TrialResult): void {
    const name = `${line(result.case, 80)} #${result.trial}`;
    const mark = passed ? screen.paintNotes("green", "passed") : screen.paintNotes("red", "failed");
    const why = findings[0] ? `  ${line(`${findings[0].rule}: ${findings[0].message}`, 160)}` : "";
    screen.note(`${mark}  ${name}  ${screen.paintNotes("dim", threadId)}${why}`);
  }

  return {
    started: ({ threadId }) => void running.add(threadId),
    ended(result, isNew) {
      running.delete(result.threadId);
      counts[result.passed ? "passed" : "failed"] += 1;
      if (isNew) tell(result);
      else counts.known += 1;
    },
    close() {
      if (timer) clearInterval(timer);
      screen.live("");
      if (counts.known > 0) screen.note(`${counts.known} trials had ended before`);
    },
  };
}

function bar(share: number): string {
  const full = Math.round(share * 20);
  return `${"█".repeat(full)}${"░".repeat(20 - full)}`;
}
