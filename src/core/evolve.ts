// I2. A thread's state is `events.reduce(evolve, initialState())`. `evolve` owns the state it is given and changes it
// in place: a fold over n events then costs n, not n². Nobody else writes to a state.
import { HoldpointError } from "./errors.ts";
import type { EventOf, Stored, ThreadEvent } from "./events.ts";
import type { ActionResult, WaitResult } from "./flow.ts";
import {
  type ActionEnd,
  flowKey,
  initialOperation,
  kindOfKey,
  type Operation,
  type Outcome,
  type RequestState,
  type ThreadState,
} from "./state.ts";
import { calibrate, tighten, uncalibrated } from "./window/calibration.ts";
import { applyWindow } from "./window/difference.ts";

/** The fold. @throws `store_corrupt` for an event that cannot stand where it does. */
export function evolve(state: ThreadState, event: ThreadEvent): ThreadState {
  if (event.seq !== state.head + 1) throw illegal(event, `follows ${state.head}`);
  if ((state.started === null) !== (event.type === "thread_started"))
    throw illegal(event, "only the first is thread_started");
  state.head = event.seq;
  apply(state, event);
  return state;
}

function apply(state: ThreadState, event: ThreadEvent): void {
  switch (event.type) {
    case "thread_started":
      state.started = event;
      return keepValue(state, event, "input", event.input);
    case "step_completed":
      keepValue(state, event, event.key, event.result);
      settle(operation(state, event), event, { kind: "value", stored: event.result });
      state.activeMs += event.durationMs;
      return;
    case "step_failed":
      return applyStepFailed(state, event);
    case "decision_made":
      return applyDecision(state, event);
    case "decision_rejected":
      return applyRejection(state, event);
    case "overflow_reported":
      return applyOverflow(state, event);
    case "window_compacted":
      state.compaction = event;
      if (event.summary !== null) state.lastSummary = { toSeq: event.toSeq, text: event.summary };
      return countModelCall(state, event);
    case "note_added":
      settle(operation(state, event), event, { kind: "value", stored: {} });
      state.notesByKey.set(event.key, event);
      state.notes.push({ seq: event.seq, kind: "note", key: event.key });
      return;
    case "action_proposed":
      return applyProposal(state, event);
    case "action_started":
      return applyStart(state, event);
    case "action_completed":
    case "action_failed":
    case "action_denied":
      return applyActionEnd(state, event);
    case "action_in_doubt":
      existing(state, event).inDoubt = true;
      return;
    case "action_flagged":
      return applyFlag(state, event);
    case "request_opened":
      return applyRequest(state, event);
    case "request_decided":
      return applyVerdict(state, event);
    case "request_voted":
    case "request_reminded":
    case "request_escalated":
      return applyDeciders(state, event);
    case "request_expired":
      return applyExpiry(state, event);
    case "answer_accepted":
      keepValue(state, event, event.key, event);
      settle(existing(state, event), event, {
        kind: "ask",
        result: { kind: "answered", value: event.value, by: event.by },
      });
      state.notes.push({ seq: event.seq, kind: "ask", key: event.key });
      return;
    case "standing_used":
      return; // `readStanding` says what it means
    case "timer_set":
      operation(state, event).dueAt = event.dueAt;
      return;
    case "timer_fired":
      return applyTimer(state, event);
    case "wait_started":
      operation(state, event).dueAt = event.expiresAt;
      listAt(state.openWaits, event.signal).push(event.key);
      return takeSignal(state, event.signal, event);
    case "signal_received":
      keepValue(state, event, `signal:${event.signal}`, event);
      listAt(state.signals, event.signal).push(event);
      state.notes.push({ seq: event.seq, kind: "signal", key: event.signal });
      return takeSignal(state, event.signal, event);
    case "child_started":
      operation(state, event).child = event;
      return keepValue(state, event, event.key, event.input);
    case "child_completed":
      return applyChild(state, event);
    case "limit_reached":
      state.lastLimit.set(event.key, event.scope);
      return;
    case "operation_handled":
      state.handled.add(event.key);
      return;
    case "thread_completed":
    case "thread_failed":
    case "thread_cancelled":
      if (state.end !== null) throw illegal(event, `the thread ended at ${state.end.seq}`);
      state.end = event;
      return;
    default:
      return event satisfies never; // a new event fails to compile here
  }
}

