// Workers with different agents share a store. A thread whose agent is not here is another worker's: it is neither leased
// nor put off, and a person is told of it only when nobody takes it.
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { standingAgent } from "../core/standing.ts";
import type { ThreadRow } from "../ports/store.ts";
import type { Runtime } from "./runtime.ts";

/** So long a thread is due before it counts as taken by nobody, in milliseconds; and so often a worker looks. */
const unclaimedMs = 30_000;
/** How many due threads are looked at: those that are due longest are the ones that nobody takes. */
const lookLimit = 100;

/** Any process may put a standing approval back: there is nothing to run. */
export function isAtHand(runtime: Runtime, agent: string): boolean {
  return agent === standingAgent || runtime.agents.has(agent);
}

/** The agents whose threads this process takes. */
export function agentsAtHand(runtime: Runtime): readonly string[] {
  return [...runtime.agents.keys(), standingAgent];
}

export function isDue({ dueAt }: ThreadRow, now: number): boolean {
  return dueAt !== null && Date.parse(dueAt) <= now;
}

/** Threads, of the `limit` that are due longest, whose agent this process does not have. */
export async function dueElsewhere(runtime: Runtime, limit: number): Promise<readonly ThreadRow[]> {
  const now = runtime.clock.now();
  const { threadIds } = await runtime.store.due({ now, limit });
  const pages = await Promise.all(threadIds.map((threadId) => runtime.store.threads({ threadId })));
  return pages.flatMap((page) => page.rows).filter((row) => isDue(row, now) && !isAtHand(runtime, row.agent));
}

/** For a worker's rounds: tells of threads that no worker has taken for a while, once for each agent. */
export function unclaimedTeller(runtime: Runtime): () => Promise<void> {
  const told = new Set<string>();
  let lookedAt = runtime.clock.now();

  return async () => {
    const now = runtime.clock.now();
    if (now - lookedAt < unclaimedMs) return;
    lookedAt = now;
    for (const row of await dueElsewhere(runtime, lookLimit)) {
      if (!isDue(row, now - unclaimedMs) || told.has(row.agent)) continue;
      told.add(row.agent);
      runtime.observe({ kind: "problem", threadId: row.threadId, error: noSuchAgent(row) });
    }
  };
}

/** A thread may call an agent that is not here: such an error is told with the thread that cannot go on. */
export function namingThread(error: unknown, threadId: string): unknown {
  if (!isHoldpointError(error, "agent_not_found") || error.details?.threadId !== undefined) return error;
  return new HoldpointError("agent_not_found", `thread ${threadId} cannot go on here: ${error.message}`, {
    fix: `Start one worker with its agent's file and with the file of the agent that it calls: \`holdpoint worker --agent <file> --agent <file>\`. If there is no such agent: \`holdpoint cancel ${threadId} --why …\`.`,
    details: { threadId },
    cause: error,
  });
}

/** A thread that this process cannot run at all. */
export function noSuchAgent({ agent, threadId }: Pick<ThreadRow, "agent" | "threadId">): HoldpointError {
  return new HoldpointError(
    "agent_not_found",
    `thread ${threadId} is due, and is of agent "${agent}", which this process does not have`,
    {
      fix: `Start a worker with that agent's file: \`holdpoint worker --agent <file>\`. If there is none any more: \`holdpoint cancel ${threadId} --why …\`.`,
      details: { threadId },
    },
  );
}
