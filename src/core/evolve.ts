// I2. A thread's state is `events.reduce(evolve, initialState())`. `evolve` owns the state it is given and changes it
// in place: a fold over n events then costs n, not n². Nobody else writes to a state.
import type { EventOf, ThreadEvent } from "./events.ts";
import { existing, illegal, keepValue, listAt, operation, settle } from "./evolve-kit.ts";
import { applyDeciders, applyExpiry, applyRequest, applyVerdict } from "./evolve-requests.ts";
import { applyChild, applyTimer, takeSignal } from "./evolve-waits.ts";
import type { ActionResult } from "./flow.ts";
import type { ActionEnd, Operation, ThreadState } from "./state.ts";
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
