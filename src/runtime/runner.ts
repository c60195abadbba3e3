import { evolve } from "../core/evolve.ts";
import { standingAgent } from "../core/standing.ts";
import type { ThreadState } from "../core/state.ts";
import { flowKey, initialState } from "../core/state.ts";
import type { Lease } from "../ports/store.ts";
import type { TurnEnd, TurnTelemetry } from "../ports/telemetry.ts";
import { agentsAtHand, isAtHand, namingThread, noSuchAgent } from "./agents-at-hand.ts";
import { artifactsOf } from "./artifacts.ts";
import type { TallyTotal } from "./operations/plan.ts";
import { openRequest } from "./operations/request.ts";
import type { Runtime } from "./runtime.ts";
import { createSession, type Session } from "./session.ts";

/** How often running threads look for what others appended (cancellation, verdicts), and renew their leases. */
const beatMs = 250;
/** So many workers in a row may die on a thread before a person is asked. */
const maxCrashes = 3;

export interface Runner {
  /**
   * Gives a thread one turn. `busy`: another worker has it. `no_agent`: its agent is not here, and it was left as it is.
   * Rejects when store or agent fail; the thread is then due again.
   */
  run(threadId: string, signal: AbortSignal): Promise<TurnEnd | "busy" | "no_agent">;
  close(): Promise<void>;
}

/** Runs turns of threads in this process, with one heartbeat for all of them. */
export function createRunner(runtime: Runtime): Runner {
  const sessions = new Set<Session>();
  const stop = new AbortController();
  const heartbeat = beatUntil(runtime, sessions, stop.signal);

  return {
    async run(threadId, signal) {
      const lease = await runtime.store.lease({
        threadId,
        owner: runtime.owner,
        ttlMs: runtime.leaseMs,
        now: runtime.clock.now(),
        agents: agentsAtHand(runtime),
      });
      if (!lease) return whyNot(runtime, threadId);
      try {
        return await turn(runtime, lease, sessions, signal);
      } catch (thrown) {
        const error = namingThread(thrown, threadId);
        runtime.observe({ kind: "problem", threadId, error });
        await giveBack(runtime, lease);
        throw error;
      }
    },
    async close() {
      stop.abort();
      await heartbeat;
    },
  };
}

async function whyNot(runtime: Runtime, threadId: string): Promise<"busy" | "no_agent"> {
  const row = (await runtime.store.threads({ threadId })).rows[0];
  return row && !isAtHand(runtime, row.agent) ? "no_agent" : "busy";
}

async function turn(
  runtime: Runtime,
  lease: Lease,
  sessions: Set<Session>,
  signal: AbortSignal,
): Promise<TurnEnd> {
  const { threadId } = lease;
  const events = await runtime.store.read(threadId);
  const state = events.reduce(evolve, initialState());
  if (state.started?.agent === standingAgent) return leaveAlone(runtime, lease, state);
  const agent = runtime.agents.get(state.started?.agent ?? "");
  if (!agent) throw noSuchAgent({ agent: state.started?.agent ?? "?", threadId }); // a store that knows no `agents`
  const artifacts = new Map(await artifactsOf(runtime.store, events));
  const input = inputOf(state, artifacts);
  if (lease.crashes >= maxCrashes && state.flowRequest?.status !== "open")
    await reportCrashes(runtime, lease, state);
  const clean = runtime.redact.value;
  const telemetry = runtime.telemetry?.startTurn({ threadId, agent, events, clean }) ?? null;
  const session = createSession({ runtime, agent, state, lease, artifacts, input, signal, telemetry });
  sessions.add(session);
  try {
    return await (telemetry ? toldRun(session, telemetry) : session.run());
  } finally {
    sessions.delete(session);
  }
}

async function toldRun(session: Session, telemetry: TurnTelemetry): Promise<TurnEnd> {
  try {
    const end = await telemetry.within(() => session.run());
    telemetry.end(end);
    return end;
  } catch (thrown) {
    telemetry.end({ thrown });
    throw thrown;
  }
}

/** A standing approval has nothing to run; it may be due after its rows were rebuilt, or a signal. */
async function leaveAlone(runtime: Runtime, lease: Lease, state: ThreadState): Promise<TurnEnd> {
  await runtime.store.release(lease, { now: runtime.clock.now(), parkedAt: state.head });
  return state.end ? "ended" : "parked";
}

function inputOf(state: ThreadState, artifacts: ReadonlyMap<string, string>): unknown {
  const stored = state.started?.input;
  if (!stored?.artifact) return stored?.value;
  return JSON.parse(artifacts.get(stored.artifact.digest) ?? "null");
}

/** A thread that kills its worker again and again would take every worker with it. */
async function reportCrashes(runtime: Runtime, lease: Lease, state: ThreadState): Promise<void> {
  const agent = runtime.agents.get(state.started?.agent ?? "");
  if (!agent || state.end) return;
  const context = {
    runtime,
    agent,
    state,
    threadId: lease.threadId,
    input: null,
    artifacts: new Map<string, string>(),
    signal: new AbortController().signal,
    exclusiveRunning: false,
    verifiedAbsent: new Set<string>(),
    overLimit: new Map<string, TallyTotal>(),
    abandoned: new Set<string>(),
  };
  const why = `${lease.crashes} workers in a row died while they ran this thread, without one event between`;
  const body = openRequest(context, flowKey, {
    kind: "escalation",
    reason: "crash_loop",
    why,
    question: "Look at the last operation (holdpoint show) and at memory limits, then continue or stop.",
    choices: ["continue", "stop"],
  });
  const at = new Date(runtime.clock.now()).toISOString();
  await runtime.store.append({
    threadId: lease.threadId,
    expectedSeq: state.head,
    events: [{ body, at }],
    lease,
  });
  evolve(state, { ...body, seq: state.head + 1, at } as Parameters<typeof evolve>[1]); // the spread loses the union
}

/** After a failure the thread is due again in a while: the fault may be the store's, the file's or the code's. */
async function giveBack(runtime: Runtime, lease: Lease): Promise<void> {
  try {
    await runtime.store.release(lease, { now: runtime.clock.now(), retryAt: runtime.clock.now() + 5_000 });
  } catch (error) {
    runtime.observe({ kind: "problem", threadId: lease.threadId, error });
  }
}

async function beatUntil(
  runtime: Runtime,
  sessions: ReadonlySet<Session>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await runtime.clock.sleep(beatMs, signal);
    const beats = [...sessions].map((session) => session.beat());
    for (const result of await Promise.allSettled(beats)) {
      if (result.status === "rejected")
        runtime.observe({ kind: "problem", threadId: "", error: result.reason });
    }
  }
}
