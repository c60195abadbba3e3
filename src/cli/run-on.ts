import { type Principal, whyNotApprover } from "../core/approvers.ts";
import { isHoldpointError } from "../core/errors.ts";
import type { Channel } from "../ports/channel.ts";
import type { RequestRow, Store } from "../ports/store.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { isOver, reportThread, type ThreadReport, threadRow } from "../runtime/thread-report.ts";
import { decideRequest } from "../runtime/verdicts.ts";
import { settleThreads } from "../runtime/worker.ts";
import { type AgentLibrary, agentNotFound, loadAgents } from "./agent-library.ts";
import { type Context, withRuntime } from "./context.ts";
import { type ExitCode, exitCodeOf } from "./exit-code.ts";
import { type Progress, showProgress } from "./progress.ts";

/** Timers and retries that are due within this time are waited for; for later ones there are workers. */
const patienceMs = 60_000;
/** How often a thread that another process runs, or a request that is being asked, is looked at again. */
const pollMs = 250;

/** Runs a thread and its children until it ends or waits; with a channel, people are asked at once. */
export async function runThread(
  runtime: Runtime,
  threadId: string,
  options: RunOptions,
): Promise<ThreadReport> {
  const { signal } = options;
  const asked = new Set<string>();
  for (;;) {
    await settleThreads(runtime, [threadId], { signal, patienceMs: 0 });
    const report = await reportThread(runtime.store, threadId);
    if (signal.aborted || isOver(report.row.status)) return report;
    if (
      await askAll(
        runtime,
        report.requests.filter((request) => !asked.has(request.requestId)),
        asked,
        options,
      )
    )
      continue;
    const waitMs = timeToNextTurn(runtime, report);
    if (waitMs === null || waitMs > patienceMs) return report;
    await runtime.clock.sleep(Math.min(waitMs, 1_000), signal);
  }
}

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Absent: nobody is asked, and the thread parks. */
  readonly channel?: Channel;
  /** Who sits at the channel: asked only what they may decide. Default: whoever it is, they are asked. */
  readonly principal?: Principal;
}

/** `null`: only people and signals can go on from here. */
function timeToNextTurn(runtime: Runtime, report: ThreadReport): number | null {
  const times = allReports(report).flatMap(({ row, waits, requests }) => {
    const ownWaits = waits.filter((wait) => wait.threadId === row.threadId).map((wait) => wait.dueAt);
    const ownDeadlines = requests
      .filter((request) => request.threadId === row.threadId)
      .map((request) => request.dueAt);
    const isParked = row.dueAt === null || [...ownWaits, ...ownDeadlines].includes(row.dueAt);
    if (!isParked) return [runtime.clock.now() + pollMs]; // due now, or in the hands of another worker
    return ownWaits.filter((at) => at !== null).map((at) => Date.parse(at));
  });
  return times.length === 0 ? null : Math.max(0, Math.min(...times) - runtime.clock.now());
}

function allReports(report: ThreadReport): readonly ThreadReport[] {
  return [report, ...report.children.flatMap(allReports)];
}

/** True when there is news: a verdict, or a refused one after which the request is asked again. */
async function askAll(
  runtime: Runtime,
  requests: readonly RequestRow[],
  asked: Set<string>,
  options: RunOptions,
): Promise<boolean> {
  const { channel, progress, signal } = options;
  if (!channel) return false;
  let isNews = false;
  progress.pause();
  try {
    for (const request of requests) {
      if (signal.aborted) break;
      if (isForOthers(request, options)) {
        asked.add(request.requestId);
        continue;
      }
      const answer = await askOne(runtime, request, channel, options);
      if (answer === "later") asked.add(request.requestId);
      else isNews = true;
    }
  } finally {
    progress.resume();
  }
  return isNews;
}

/** They would be refused; the report says who may decide. */
function isForOthers({ opened, approvers }: RequestRow, { principal }: RunOptions): boolean {
  return principal !== undefined && whyNotApprover(opened, approvers, principal) !== null;
}

