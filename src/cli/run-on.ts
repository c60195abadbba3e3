import { isHoldpointError } from "../core/errors.ts";
import type { Channel } from "../ports/channel.ts";
import type { RequestRow, Store } from "../ports/store.ts";
import { decideRequest } from "../runtime/commands.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { settleThreads } from "../runtime/worker.ts";
import { type AgentLibrary, agentNotFound, loadAgents } from "./agent-library.ts";
import { type Context, withRuntime } from "./context.ts";
import { type Progress, showProgress } from "./progress.ts";
import { isOver, reportThread, type ThreadReport, threadRow } from "./thread-report.ts";

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
}

/** `null`: only people and signals can go on from here. */
function timeToNextTurn(runtime: Runtime, report: ThreadReport): number | null {
  const times = allReports(report).flatMap(({ row, waits, requests }) => {
    const ownWaits = waits.filter((wait) => wait.threadId === row.threadId).map((wait) => wait.dueAt);
    const ownDeadlines = requests
      .filter((request) => request.threadId === row.threadId)
      .map((request) => request.opened.expiresAt);
    const isParked = row.dueAt === null || [...ownWaits, ...ownDeadlines].includes(row.dueAt);
    if (!isParked) return [runtime.clock.now() + pollMs]; // due now, or in the hands of another worker
    return ownWaits.filter((at) => at !== null).map((at) => Date.parse(at));
  });
  return times.length === 0 ? null : Math.max(0, Math.min(...times) - runtime.clock.now());
}

function allReports(report: ThreadReport): readonly ThreadReport[] {
  return [report, ...report.children.flatMap(allReports)];
}

/** True when a verdict was given, by the person here or meanwhile by another. */
async function askAll(
  runtime: Runtime,
  requests: readonly RequestRow[],
  asked: Set<string>,
  options: RunOptions,
): Promise<boolean> {
  const { channel, progress, signal } = options;
  if (!channel) return false;
  let isDecided = false;
  progress.pause();
  try {
    for (const request of requests) {
      if (signal.aborted) break;
      asked.add(request.requestId);
      isDecided = (await askOne(runtime, request, channel, signal)) || isDecided;
    }
  } finally {
    progress.resume();
  }
  return isDecided;
}

async function askOne(
  runtime: Runtime,
  request: RequestRow,
  channel: Channel,
  signal: AbortSignal,
): Promise<boolean> {
  const elsewhere = new AbortController();
  const watching = watchRequest(runtime, request.requestId, elsewhere);
  try {
    const given = await channel.ask(request, AbortSignal.any([signal, elsewhere.signal]));
    if (!given) return elsewhere.signal.aborted;
    await decideRequest(runtime, request.requestId, { ...given, via: channel.name });
    return true;
  } catch (error) {
    if (!isHoldpointError(error, "request_already_decided", "verdict_invalid")) throw error;
    runtime.observe({ kind: "problem", threadId: request.threadId, error });
    return true; // it is asked again elsewhere: what stands there is read anew
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
  readonly ran: boolean;
  /** Why it was not run here. */
  readonly whyNot: string | null;
}

/**
 * After a verdict or a signal is recorded: runs the thread on in this process, with the parents that wait for it, as
 * far as their agents' code is at hand. What is not run here, a worker goes on with.
 */
export async function runOn(
  context: Context,
  store: Store,
  threadId: string,
  wanted: boolean,
): Promise<RanOn> {
  if (!wanted) return { report: await reportThread(store, threadId), ran: false, whyNot: "--no-run" };
  const { screen, signal } = context;
  const library = await loadAgents(context.settings);
  const rootId = await rootWithCode(store, threadId, library);
  if (rootId === null) {
    const { agent } = await threadRow(store, threadId);
    const { message } = agentNotFound(agent, library);
    return { report: await reportThread(store, threadId), ran: false, whyNot: message };
  }
  const progress = showProgress(screen, { withThreads: false });
  try {
    await withRuntime(context, { store, agents: library.agents, observe: progress.observe }, (runtime) =>
      runThread(runtime, rootId, { signal, progress }),
    );
  } finally {
    progress.close();
  }
  return { report: await reportThread(store, threadId), ran: true, whyNot: null };
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
