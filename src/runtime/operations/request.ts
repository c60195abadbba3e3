// The request as one durable object: all that a person needs to decide, and all that says who may, is recorded when it
// is opened, and what happens to it after that in events of its own.
import { soundApprovers } from "../../core/approvers.ts";
import { requestIdFor } from "../../core/digest.ts";
import { type Deciders, type EventBody, type EventOf, event } from "../../core/events.ts";
import { dueBy, nextRequestTime, type TimesDone } from "../../core/request-times.ts";
import { soFar } from "../../core/so-far.ts";
import { flowKey, type RequestState, type ThreadState } from "../../core/state.ts";
import type { PlanContext } from "./plan.ts";

type Opened = Omit<EventOf<"request_opened">, "type" | "v" | "seq" | "at">;
type Policy = "approvers" | "quorum" | "requesters" | "requesterMayDecide" | "remindAt" | "escalateAt";

/** What is asked. Who may decide, and by when, follows from the gate unless it is said here. */
export type RequestToOpen = Omit<Opened, Policy | "requestId" | "key" | "expiresAt" | "soFar"> & {
  readonly approvers?: readonly string[];
  readonly requesterMayDecide?: boolean | undefined;
  /** `null`: it stays open. Default: the gate's. */
  readonly expiresInMs?: number | null;
};

/** Opens a request of an operation; its id follows from the thread, the key and how many there were before. */
export function openRequest(
  context: PlanContext,
  key: string,
  request: RequestToOpen,
): Extract<EventBody, { type: "request_opened" }> {
  const { expiresInMs = context.agent.gate.expiresInMs, approvers, requesterMayDecide, ...rest } = request;
  const { state, threadId } = context;
  const before = key === flowKey ? state.flowRequests : (state.operations.get(key)?.requests ?? 0);
  const did = soFar(state, key);
  return event("request_opened", {
    requestId: requestIdFor(threadId, key, before + 1),
    key,
    ...whoDecides(context, { kind: rest.kind, approvers, requesterMayDecide }),
    ...timesOf(context, expiresInMs),
    ...rest,
    ...(did.length === 0 ? {} : { soFar: did }),
  });
}

interface WhoAsks {
  readonly kind: Opened["kind"];
  readonly approvers: readonly string[] | undefined;
  readonly requesterMayDecide: boolean | undefined;
}

function whoDecides(
  { agent: { gate }, state }: PlanContext,
  { kind, approvers: given, requesterMayDecide: may }: WhoAsks,
): Pick<Opened, "approvers" | "quorum" | "requesters" | "requesterMayDecide"> {
  const approvers = given === undefined ? gate.approvers : soundApprovers(given, "the request");
  const requesters = requestersOf(state);
  return {
    approvers,
    ...(kind === "approval" && gate.quorum > 1 ? { quorum: gate.quorum } : {}),
    ...(requesters.length === 0
      ? {}
      : { requesters, requesterMayDecide: may ?? gate.requesterMayDecide ?? approvers.length === 0 }),
  };
}

/** Who started the work: of a child, who started its root; of a fork, both who forked and who started the origin. */
export function requestersOf({ started }: ThreadState): readonly string[] {
  if (!started) return [];
  const isOwn = !started.by.startsWith("thread:");
  return [...new Set([...(isOwn ? [started.by] : []), ...(started.requesters ?? [])])];
}

/** Reminders and escalations that would come at the deadline or after it never come. */
function timesOf(
  { agent: { gate }, runtime }: PlanContext,
  expiresInMs: number | null,
): Pick<Opened, "expiresAt" | "remindAt" | "escalateAt"> {
  const now = runtime.clock.now();
  const at = (afterMs: number): string => new Date(now + afterMs).toISOString();
  const isBefore = (afterMs: number): boolean => expiresInMs === null || afterMs < expiresInMs;
  const remindAt = gate.remindAfterMs.filter(isBefore).map(at);
  const escalateAt = gate.escalate
    .filter(({ afterMs }) => isBefore(afterMs))
    .map(({ afterMs, to }) => ({ at: at(afterMs), to }));
  return {
    expiresAt: expiresInMs === null ? null : at(expiresInMs),
    ...(remindAt.length === 0 ? {} : { remindAt }),
    ...(escalateAt.length === 0 ? {} : { escalateAt }),
  };
}

/** What is due of an open request's reminders and escalations; reminders that were missed together are one. */
export function remindersDue(request: RequestState, now: number): readonly EventBody[] {
  const { opened } = request;
  const { requestId, key, escalateAt = [] } = opened;
  const due = dueBy(opened, now);
  const done: TimesDone = {
    reminded: Math.max(due.reminded, request.reminded),
    escalated: Math.max(due.escalated, request.escalated),
  };
  const nextAt = nextRequestTime(opened, done);
  let deciders = decidersOf(request);
  const events: EventBody[] = [];
  for (const { to } of escalateAt.slice(request.escalated, done.escalated)) {
    deciders = { ...deciders, approvers: withMore(deciders.approvers, to) };
    events.push(event("request_escalated", { requestId, key, to, nextAt, deciders }));
  }
  if (done.reminded > request.reminded) {
    const reminders = done.reminded;
    events.push(event("request_reminded", { requestId, key, reminders, nextAt, deciders }));
  }
  return events;
}

/** Where anybody may decide, nobody need be added, and a list would only shut others out. */
function withMore(approvers: readonly string[], to: readonly string[]): readonly string[] {
  return approvers.length === 0 ? approvers : [...new Set([...approvers, ...to])];
}

export function expired(request: RequestState): EventBody {
  const { requestId, key } = request.opened;
  const isAsOpened = request.votes.length === 0 && request.escalated === 0;
  return event("request_expired", {
    requestId,
    key,
    ...(isAsOpened ? {} : { deciders: decidersOf(request) }),
  });
}

function decidersOf({ approvers, votes }: RequestState): Deciders {
  return { approvers, votes };
}
