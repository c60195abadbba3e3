// What approve, reject, answer and resolve have in common: record the verdict, then run the thread on.
import type { Command } from "commander";
import type { Verdict } from "../core/events.ts";
import type { RequestRow, Store } from "../ports/store.ts";
import { requestDocument, requestRow, threadDocument } from "../runtime/thread-report.ts";
import { type Decided, decideRequest } from "../runtime/verdicts.ts";
import { loadAgents } from "./agent-library.ts";
import { type Context, withRuntime, withStore } from "./context.ts";
import { describeVerdict } from "./describe-event.ts";
import { describeReport } from "./describe-thread.ts";
import type { ExitCode } from "./exit-code.ts";
import { formatTime, line } from "./format.ts";
import { withNearIds } from "./near-ids.ts";
import { type RanOn, runOn } from "./run-on.ts";
import type { CommandResult } from "./screen.ts";

export interface RunOnOptions {
  /** False with `--no-run`. */
  readonly run: boolean;
}

/** For commands that run a thread on. */
export function addNoRun(command: Command): Command {
  return command.option("--no-run", "only record it; a worker goes on with the thread");
}

/** Gives a request its verdict, and runs its thread on. `verdictFor` sees the request before. */
export async function giveVerdict(
  context: Context,
  requestId: string,
  options: RunOnOptions,
  verdictFor: (request: RequestRow) => Verdict | Promise<Verdict>,
): Promise<CommandResult> {
  return withStore(context, "write", async (store) => {
    const decided = await withNearIds(store, { requestId }, async () => {
      const request = await requestRow(store, requestId);
      return decide(context, store, requestId, await verdictFor(request));
    });
    const ranOn = await runOn(context, store, decided.request.threadId, options.run);
    return verdictResult(context, decided, ranOn);
  });
}

/** Only an edit needs the agent's code, which validates it: a verdict is recorded whatever state the code is in. */
async function decide(context: Context, store: Store, requestId: string, verdict: Verdict): Promise<Decided> {
  const agents = verdict.kind === "edit" ? (await loadAgents(context.settings)).agents : [];
  return withRuntime(context, { store, agents }, (runtime) =>
    decideRequest(runtime, requestId, {
      verdict,
      by: context.settings.principal,
      via: "cli",
      signal: context.signal,
    }),
  );
}

function verdictResult(context: Context, { request, first }: Decided, ranOn: RanOn): CommandResult {
  const { paint } = context.screen;
  const verdict = request.verdict === null ? request.status : describeVerdict(request.verdict, paint);
  const who = `by ${line(request.by ?? "?", 80)} via ${line(request.via ?? "?", 40)} at ${formatTime(request.decidedAt ?? "")} UTC`;
  const head = `${paint("bold", request.requestId)}  ${verdict} ${who}${first ? "" : "; that was so before"}`;
  return {
    document: { request: requestDocument(request), first, ...ranOnDocument(ranOn) },
    lines: [head, ...ranOnLines(context, ranOn)],
    exitCode: exitCodeAfter(context, ranOn, request.verdict?.kind === "stop"),
  };
}

/** What `--json` tells of the thread after the command. */
export function ranOnDocument({ report, problem }: RanOn): Readonly<Record<string, unknown>> {
  const ran = problem === null ? { ran: true } : { ran: false, whyNot: problem.why };
  return { thread: threadDocument(report), ...ran };
}

export function ranOnLines(context: Context, { report, problem }: RanOn): readonly string[] {
  const recorded = problem && [
    `Recorded, not run on here (${line(problem.why, 400)}): a worker goes on with it.`,
  ];
  return [...(recorded ?? []), ...describeReport(context, report)];
}

/** 1 when the thread failed, unless a person has just stopped it; 3 when this process was told to stop before its end. */
export function exitCodeAfter({ signal }: Context, { report, problem }: RanOn, isStopped = false): ExitCode {
  if (problem) return problem.exitCode;
  if (report.row.status === "failed" && !isStopped) return 1;
  return signal.aborted && report.row.status === "running" ? 3 : 0;
}
