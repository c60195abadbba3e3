// The stored form of an event, and the chain over a log: link(0) = SHA-256(threadId), and link(n) = SHA-256 of link(n-1),
// n and the text of event n, with a line feed between. A changed, moved, removed or inserted event breaks it at its place.
import { hash } from "node:crypto";
import { HoldpointError } from "./errors.ts";
import type { EventBody, EventType, ThreadEvent } from "./events.ts";

/** Every event type with its current version. A newer one than these is refused, never guessed at. */
const currentVersions: { readonly [Type in EventType]: 1 } = {
  thread_started: 1,
  step_completed: 1,
  step_failed: 1,
  decision_made: 1,
  decision_rejected: 1,
  overflow_reported: 1,
  window_compacted: 1,
  note_added: 1,
  action_proposed: 1,
  action_denied: 1,
  action_started: 1,
  action_completed: 1,
  action_failed: 1,
  action_in_doubt: 1,
  action_flagged: 1,
  request_opened: 1,
  request_decided: 1,
  request_voted: 1,
  request_reminded: 1,
  request_escalated: 1,
  request_expired: 1,
  answer_accepted: 1,
  standing_used: 1,
  timer_set: 1,
  timer_fired: 1,
  wait_started: 1,
  signal_received: 1,
  child_started: 1,
  child_completed: 1,
  limit_reached: 1,
  operation_handled: 1,
  thread_completed: 1,
  thread_failed: 1,
  thread_cancelled: 1,
};

/** Every type of event that this version writes. */
export const currentEventTypes: readonly string[] = Object.keys(currentVersions);

/** JSON text of an event without its `seq`, which is its place. */
export function encodeEvent(body: EventBody, at: string): string {
  return JSON.stringify({ ...body, at });
}

/** @throws `store_corrupt` for text that is no event; `event_unknown` for an event of a newer Holdpoint. */
export function decodeEvent(text: string, seq: number, threadId: string): ThreadEvent {
  try {
    return eventFrom(JSON.parse(text), seq, threadId);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new HoldpointError("store_corrupt", `event ${seq} of thread ${threadId} is not JSON`, { cause });
  }
}

/** An event from its parsed text, which is changed in place. @throws as `decodeEvent` */
export function eventFrom(parsed: unknown, seq: number, threadId: string): ThreadEvent {
  if (!isEventShape(parsed)) {
    throw new HoldpointError(
      "store_corrupt",
      `event ${seq} of thread ${threadId} has no type, version or time`,
    );
  }
  if (!Object.hasOwn(currentVersions, parsed.type) || parsed.v !== 1) {
    throw new HoldpointError(
      "event_unknown",
      `event ${seq} of thread ${threadId} is "${parsed.type}" v${parsed.v}, which this version does not know`,
      { fix: "Run it with the newer Holdpoint that wrote it." },
    );
  }
  return Object.assign(parsed, { seq }) as unknown as ThreadEvent; // type and version checked; members are ours by the hash chain
}

function isEventShape(
  value: unknown,
): value is { readonly type: string; readonly v: number; readonly at: string } {
  if (typeof value !== "object" || value === null) return false;
  const { type, v, at } = value as { type?: unknown; v?: unknown; at?: unknown }; // any object may be asked for members
  return typeof type === "string" && typeof v === "number" && typeof at === "string";
}

/** The link before the first event, as 64 hex digits. */
export function chainStart(threadId: string): string {
  return hash("sha256", threadId);
}

/** The link of event `seq`. Strings, not bytes: one call of `hash` costs half of what a Hash object does. */
export function chainNext(previous: string, seq: number, text: string): string {
  return hash("sha256", `${previous}\n${seq}\n${text}`);
}
