// Requests in the fold: asked, voted on, decided, expired.
import type { EventOf, ThreadEvent } from "./events.ts";
import { existing, illegal, keepValue, operation, settle } from "./evolve-kit.ts";
import { flowKey, kindOfKey, type Operation, type RequestState, type ThreadState } from "./state.ts";

export function applyRequest(state: ThreadState, event: EventOf<"request_opened">): void {
  const request: RequestState = {
    opened: event,
    reason: event.reason,
    verdict: null,
    decided: null,
    status: "open",
    approvers: event.approvers,
    votes: [],
    reminded: 0,
    escalated: 0,
    used: false,
  };
  state.requests.set(event.requestId, request);
  if (event.key === flowKey) {
    state.flowRequest = request;
    state.flowRequests += 1;
    return;
  }
  const owner = operation(state, event);
  owner.request = request;
  owner.requests += 1;
}

export function applyVerdict(state: ThreadState, event: EventOf<"request_decided">): void {
  const request = openRequest(state, event);
  request.status = "decided";
  request.verdict = event.verdict;
  request.decided = event;
  if (event.key === flowKey) return;
  const owner = existing(state, event);
  if (event.verdict.kind === "continue") allowMore(state, owner, request);
  if (kindOfKey(event.key) === "ask") settleAsk(state, owner, event);
}

function allowMore(state: ThreadState, owner: Operation, request: RequestState): void {
  request.used = true;
  owner.invalidOutputs = 0;
  owner.modelFailures = 0;
  owner.overflows = 0;
  owner.overflow = null;
  owner.comebacks = [];
  owner.correction = null;
  owner.evidence = [];
  owner.lastError = null;
  owner.retryAt = null;
  if (request.reason === "overflow") state.contextLimits.clear(); // a person says that it may fit
  const scope = state.lastLimit.get(owner.key);
  if (request.reason === "limit" && scope !== undefined)
    state.allowances.set(scope, (state.allowances.get(scope) ?? 0) + 1);
}

/** What happens to a request while it is open. */
export function applyDeciders(
  state: ThreadState,
  event: EventOf<"request_voted"> | EventOf<"request_reminded"> | EventOf<"request_escalated">,
): void {
  const request = openRequest(state, event);
  request.approvers = event.deciders.approvers;
  request.votes = event.deciders.votes;
  if (event.type === "request_reminded") request.reminded = event.reminders;
  if (event.type === "request_escalated") request.escalated += 1;
}

/** An answer with a schema is settled when the flow has taken it (`answer_accepted`); any other at once. */
function settleAsk(state: ThreadState, owner: Operation, event: EventOf<"request_decided">): void {
  const { verdict, by } = event;
  const hasSchema = owner.request?.opened.answerSchema !== undefined;
  if (verdict.kind === "answer" && hasSchema) return;
  if (verdict.kind === "answer") keepValue(state, event, event.key, verdict);
  if (verdict.kind === "answer")
    settle(owner, event, { kind: "ask", result: { kind: "answered", value: verdict.value, by } });
  if (verdict.kind === "reject")
    settle(owner, event, { kind: "ask", result: { kind: "rejected", why: verdict.why, by } });
  state.notes.push({ seq: event.seq, kind: "ask", key: owner.key });
}

export function applyExpiry(state: ThreadState, event: EventOf<"request_expired">): void {
  const request = openRequest(state, event);
  request.status = "expired";
  if (event.key === flowKey) return;
  const owner = existing(state, event);
  if (kindOfKey(event.key) !== "ask" || owner.settled) return;
  settle(owner, event, { kind: "ask", result: { kind: "expired" } });
  state.notes.push({ seq: event.seq, kind: "ask", key: owner.key });
}

function openRequest(state: ThreadState, event: ThreadEvent & { readonly requestId: string }): RequestState {
  const request = state.requests.get(event.requestId);
  if (!request) throw illegal(event, `there is no request ${event.requestId}`);
  if (request.status !== "open") throw illegal(event, `request ${event.requestId} is ${request.status}`);
  return request;
}
