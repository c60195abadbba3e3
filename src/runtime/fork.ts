import { randomBytes } from "node:crypto";
import { HoldpointError } from "../core/errors.ts";
import { evolve } from "../core/evolve.ts";
import { forkedEvents } from "../core/forked-events.ts";
import { standingAgent } from "../core/standing.ts";
import { initialState, type ThreadState } from "../core/state.ts";
import type { Store } from "../ports/store.ts";
import { allTextsOf } from "./artifacts.ts";
import { now, threadNotFound } from "./change-thread.ts";
import { assertReady } from "./commands.ts";
import { logDamage } from "./log-damage.ts";
import { requestersOf } from "./operations/request.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Starts a thread with the first `at` events of another. Approvals that were not used up by then are asked for again,
 * since one approval starts one action (I5). A fork is a start: its reason to be `unchecked` is the runtime's, not the
 * origin's.
 *
 * @throws `thread_not_found`; `usage` when the thread has no such event; `check_failed` for an agent that is `unready` here;
 *   `store_corrupt` when one of those events is not what was appended.
 */
export async function forkThread(
  runtime: Runtime,
  threadId: string,
  options: { readonly at: number; readonly by: string },
): Promise<string> {
  const events = await runtime.store.read(threadId);
  if (events.length === 0) throw threadNotFound(threadId);
  if (!Number.isInteger(options.at) || options.at < 1 || options.at > events.length) {
    throw new HoldpointError(
      "usage",
      `thread ${threadId} has events 1 to ${events.length}; ${options.at} is none of them`,
      { fix: `Name one of them: \`holdpoint show ${threadId}\` numbers them.` },
    );
  }
  const started = events[0]?.type === "thread_started" ? events[0] : null;
  if (started?.agent === standingAgent) {
    throw new HoldpointError(
      "usage",
      `${threadId} is a standing approval; a fork would have its uses again`,
      {
        fix: "Grant another: `holdpoint standing grant`.",
      },
    );
  }
  if (started) assertReady(runtime, started.agent); // a fork is a start, too
  await assertSound(runtime.store, threadId, options.at);
  const copied = events.slice(0, options.at);
  const state = copied.reduce(evolve, initialState());
  assertNothingStarted(state, threadId, options.at);
  const forkId = `th_${randomBytes(8).toString("hex")}`;
  const texts = await allTextsOf(runtime.store, copied); // the origin may be removed any time
  const bodies = forkedEvents(copied, {
    ...options,
    threadId,
    forkId,
    requesters: requestersOf(state),
    unchecked: started ? runtime.unchecked.get(started.agent) : undefined,
    now: runtime.clock.now(),
  });
  await runtime.store.append({
    threadId: forkId,
    expectedSeq: 0,
    events: bodies.map((body) => ({ body, at: now(runtime) })),
    artifacts: [...texts].map(([digest, text]) => ({ digest, text })),
  });
  await runtime.dispatcher.send(forkId, { id: "started" });
  return forkId;
}

/** A fork has a chain of its own, which would vouch for events that nobody appended. What comes after `at` stays behind. */
async function assertSound(store: Store, threadId: string, at: number): Promise<void> {
  const problems = await logDamage(store, threadId);
  const problem = problems.find(({ seq }) => seq === null || seq <= at);
  if (!problem) return;
  throw new HoldpointError("store_corrupt", `thread ${threadId} cannot be forked: ${problem.message}`, {
    fix: `Run \`holdpoint verify ${threadId}\` to see what is wrong; fork before that event, or restore a backup.`,
  });
}

/** I5. A fork in the middle of an action would run it a second time under the same approval. */
function assertNothingStarted(state: ThreadState, threadId: string, at: number): void {
  for (const { key, start, settled } of state.operations.values()) {
    if (!start || settled) continue;
    throw new HoldpointError(
      "usage",
      `at event ${at} of thread ${threadId}, ${key} has started and not ended`,
      {
        fix: `Fork before event ${start.seq}, or after its end.`,
      },
    );
  }
}