function applyStepFailed(state: ThreadState, event: EventOf<"step_failed">): void {
  const step = operation(state, event);
  state.activeMs += event.durationMs;
  step.attempt = event.attempt;
  step.retryAt = event.retryAt;
  step.lastError = event.error;
  if (event.retryAt === null) settle(step, event, { kind: "error", error: event.error });
}

function applyDecision(state: ThreadState, event: EventOf<"decision_made">): void {
  settle(operation(state, event), event, { kind: "decision", decision: event.decision });
  state.turns.push(event);
  state.decisions += 1;
  applyWindow(state, event.seq, event.window);
  applyUsage(state, event);
  countModelCall(state, event);
}

function applyUsage(state: ThreadState, { model, window, usage }: EventOf<"decision_made">): void {
  const before = state.calibrations.get(model) ?? uncalibrated;
  const after = calibrate(before, window, usage.inputTokens);
  if (after !== before) state.calibrations.set(model, after);
}

function applyRejection(state: ThreadState, event: EventOf<"decision_rejected">): void {
  const decide = operation(state, event);
  decide.attempt = event.attempt;
  decide.retryAt = event.retryAt;
  decide.lastError = event.error;
  if (event.error.code === "invalid_decision") applyInvalidOutput(decide, event);
  else if (event.error.code !== "model_overflow" || decide.overflows > 1) applyModelFailure(decide, event);
  if (event.window) applyWindow(state, event.seq, event.window);
  countModelCall(state, event);
}

function applyInvalidOutput(decide: Operation, event: EventOf<"decision_rejected">): void {
  decide.invalidOutputs += 1;
  decide.correction = event.error.message;
  if (event.evidence !== undefined)
    decide.evidence = [...decide.evidence, `${event.error.message}\n${event.evidence}`];
}

/** The first overflow of a decision is no failure of its model: it is asked once more, with less. */
function applyModelFailure(decide: Operation, event: EventOf<"decision_rejected">): void {
  decide.modelFailures += 1;
  if (event.error.retryable)
    decide.comebacks = [
      ...decide.comebacks,
      { failure: decide.modelFailures, at: event.comesBackAt ?? null },
    ];
}

function applyOverflow(state: ThreadState, event: EventOf<"overflow_reported">): void {
  const decide = operation(state, event);
  decide.overflows += 1;
  decide.overflow = { model: event.model, sentTokens: event.sentTokens };
  const { model, limitTokens, sentTokens } = event;
  const wasUnder = limitTokens === null || limitTokens >= sentTokens; // else the limit explains it
  if (wasUnder) state.calibrations.set(model, tighten(state.calibrations.get(model) ?? uncalibrated));
  if (limitTokens !== null) state.contextLimits.set(model, limitTokens);
}

function countModelCall(
  state: ThreadState,
  event: EventOf<"decision_made"> | EventOf<"decision_rejected"> | EventOf<"window_compacted">,
): void {
  state.tokens += event.usage.inputTokens + event.usage.outputTokens;
  state.activeMs += event.durationMs;
}

function applyProposal(state: ThreadState, event: EventOf<"action_proposed">): void {
  const act = operation(state, event);
  const first = act.proposal === null;
  act.proposal = event;
  state.actionByCall.set(event.callId, event.key);
  if (!first) return; // proposed again after its tool changed: still the same call
  state.digestRun = state.lastDigest === event.digest ? state.digestRun + 1 : 1;
  state.lastDigest = event.digest;
}

function applyStart(state: ThreadState, event: EventOf<"action_started">): void {
  const act = existing(state, event);
  act.start = event;
  act.attempt = event.attempt;
  act.inDoubt = false;
  if (act.request) act.request.used = true;
  for (const { name, per, amount } of event.counts ?? [])
    if (per === "thread") state.counted.set(name, (state.counted.get(name) ?? 0) + amount);
}

function applyFlag(state: ThreadState, event: EventOf<"action_flagged">): void {
  const act = existing(state, event);
  if (!act.start) throw illegal(event, `${event.key} has not started`);
  act.flaggedBy = [...act.flaggedBy, event.by];
}