async function askOne(
  runtime: Runtime,
  request: RequestRow,
  channel: Channel,
  { signal, progress }: RunOptions,
): Promise<"decided" | "refused" | "later"> {
  const elsewhere = new AbortController();
  const watching = watchRequest(runtime, request.requestId, elsewhere);
  try {
    const given = await channel.ask(request, AbortSignal.any([signal, elsewhere.signal]));
    if (!given) return elsewhere.signal.aborted ? "decided" : "later";
    const decided = await decideRequest(runtime, request.requestId, { ...given, via: channel.name });
    return decided.request.status === "open" ? "later" : "decided"; // others have to approve as well
  } catch (error) {
    if (!isHoldpointError(error, "request_already_decided", "verdict_invalid", "not_an_approver"))
      throw error;
    progress.refused(error);
    return error.code === "not_an_approver" ? "later" : "refused";
  } finally {
    elsewhere.abort();
    await watching;
  }
}

/** Aborts `elsewhere` once the request is no longer open, so that nobody is kept at a question that is settled. */
async function watchRequest(runtime: Runtime, requestId: string, elsewhere: AbortController): Promise<void> {
  while (!elsewhere.signal.aborted) {
    await runtime.clock.sleep(pollMs * 4, elsewhere.signal);
    const row = (await runtime.store.requests({ requestId })).rows[0];
    if (row?.status !== "open") elsewhere.abort();
  }
}

/** What became of a thread after a command that changed it. */
export interface RanOn {
  readonly report: ThreadReport;
  /** What kept it from being run here to where it waits or ends; `null` when nothing did. */
  readonly problem: RunOnProblem | null;
}

interface RunOnProblem {
  readonly why: string;
  readonly exitCode: ExitCode;
  /** The agent whose code is not at hand, when that is why. */
  readonly missingAgent?: string;
}

/**
 * After a verdict or a signal is recorded: runs the thread on in this process, with the parents that wait for it, as
 * far as their agents' code is at hand. What is not run here, a worker goes on with; what was recorded, stands.
 */
export async function runOn(
  context: Context,
  store: Store,
  threadId: string,
  isWanted: boolean,
): Promise<RanOn> {
  const problem = isWanted
    ? await tryRunOn(context, store, threadId)
    : { why: "--no-run", exitCode: 0 as const };
  return { report: await reportThread(store, threadId), problem };
}

async function tryRunOn(context: Context, store: Store, threadId: string): Promise<RanOn["problem"]> {
  try {
    const library = await loadAgents(context.settings);
    const rootId = await rootWithCode(store, threadId, library);
    if (rootId !== null) return await runRoot(context, store, rootId, library);
    const { agent } = await threadRow(store, threadId);
    return { why: agentNotFound(agent, library).message, exitCode: 0, missingAgent: agent };
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    return { why: error.message, exitCode: exitCodeOf(error) };
  }
}

async function runRoot(context: Context, store: Store, rootId: string, library: AgentLibrary): Promise<null> {
  const { screen, signal } = context;
  const progress = showProgress(screen, { withThreads: false });
  try {
    const { agents } = library;
    await withRuntime(context, { store, agents, observe: progress.observe }, (runtime) =>
      runThread(runtime, rootId, { signal, progress }),
    );
    return null;
  } finally {
    progress.close();
  }
}

/** The outermost parent that waits, over this thread, whose code is at hand; `null` when this thread's own is not. */
async function rootWithCode(store: Store, threadId: string, library: AgentLibrary): Promise<string | null> {
  let rootId: string | null = null;
  for (let id: string | null = threadId; id !== null; ) {
    const row = await threadRow(store, id);
    if (!library.agents.some((agent) => agent.name === row.agent)) break;
    rootId = id;
    id = row.parentId;
  }
  return rootId;
}
