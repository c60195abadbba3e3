import { isHoldpointError } from "../core/errors.ts";
import { agentsAtHand, isDue, noSuchAgent, unclaimedTeller } from "./agents-at-hand.ts";
import { createPace } from "./pace.ts";
import { createRunner, type Runner } from "./runner.ts";
import type { Runtime } from "./runtime.ts";

/** How often a worker looks for threads that are due: timers, and what other processes appended. */
const sweepMs = 500;
const sweepLimit = 500;
/**
 * Turns that begin in one turn of the event loop. What they do until they wait for the disk holds up everything else in
 * the process, such as a person's verdict: 256 at once, as many as a dispatcher hands over, took 60 to 100 ms of processor
 * time at a stretch; 4 take 11, and hardly more in all.
 */
const turnsAtOnce = 4;

export interface Worker {
  /** Stops taking threads, gives running effects the runtime's `graceMs`, and returns when all is given back. */
  close(): Promise<void>;
}

/**
 * Runs threads as they become due, until closed. Any number of workers may share a store, each with agents of its own: one
 * takes only threads whose agent it has, and tells `observe` of an agent whose threads nobody has taken for 30 s.
 */
export function startWorker(runtime: Runtime): Worker {
  const runner = createRunner(runtime);
  const stop = new AbortController();
  const pace = createPace(turnsAtOnce);
  runtime.dispatcher.consume(async (threadId, _message, signal) => {
    await pace();
    await runner.run(threadId, signal);
  });
  const sweeping = sweepUntil(runtime, stop.signal);
  return {
    async close() {
      stop.abort();
      await runtime.dispatcher.close();
      await Promise.all([sweeping, runner.close()]);
    },
  };
}

/** Sends a message for every thread that is due: what makes a dispatcher's loss cost nothing. */
async function sweep(runtime: Runtime): Promise<number | null> {
  const { threadIds, nextDueAt } = await runtime.store.due({
    now: runtime.clock.now(),
    limit: sweepLimit,
    agents: agentsAtHand(runtime),
  });
  for (const threadId of threadIds) await runtime.dispatcher.send(threadId, { id: "due" });
  return nextDueAt;
}

async function sweepUntil(runtime: Runtime, signal: AbortSignal): Promise<void> {
  const tellUnclaimed = unclaimedTeller(runtime);
  while (!signal.aborted) {
    try {
      await sweep(runtime);
      await tellUnclaimed();
    } catch (error) {
      if (!isHoldpointError(error)) throw error;
      runtime.observe({ kind: "problem", threadId: "", error });
    }
    await runtime.clock.sleep(sweepMs, signal);
  }
}

export interface SettleOptions {
  readonly signal: AbortSignal;
  /** Timers due within this time are waited for; others end the call. Default 60 s. */
  readonly patienceMs?: number;
}

/**
 * Runs these threads, and the children they start, until each has ended or waits for a person, a signal or a late
 * timer. It needs no dispatcher: what is due is read from the store.
 *
 * @throws `agent_not_found` for one that is due and whose agent is not here; what a turn rejects with.
 */
export async function settleThreads(
  runtime: Runtime,
  threadIds: readonly string[],
  options: SettleOptions,
): Promise<void> {
  const runner = createRunner(runtime);
  try {
    const ends = await Promise.allSettled(
      threadIds.map((threadId) => settleThread(runtime, runner, threadId, options)),
    );
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason; // the others have been run as far as they go
  } finally {
    await runner.close();
  }
}

async function settleThread(
  runtime: Runtime,
  runner: Runner,
  threadId: string,
  options: SettleOptions,
): Promise<void> {
  const { signal, patienceMs = 60_000 } = options;
  while (!signal.aborted) {
    const end = await runner.run(threadId, signal);
    if (end === "ended" || end === "stopped") return;
    const children = end === "no_agent" ? [] : await openChildren(runtime, threadId);
    await Promise.all(children.map((childId) => settleThread(runtime, runner, childId, options)));
    const row = (await runtime.store.threads({ threadId })).rows[0];
    const dueAt = row?.dueAt ?? null;
    if (!row || dueAt === null) return;
    if (end === "no_agent" && isDue(row, runtime.clock.now())) throw noSuchAgent(row);
    const waitMs = Date.parse(dueAt) - runtime.clock.now();
    if (waitMs > patienceMs) return;
    const pauseMs = Math.max(end === "busy" ? 100 : 0, Math.min(waitMs, 1_000));
    if (pauseMs > 0) await runtime.clock.sleep(pauseMs, signal);
  }
}

async function openChildren(runtime: Runtime, threadId: string): Promise<readonly string[]> {
  const page = await runtime.store.threads({ parentId: threadId, limit: 1_000 });
  return page.rows
    .filter((row) => row.status === "running" || row.status === "waiting")
    .map((row) => row.threadId);
}
