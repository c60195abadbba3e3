import { standingAgent } from "../core/standing.ts";
import type { ThreadStatus } from "../ports/store.ts";
import type { ThreadReport, WaitReport } from "../runtime/thread-report.ts";
import type { Context } from "./context.ts";
import { describeError } from "./describe-event.ts";
import { describeRequest, type RequestView, requestView } from "./describe-request.ts";
import { formatCount, formatDistance, formatJson, formatTime, line, plural, shellWord } from "./format.ts";
import { ownCommand } from "./own-command.ts";
import type { Paint, Style } from "./screen.ts";

/** One line that names a thread and how it stands. */
export function describeHead({ row, state }: ThreadReport, paint: Paint): string {
  const parts = [
    paintStatus(row.status, paint),
    plural(row.headSeq, "event"),
    plural(row.decisions, "decision"),
    `${formatCount(row.inputTokens)} + ${formatCount(row.outputTokens)} tokens`,
    `started ${formatTime(row.createdAt)} UTC by ${line(state.started?.by ?? "?", 80)}`,
  ];
  return `${paint("bold", row.threadId)}  ${line(row.agent, 80)} ${line(row.agentVersion, 40)}  ${parts.join(", ")}`;
}

export function paintStatus(status: ThreadStatus, paint: Paint): string {
  const styles: { readonly [Status in ThreadStatus]: Style } = {
    running: "cyan",
    waiting: "yellow",
    completed: "green",
    failed: "red",
    cancelled: "red",
  };
  return paint(styles[status], status);
}

/**
 * A thread's head and outcome, as commands end that ran it.
 *
 * @param missingAgent The agent whose code was not at hand: who runs the thread on has to name its file.
 */
export function describeReport(
  context: Context,
  report: ThreadReport,
  missingAgent?: string,
): readonly string[] {
  const outcome = describeOutcome(report, requestView(context), { agent: missingAgent });
  return [describeHead(report, context.screen.paint), ...outcome];
}

/** What a process that shows a thread lacks to run it on. */
export interface Missing {
  /** What `describeMissing` gave. */
  readonly lines?: readonly string[];
  /** The agent whose code was not at hand: who runs the thread on has to name its file. */
  readonly agent?: string | undefined;
}

/** How a thread ended, or what it waits for and how to go on. */
export function describeOutcome(
  report: ThreadReport,
  view: RequestView,
  { lines: missing = [], agent: missingAgent }: Missing = {},
): readonly string[] {
  const { row, output, error, requests, waits } = report;
  switch (row.status) {
    case "completed":
      return typeof output === "string"
        ? output.split("\n").map((text) => line(text, 100_000))
        : [formatJson(output, 100_000)];
    case "failed":
      return [
        describeError(error ?? { code: "internal", message: "it failed" }),
        ...describeFix(error?.fix, view.paint),
      ];
    case "cancelled":
      return [line(error?.message ?? "", 400)];
    case "waiting":
      return describeWaiting(requests, waits, { view, missing });
    case "running":
      if (row.agent === standingAgent)
        return [
          "A standing approval, which no worker runs. To end it:",
          view.paint("cyan", ownCommand(`standing revoke ${row.threadId} --why '…'${view.sameOptions}`)),
        ];
      if (missing.length > 0) return missing;
      return [
        row.dueAt !== null && Date.parse(row.dueAt) > view.now
          ? `A worker has it. Should that have died, another may take it from ${formatTime(row.dueAt)} UTC on (${formatDistance(row.dueAt, view.now)}):`
          : "It is due: a worker takes it.",
        view.paint("cyan", ownCommand(`worker --once${view.sameOptions}${fileOf(missingAgent)}`)),
      ];
    default:
      return row.status satisfies never;
  }
}

function fileOf(agent: string | undefined): string {
  return agent === undefined ? "" : ` --agent <file of ${line(agent, 80)}>`;
}

function describeFix(fix: string | undefined, paint: Paint): readonly string[] {
  return fix === undefined ? [] : [`${paint("cyan", "→")} ${line(fix, 400)}`];
}

function describeWaiting(
  requests: ThreadReport["requests"],
  waits: readonly WaitReport[],
  { view, missing }: { readonly view: RequestView; readonly missing: readonly string[] },
): readonly string[] {
  const shown = waits.filter((wait) => wait.kind !== "child").flatMap((wait) => describeWait(wait, view));
  const people = requests.flatMap((request) => describeRequest(request, view));
  if (shown.length + people.length > 0)
    return ["Waiting for:", ...[...people, ...shown].map((text) => `  ${text}`), ...missing];
  return missing.length > 0
    ? missing
    : ["It waits for a child that is about to start or to end: a worker goes on with it."];
}

function describeWait(
  wait: Exclude<WaitReport, { kind: "child" }>,
  { paint, now, sameOptions }: RequestView,
): readonly string[] {
  const when =
    wait.dueAt === null ? "" : `${formatTime(wait.dueAt)} UTC (${formatDistance(wait.dueAt, now)})`;
  const head = paint("bold", line(wait.key, 200));
  switch (wait.kind) {
    case "timer":
      return [`${head}  the time, until ${when}; a worker goes on then`];
    case "retry":
      return [`${head}  its next try at ${when}; a worker makes it`];
    case "signal": {
      const command = ownCommand(
        `signal ${wait.threadId} ${line(shellWord(wait.signal), 400)} '{…}'${sameOptions}`,
      );
      return [
        `${head}  the signal ${line(wait.signal, 80)}${when === "" ? "" : ` until ${when}`}`,
        `    ${paint("cyan", command)}`,
      ];
    }
    default:
      return wait satisfies never;
  }
}
