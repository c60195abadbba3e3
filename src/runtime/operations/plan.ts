// One file per kind of operation says what to do next for it, from the log alone. A crash anywhere therefore needs no
// code of its own: the next worker folds the log and asks for the plan again.
import type { Agent } from "../../core/agent.ts";
import {
  type EscalationReason,
  type EventBody,
  event,
  type LimitName,
  type VerdictKind,
} from "../../core/events.ts";
import type { RequestState, ThreadState } from "../../core/state.ts";
import type { Artifacts } from "../../core/thread-values.ts";
import type { TallyLimit } from "../../ports/store.ts";
import type { EffectFacts } from "../../ports/telemetry.ts";
import type { Runtime } from "../runtime.ts";
import type { ArtifactText, Facts } from "../stored.ts";
import { expired, openRequest, remindersDue } from "./request.ts";

export type Plan =
  /** Append these, then plan again. */
  | {
      readonly kind: "append";
      readonly events: readonly EventBody[];
      readonly artifacts?: readonly ArtifactText[];
    }
  | Perform
  /** Only people, a signal, a child, or the time can go on from here. */
  | { readonly kind: "wait" }
  /** Another effect of this thread has to end first. */
  | { readonly kind: "later" };

/** I3. An effect, its intent, and whether the intent must be durable before the effect starts. */
export interface Perform {
  readonly kind: "perform";
  readonly intent: readonly EventBody[];
  readonly intentFirst: boolean;
  /** Effects that are not `exclusive` may run beside others of the thread. */
  readonly exclusive: boolean;
  /** What sums of the day may be with the intent. Where one would be over, the store refuses it (`tally_exceeded`). */
  readonly limits?: readonly TallyLimit[];
  /** What telemetry is told of it; absent: nothing. */
  readonly about?: EffectFacts;
  /**
   * Turns every failure into events; it rejects only when the store fails, which ends the turn. It returns no events
   * when it was stopped and its outcome is for the recovery to find out.
   */
  readonly effect: (signal: AbortSignal) => Promise<Facts>;
}

export interface PlanContext {
  readonly runtime: Runtime;
  readonly agent: Agent;
  readonly state: ThreadState;
  readonly threadId: string;
  readonly input: unknown;
  /** Text of the large values that the log refers to. */
  readonly artifacts: Artifacts;
  /** Aborted when the turn is to stop: a plan that waits for the user's code waits no longer. */
  readonly signal: AbortSignal;
  /** An exclusive effect of this thread is under way. */
  readonly exclusiveRunning: boolean;
  /** Actions in doubt of which `verify` has just said that they did not happen. */
  readonly verifiedAbsent: Set<string>;
  /** By key: the sum of a day that kept an action from starting, as the store told. */
  readonly overLimit: Map<string, TallyTotal>;
  /** Actions whose run ignored its deadline, or the order to stop, and may still be going in this process. */
  readonly abandoned: Set<string>;
  /** Limits of the whole thread for which this round asks a person already. */
  readonly askedLimits?: Set<LimitName>;
}

/** The sum of a name on a day, without the action that was refused. */
export interface TallyTotal {
  readonly name: string;
  readonly day: string;
  readonly total: number;
}

export const wait: Plan = { kind: "wait" };

export function append(...events: readonly EventBody[]): Plan {
  return { kind: "append", events };
}

/** Milliseconds from `startedAt` to now; never negative, even when the clock was set back. */
export function elapsed(runtime: Runtime, startedAt: number): number {
  return Math.max(0, Math.round(runtime.clock.now() - startedAt));
}

export function isDue(runtime: Runtime, at: string): boolean {
  return Date.parse(at) <= runtime.clock.now();
}

/** Opens a request that no flow asked for: something went wrong, and a person says how to go on. */
export function escalate(
  context: PlanContext,
  key: string,
  reason: EscalationReason,
  why: string,
  question: string,
  choices: readonly VerdictKind[] = ["continue", "stop"],
): EventBody {
  return openRequest(context, key, {
    kind: "escalation",
    reason,
    why,
    question,
    choices,
  });
}

/** The plan for an escalation that was opened: wait, give up, or `null` to go on. */
export function afterEscalation(context: PlanContext, request: RequestState | null): Plan | null {
  if (
    request === null ||
    request.opened.kind !== "escalation" ||
    request.reason === "in_doubt" ||
    request.used
  )
    return null;
  if (request.status === "open") return expireOrWait(context, request);
  if (request.status === "expired") return append(stopped(`nobody answered in time: ${request.opened.why}`));
  const { verdict, decided } = request;
  if (verdict?.kind === "stop")
    return append(stopped(`${decided?.by} stopped it: ${verdict.why ?? request.opened.why}`));
  return null;
}

/** I6. A request past its deadline is closed; for an approval that is a rejection. Before, people may be reminded. */
export function expireOrWait(context: PlanContext, request: RequestState): Plan {
  const { expiresAt } = request.opened;
  if (expiresAt !== null && isDue(context.runtime, expiresAt)) return append(expired(request));
  const events = remindersDue(request, context.runtime.clock.now());
  return events.length === 0 ? wait : append(...events);
}

function stopped(message: string): EventBody {
  return event("thread_failed", { error: { code: "stopped_by_person", message } });
}

/**
 * When the next try is due: doubling from `baseMs`, a minute at most, and not before `leastMs`, with up to a quarter of
 * jitter, so that many threads do not come back at once.
 */
export function retryTime(runtime: Runtime, attempt: number, baseMs: number, leastMs = 0): string {
  const backoffMs = Math.max(leastMs, Math.min(60_000, baseMs * 2 ** (attempt - 1)));
  return new Date(runtime.clock.now() + Math.round(backoffMs * (1 + runtime.random() / 4))).toISOString();
}
