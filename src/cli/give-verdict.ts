// What approve, reject, answer and resolve have in common: record the verdict, then run the thread on.
import type { Command } from "commander";
import { type HoldpointError, isHoldpointError } from "../core/errors.ts";
import type { Verdict } from "../core/events.ts";
import type { RequestRow, Store } from "../ports/store.ts";
import { requestDocument, requestRow, threadDocument, threadRow } from "../runtime/thread-report.ts";
import { type Decided, decideRequest } from "../runtime/verdicts.ts";
import { loadAgents } from "./agent-library.ts";
import { type Context, withRuntime, withStore } from "./context.ts";
import { describeVerdict } from "./describe-event.ts";
import { describeReport } from "./describe-thread.ts";
import { type ExitCode, exitCodeOf } from "./exit-code.ts";
import { formatTime, line } from "./format.ts";
import { withNearIds } from "./near-ids.ts";
import { type RanOn, runOn } from "./run-on.ts";
import { type CommandResult, usageError } from "./screen.ts";

export interface RunOnOptions {
  /** False with `--no-run`. */
  readonly run: boolean;
}

export interface ManyOptions extends RunOnOptions {
  readonly thread?: string;
}

/** For commands that run a thread on. */
export function addNoRun(command: Command): Command {
  return command.option("--no-run", "only record it; a worker goes on with the thread");
}

/** For commands that decide several requests at once. */
export function addThread(command: Command): Command {
  return command.option("--thread <id>", "all open requests of this thread that can be decided so");
}

/**
 * Gives each of these requests the verdict, one after the other, and then runs their threads on. One that is refused
 * keeps none of the others from it.
 *
 * @throws `usage` for no request at all; what is wrong with the only one.
 */
export async function giveVerdicts(
  context: Context,
  requestIds: readonly string[],
  options: ManyOptions,
  verdict: Verdict,
): Promise<CommandResult> {
  const [only, ...others] = requestIds;
  if (options.thread === undefined && only !== undefined && others.length === 0)
    return giveVerdict(context, only, options, () => verdict);
  return withStore(context, "write", async (store) => {
    const ids = await requestsMeant(store, requestIds, options, verdict);
    const results: Result[] = [];
    for (const requestId of ids) results.push(await tryDecide(context, store, requestId, verdict));
    const threads = new Set(results.flatMap(({ decided }) => (decided ? [decided.request.threadId] : [])));
    const ranOn: RanOn[] = [];
    for (const threadId of threads) ranOn.push(await runOn(context, store, threadId, options.run));
    return verdictResults(context, results, ranOn);
  });
}

type Result =
  | { readonly requestId: string; readonly decided: Decided; readonly error?: never }
  | { readonly requestId: string; readonly error: HoldpointError; readonly decided?: never };

async function requestsMeant(
  store: Store,
  requestIds: readonly string[],
  { thread: threadId }: ManyOptions,
  verdict: Verdict,
): Promise<readonly string[]> {
  if (threadId === undefined && requestIds.length > 0) return [...new Set(requestIds)];
  if (threadId === undefined || requestIds.length > 0)
    throw usageError("give the ids of requests, or --thread", "`holdpoint inbox` lists both.");
  await withNearIds(store, { threadId }, () => threadRow(store, threadId));
  const { rows } = await store.requests({ threadId, status: "open", limit: 1_000 });
  const meant = rows.filter(({ opened }) => opened.choices.includes(verdict.kind));
  if (meant.length > 0) return meant.map(({ requestId }) => requestId);
  throw usageError(
    `thread ${threadId} has no open request that takes ${verdict.kind}`,
    "`holdpoint inbox` lists what is open.",
  );
}

async function tryDecide(
  context: Context,
  store: Store,
  requestId: string,
  verdict: Verdict,
): Promise<Result> {
  try {
    const decided = await withNearIds(store, { requestId }, () => decide(context, store, requestId, verdict));
    return { requestId, decided };
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    return { requestId, error };
  }
}

function verdictResults(
  context: Context,
  results: readonly Result[],
  ranOn: readonly RanOn[],
): CommandResult {
  const { paint } = context.screen;
  const refused = results.flatMap(({ error }) => (error ? [exitCodeOf(error)] : []));
  return {
    document: {
      results: results.map(({ requestId, decided, error }) =>
        decided
          ? { requestId, request: requestDocument(decided.request), first: decided.first }
          : { requestId, error: { code: error.code, message: error.message, fix: error.fix ?? null } },
      ),
      threads: ranOn.map(ranOnDocument),
    },
    lines: [
      ...results.map(({ requestId, decided, error }) =>
        decided
          ? decidedLine(context, decided)
          : `${paint("bold", line(requestId, 80))}  ${paint("red", "refused")} (${error.code}): ${line(error.message, 400)}`,
      ),
      ...ranOn.flatMap((ran) => ranOnLines(context, ran)),
    ],
    exitCode: refused[0] ?? ranOn.map((ran) => exitCodeAfter(context, ran)).find((code) => code !== 0) ?? 0,
  };
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
      roles: context.settings.roles,
      via: "cli",
      signal: context.signal,
    }),
  );
}

/** Of a vote, how many it takes; of a verdict, who gave it. */
function decidedLine({ screen: { paint } }: Context, { request, first }: Decided): string {
  const { requestId, verdict, votes, opened, by, via, decidedAt } = request;
  const before = first ? "" : "; that was so before";
  if (verdict === null)
    return `${paint("bold", requestId)}  ${paint("green", "approval recorded")}, ${votes.length} of ${opened.quorum ?? 1}${before}`;
  const who = `by ${line(by ?? "?", 80)} via ${line(via ?? "?", 40)} at ${formatTime(decidedAt ?? "")} UTC`;
  return `${paint("bold", requestId)}  ${describeVerdict(verdict, paint)} ${who}${before}`;
}

function verdictResult(context: Context, decided: Decided, ranOn: RanOn): CommandResult {
  const { request, first } = decided;
  return {
    document: { request: requestDocument(request), first, ...ranOnDocument(ranOn) },
    lines: [decidedLine(context, decided), ...ranOnLines(context, ranOn)],
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
  return [...(recorded ?? []), ...describeReport(context, report, problem?.missingAgent)];
}

/** 1 when the thread failed, unless a person has just stopped it; 3 when this process was told to stop before its end. */
export function exitCodeAfter({ signal }: Context, { report, problem }: RanOn, isStopped = false): ExitCode {
  if (problem) return problem.exitCode;
  if (report.row.status === "failed" && !isStopped) return 1;
  return signal.aborted && report.row.status === "running" ? 3 : 0;
}