function applyActionEnd(state: ThreadState, event: ActionEnd): void {
  const act = operation(state, event); // a call that does not validate is denied without a proposal
  if (event.type !== "action_denied") state.activeMs += event.durationMs;
  if (act.settled !== null) throw illegal(event, `settled at ${act.settled.seq}`);
  const status =
    event.type === "action_completed" ? "completed" : event.type === "action_failed" ? "failed" : "denied";
  settle(act, event, { kind: "action", status, event });
  if (event.type === "action_completed") keepValue(state, event, event.key, event.result);
  const isMadeByCode = act.proposal?.callId === event.key; // else its decision shows it
  if (isMadeByCode) state.notes.push({ seq: event.seq, kind: "action", key: event.key });
  countFailures(state, act, status);
}

function countFailures(state: ThreadState, act: Operation, status: ActionResult["status"]): void {
  const toolName = act.proposal?.tool;
  if (toolName === undefined) return;
  if (status === "completed") state.toolFailures.delete(toolName);
  if (status === "failed") state.toolFailures.set(toolName, (state.toolFailures.get(toolName) ?? 0) + 1);
}

function applyRequest(state: ThreadState, event: EventOf<"request_opened">): void {
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

function applyVerdict(state: ThreadState, event: EventOf<"request_decided">): void {
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
function applyDeciders(
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

function applyExpiry(state: ThreadState, event: EventOf<"request_expired">): void {
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

function applyTimer(state: ThreadState, event: EventOf<"timer_fired">): void {
  const owner = existing(state, event);
  if (kindOfKey(event.key) === "sleep") settle(owner, event, { kind: "value", stored: {} });
  if (kindOfKey(event.key) !== "wait" || owner.settled) return;
  settle(owner, event, { kind: "wait", result: { kind: "expired" } });
  for (const keys of state.openWaits.values())
    if (keys.includes(event.key)) keys.splice(keys.indexOf(event.key), 1);
}

/**
 * The oldest signal that nobody took goes to the waits that are open, whichever came first. Where a race left one wait
 * behind and the flow made another, both get it: the one left behind must not swallow it.
 */
function takeSignal(state: ThreadState, name: string, event: ThreadEvent): void {
  const keys = state.openWaits.get(name) ?? [];
  const taken = state.signalsTaken.get(name) ?? 0;
  const signal = state.signals.get(name)?.[taken];
  if (keys.length === 0 || !signal) return;
  state.openWaits.delete(name);
  state.signalsTaken.set(name, taken + 1);
  const result: WaitResult = { kind: "received", value: signal.value, by: signal.by };
  for (const key of keys) {
    const waiting = state.operations.get(key);
    if (waiting) settle(waiting, event, { kind: "wait", result });
  }
}

function applyChild(state: ThreadState, event: EventOf<"child_completed">): void {
  const { outcome } = event;
  const result: Outcome =
    outcome.status === "completed"
      ? { kind: "value", stored: outcome }
      : { kind: "error", error: outcome.error };
  settle(existing(state, event), event, result);
  if (outcome.status === "completed") keepValue(state, event, event.key, outcome);
}

/** Only a note of where the value stands: it is measured and hashed when somebody asks for it. */
function keepValue(state: ThreadState, event: ThreadEvent, from: string, stored: Stored): void {
  state.values.push({ seq: event.seq, from, stored });
}

function settle(target: Operation, event: ThreadEvent, outcome: Outcome): void {
  if (target.settled !== null) throw illegal(event, `${target.key} was settled at ${target.settled.seq}`);
  target.settled = { seq: event.seq, outcome };
}

function operation(state: ThreadState, event: { readonly key: string; readonly seq: number }): Operation {
  const known = state.operations.get(event.key);
  if (known) return known;
  const created = initialOperation(event.key, event.seq);
  state.operations.set(event.key, created);
  return created;
}

function existing(state: ThreadState, event: ThreadEvent & { readonly key: string }): Operation {
  const known = state.operations.get(event.key);
  if (!known) throw illegal(event, `there is no operation ${event.key} before it`);
  return known;
}

function listAt<Item>(lists: Map<string, Item[]>, name: string): Item[] {
  const known = lists.get(name);
  if (known) return known;
  const created: Item[] = [];
  lists.set(name, created);
  return created;
}

function illegal(event: ThreadEvent, why: string): HoldpointError {
  return new HoldpointError(
    "store_corrupt",
    `event ${event.seq} (${event.type}) cannot stand there: ${why}`,
    {
      fix: "Run `holdpoint verify` to see what else is wrong; restore the file from a backup.",
    },
  );
}
