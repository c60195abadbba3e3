// I2. The one mapping from events to projections: a store applies it on append, and `verify` applies it again.
import { isAmount } from "./cumulative.ts";
import type { Count, EventBody, ThreadEvent } from "./events.ts";
import { nextRequestTime } from "./request-times.ts";

/** What one event changes in the projections. Absent members change nothing. */
export interface Delta {
  readonly outcome?: "completed" | "failed" | "cancelled";
  readonly decisions?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Something the thread now waits for, besides people. `dueAt: null` has no end of its own. */
  readonly waitOpened?: {
    readonly key: string;
    readonly dueAt: string | null;
    readonly signal: string | null;
  };
  readonly waitClosed?: string;
  /** Closes the open waits for this signal; when there are none, the next one never opens. */
  readonly signalled?: string;
  /** Added to the sums of the event's day. */
  readonly counted?: readonly { readonly name: string; readonly amount: number }[];
  /** `expiresAt` is when it next needs a turn: for a reminder, for more approvers, or at its deadline. */
  readonly requestOpened?: { readonly requestId: string; readonly expiresAt: string | null };
  /** An open request stands otherwise; without `expiresAt` its next time is the same. */
  readonly requestChanged?: { readonly requestId: string; readonly expiresAt?: string | null };
  readonly requestClosed?: { readonly requestId: string; readonly status: "decided" | "expired" };
}

export function projectionDelta(event: EventBody | ThreadEvent): Delta {
  switch (event.type) {
    case "thread_completed":
      return { outcome: "completed" };
    case "thread_failed":
      return { outcome: "failed" };
    case "thread_cancelled":
      return { outcome: "cancelled" };
    case "decision_made":
      return { decisions: 1, ...tokens(event), ...(event.attempt > 1 ? { waitClosed: event.key } : {}) };
    case "decision_rejected":
      return { ...tokens(event), ...retry(event.key, event.retryAt) };
    case "step_failed":
      return retry(event.key, event.retryAt);
    case "step_completed":
      return event.attempt > 1 ? { waitClosed: event.key } : {};
    case "action_started":
      return counted(event.counts ?? []);
    case "timer_set":
      return { waitOpened: { key: event.key, dueAt: event.dueAt, signal: null } };
    case "timer_fired":
      return { waitClosed: event.key };
    case "wait_started":
      return { waitOpened: { key: event.key, dueAt: event.expiresAt, signal: event.signal } };
    case "signal_received":
      return { signalled: event.signal };
    case "child_started":
      return { waitOpened: { key: event.key, dueAt: null, signal: null } };
    case "child_completed":
      return { waitClosed: event.key };
    case "request_opened":
      return { requestOpened: { requestId: event.requestId, expiresAt: nextRequestTime(event) } };
    case "request_decided":
      return { requestClosed: { requestId: event.requestId, status: "decided" } };
    case "request_voted":
      return { requestChanged: { requestId: event.requestId } };
    case "request_reminded":
    case "request_escalated":
      return { requestChanged: { requestId: event.requestId, expiresAt: event.nextAt } };
    case "request_expired":
      return { requestClosed: { requestId: event.requestId, status: "expired" } };
    default:
      return {};
  }
}

function tokens(event: {
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
}): Delta {
  return { inputTokens: event.usage.inputTokens, outputTokens: event.usage.outputTokens };
}

/** An amount that no gate gives would spoil the sums of others. */
function counted(counts: readonly Count[]): Delta {
  const perDay = counts.filter(({ per, amount }) => per === "day" && isAmount(amount));
  return perDay.length === 0 ? {} : { counted: perDay.map(({ name, amount }) => ({ name, amount })) };
}

function retry(key: string, retryAt: string | null): Delta {
  return retryAt === null ? { waitClosed: key } : { waitOpened: { key, dueAt: retryAt, signal: null } };
}

/** The first characters of a thread's input, for lists. */
export function titleOf(event: Extract<EventBody, { type: "thread_started" }>): string {
  const text = event.input.artifact?.preview ?? JSON.stringify(event.input.value) ?? "";
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
