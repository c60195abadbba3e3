import { childIdFor } from "../../core/digest.ts";
import { isHoldpointError, toErrorInfo, withoutRaw } from "../../core/errors.ts";
import { type ChildOutcome, type EventBody, type EventOf, event } from "../../core/events.ts";
import type { PendingOperation } from "../../core/flow.ts";
import type { Operation } from "../../core/state.ts";
import { startThread } from "../commands.ts";
import { type Facts, facts, giveLess, noFacts, toStored } from "../stored.ts";
import { type Plan, type PlanContext, wait } from "./plan.ts";
import { requestersOf } from "./request.ts";

type ChildCall = Extract<PendingOperation, { kind: "call" }>;

/** A child's log is its own: the parent records that it started it, under an id that follows from the operation, and how it ended. */
export async function planCall(
  context: PlanContext,
  call: ChildCall,
  known: Operation | undefined,
): Promise<Plan> {
  const started = known?.child;
  if (!started) {
    const { stored, artifacts } = toStored(context.runtime, call.input, giveLess);
    const childId = childIdFor(context.threadId, call.key);
    const intent = event("child_started", { key: call.key, agent: call.agent, childId, input: stored });
    return { kind: "append", events: [intent], artifacts };
  }
  const child = (await context.runtime.store.threads({ threadId: started.childId })).rows[0];
  if (!child) return perform(() => startChild(context, call, started));
  if (child.status === "running" || child.status === "waiting") return wait;
  return perform(() => childEnded(context, started));
}

function perform(effect: () => Promise<Facts>): Plan {
  return { kind: "perform", intent: [], intentFirst: false, exclusive: false, effect };
}

async function startChild(
  context: PlanContext,
  call: ChildCall,
  started: EventOf<"child_started">,
): Promise<Facts> {
  try {
    await startThread(context.runtime, started.agent, call.input, {
      threadId: started.childId,
      by: `thread:${context.threadId}`,
      parent: { threadId: context.threadId, key: call.key },
      requesters: requestersOf(context.state),
    });
    return noFacts;
  } catch (error) {
    // The store is down, or this process cannot start the child: another time, or another worker.
    const isOurFault =
      isHoldpointError(error) &&
      (error.retryable || error.code === "agent_not_found" || error.code === "check_failed");
    if (isOurFault) throw error;
    const outcome: ChildOutcome = { status: "failed", error: toErrorInfo(error, "child_failed") };
    return facts(event("child_completed", { key: call.key, childId: started.childId, outcome }));
  }
}

async function childEnded(context: PlanContext, started: EventOf<"child_started">): Promise<Facts> {
  const events = await context.runtime.store.read(started.childId);
  const outcome = events.map(outcomeOf).findLast((found) => found !== null);
  return outcome
    ? facts(event("child_completed", { key: started.key, childId: started.childId, outcome }))
    : noFacts;
}

function outcomeOf(end: EventBody): ChildOutcome | null {
  switch (end.type) {
    case "thread_completed":
      return { status: "completed", ...end.output };
    case "thread_failed":
      return { status: "failed", error: withoutRaw(end.error) };
    case "thread_cancelled":
      return {
        status: "cancelled",
        error: { code: "child_failed", message: `cancelled by ${end.by}: ${end.why}` },
      };
    default:
      return null;
  }
}
