// I1. The one way to append to a thread from outside its turns: an append names the `seq` that was seen, and whoever
// loses a race reads again and decides again, so two deliveries of one command leave one event.
import { isAgentVoice } from "../core/approvers.ts";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import type { EventBody, ThreadEvent } from "../core/events.ts";
import { evolve } from "../core/evolve.ts";
import { initialState, type ThreadState } from "../core/state.ts";
import type { Runtime } from "./runtime.ts";
import type { ArtifactText } from "./stored.ts";

/** Loads, decides and appends until nobody came between. `decide` returning no events leaves everything as it is. */
export async function changeThread(
  runtime: Runtime,
  threadId: string,
  decide: (state: ThreadState) => readonly EventBody[],
): Promise<void> {
  for (;;) {
    const events = await runtime.store.read(threadId);
    if (events.length === 0) throw threadNotFound(threadId);
    const bodies = decide(events.reduce(evolve, initialState()));
    try {
      if (bodies.length > 0) await commit(runtime, threadId, events.length, bodies, []);
      return;
    } catch (error) {
      if (!isHoldpointError(error, "append_conflict")) throw error; // someone else went on: bounded by their progress
    }
  }
}

/** Appends, tells of it, and sends the thread to whoever runs it. @returns the events as the log has them. */
export async function commit(
  runtime: Runtime,
  threadId: string,
  expectedSeq: number,
  bodies: readonly EventBody[],
  artifacts: readonly ArtifactText[],
): Promise<readonly ThreadEvent[]> {
  const at = now(runtime);
  const events = bodies.map((body) => ({ body: runtime.redact.event(body), at }));
  await runtime.store.append({ threadId, expectedSeq, events, artifacts });
  const stored = events.map(
    ({ body }, index) => ({ ...body, seq: expectedSeq + index + 1, at }) as ThreadEvent,
  ); // the spread loses the union
  runtime.observe({ kind: "appended", threadId, events: stored });
  await runtime.dispatcher.send(threadId, { id: `after:${expectedSeq}` });
  return stored;
}

export function now(runtime: Runtime): string {
  return new Date(runtime.clock.now()).toISOString();
}

export function assertOpenThread(state: ThreadState, threadId: string): void {
  if (state.end === null) return;
  throw new HoldpointError(
    "thread_ended",
    `thread ${threadId} ended with ${state.end.type} at ${state.end.at}`,
    {
      fix: `Fork it before its end: holdpoint fork ${threadId} --at <seq>.`,
    },
  );
}

export function threadNotFound(threadId: string): HoldpointError {
  return new HoldpointError("thread_not_found", `there is no thread ${threadId}`, {
    fix: "`holdpoint threads` lists them.",
  });
}

/** People decide. @throws `not_an_approver` for a thread's or an agent's own voice. */
export function assertPerson(by: string): void {
  if (!isAgentVoice(by)) return;
  throw new HoldpointError("not_an_approver", `${by} is no person; an agent cannot decide a request`, {
    fix: "A person decides: `holdpoint inbox` says who may.",
  });
}
