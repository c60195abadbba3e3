import type { EventOf, GateOutcome, Risk, ThreadEvent, Verdict } from "../core/events.ts";
import { formatCount, formatDuration, formatJson, formatStored, formatTime, line, plural } from "./format.ts";
import type { Paint, Style } from "./screen.ts";

/** How much of a value is shown on a line. */
const valueLength = 160;

/** What one event says, in one line, without its place, time and operation. */
export function describeEvent(event: ThreadEvent, paint: Paint): string {
  switch (event.type) {
    case "thread_started":
      return describeStart(event, paint);
    case "step_completed":
      return `${paint("green", "done")}${after(event)}  ${formatStored(event.result, valueLength)}`;
    case "step_failed":
      return `${paint("red", "failed")}${after(event)}: ${describeError(event.error)}${describeRetry(event.retryAt)}`;
    case "decision_made":
      return describeDecision(event, paint);
    case "decision_rejected":
      return `${paint("red", "unusable")}${after(event)}, ${describeModelCall(event)}: ${describeError(event.error)}${describeRetry(event.retryAt)}`;
    case "overflow_reported":
      return `${paint("red", "overflow")}: ${formatCount(event.sentTokens)} tokens did not fit ${line(event.model, 80)}${event.limitTokens === null ? "" : ` (${formatCount(event.limitTokens)})`}: ${line(event.message, valueLength)}`;
    case "action_proposed":
      return `${formatJson(event.args, valueLength)}  ${describeGate(event.gate, event.risk, paint)}${describeShadow(event)}`;
    case "action_denied":
      return `${paint("red", "denied")} by ${event.by === undefined ? event.deniedBy : line(event.by, 80)}: ${line(event.why, valueLength)}`;
    case "action_started":
      return `started${event.attempt > 1 ? `, try ${event.attempt}` : ""}${describeCounts(event)}`;
    case "action_completed":
      return `${paint("green", "done")}${settledOrAfter(event)}  ${formatStored(event.result, valueLength)}`;
    case "action_failed":
      return `${paint("red", "failed")}${settledOrAfter(event)}: ${describeError(event.error)}`;
    case "action_in_doubt":
      return `${paint("yellow", "in doubt")}: ${line(event.why, valueLength)}`;
    case "action_flagged":
      return `${paint("red", "flagged")} as wrong by ${line(event.by, 80)}: ${line(event.why, valueLength)}`;
    case "request_opened":
      return `${paint("yellow", event.kind)} ${event.requestId}: ${line(event.question, valueLength)} (${line(event.why, valueLength)})`;
    case "request_decided":
      return `${describeVerdict(event.verdict, paint)} by ${line((event.voters ?? [event.by]).join(" and "), 160)} via ${line(event.via, 40)}`;
    case "request_voted":
      return `${paint("green", "vote")} ${plural(event.deciders.votes.length, "approval")} so far, by ${line(event.by, 80)} via ${line(event.via, 40)}`;
    case "request_reminded":
      return `${paint("yellow", "reminder")} ${event.reminders}: ${line(event.deciders.approvers.join(", ") || "anybody", valueLength)}`;
    case "request_escalated":
      return `${paint("yellow", "escalated")} to ${line(event.to.join(", "), valueLength)}`;
    case "request_expired":
      return `${paint("red", "expired")}: nobody answered in time`;
    case "standing_used":
      return `${paint("yellow", "used")} by ${line(event.usedBy.key, 80)} of thread ${line(event.usedBy.threadId, 80)} for request ${line(event.requestId, 80)}`;
    case "timer_set":
      return `until ${formatTime(event.dueAt)}`;
    case "timer_fired":
      return "time is over";
    case "wait_started":
      return `for signal ${line(event.signal, 80)}${event.expiresAt === null ? "" : ` until ${formatTime(event.expiresAt)}`}`;
    case "signal_received":
      return `${paint("cyan", "signal")} ${line(event.signal, 80)} ${formatJson(event.value, valueLength)} by ${line(event.by, 80)}`;
    case "child_started":
      return `agent ${line(event.agent, 80)} as ${event.childId}  ${formatStored(event.input, valueLength)}`;
    case "child_completed":
      return describeChildEnd(event, paint);
    case "answer_accepted":
      return `accepted  ${line(JSON.stringify(event.value), valueLength)}`;
    case "limit_reached":
      return `${paint("yellow", "limit")} ${line(event.scope, 80)}: ${formatCount(event.value)} of ${formatCount(event.max)}`;
    case "operation_handled":
      return `${paint("yellow", "handled")} by ${line(event.by, 80)}: ${line(event.why, valueLength)}`;
    case "window_compacted":
      return event.summary === null
        ? `${paint("yellow", "no summary")} by ${line(event.model, 80)}: ${event.error ? describeError(event.error) : ""}`
        : `summed up events 1 to ${event.toSeq - 1}, by ${line(event.model, 80)}  “${line(event.summary, valueLength)}”`;
    case "note_added":
      return `${event.pinned ? "pinned: " : ""}“${line(event.text, valueLength)}”`;
    case "thread_completed":
      return `${paint("green", "completed")}${describeAcceptance(event)}  ${formatStored(event.output, valueLength)}`;
    case "thread_failed":
      return `${paint("red", "failed")}: ${describeError(event.error)}`;
    case "thread_cancelled":
      return `${paint("yellow", "cancelled")} by ${line(event.by, 80)}: ${line(event.why, valueLength)}`;
    default:
      return event satisfies never;
  }
}

function describeAcceptance({ accepted, why }: EventOf<"thread_completed">): string {
  if (accepted === undefined) return "";
  if (accepted) return ", accepted";
  return `, not accepted${why === undefined ? "" : ` (${line(why, valueLength)})`}`;
}

function describeStart(event: EventOf<"thread_started">, paint: Paint): string {
  const { forkedFrom, parent } = event;
  const origin = forkedFrom
    ? `, forked from ${forkedFrom.threadId} at ${forkedFrom.seq}`
    : parent
      ? `, called by ${parent.threadId}`
      : "";
  const { why, codes = [] } = event.unchecked ?? {};
  const unchecked =
    why === undefined
      ? ""
      : `  ${paint("yellow", "unchecked")} (${line(codes.join(", "), 200)}): ${line(why, 200)}`;
  return `${paint("bold", "started")} by ${line(event.by, 80)}${origin}  ${formatStored(event.input, valueLength)}${unchecked}`;
}

function describeDecision(event: EventOf<"decision_made">, paint: Paint): string {
  const { decision, window } = event;
  const what =
    decision.kind === "answer"
      ? `${paint("green", "answers")} ${formatJson(decision.value, valueLength)}`
      : `${paint("green", "calls")} ${decision.calls.map((call) => line(call.tool, 80)).join(", ")}`;
  const said =
    decision.kind === "calls" && decision.text !== undefined ? `  “${line(decision.text, valueLength)}”` : "";
  const left = window.dropped > 0 ? `, ${plural(window.dropped, "operation")} left out of its window` : "";
  const repaired = event.repairs === undefined ? "" : `, repaired: ${event.repairs.join(", ")}`;
  return `${what}${after(event)}, ${describeModelCall(event)}${left}${repaired}${said}`;
}

function describeModelCall(event: EventOf<"decision_made"> | EventOf<"decision_rejected">): string {
  const { inputTokens, outputTokens } = event.usage;
  const cost = event.cost === undefined ? "" : `, $${event.cost.usd.toPrecision(2)}`;
  const warned = event.warnings === undefined ? "" : `, warned: ${line(event.warnings.join("; "), 160)}`;
  const { name, version } = event.prompt ?? {};
  const prompted = name === undefined ? "" : `, ${line(name, 80)} ${version}`;
  return `${formatCount(inputTokens)} + ${formatCount(outputTokens)} tokens${cost}, ${line(event.model, 80)}${prompted}${warned}`;
}

function describeGate(gate: GateOutcome, risk: Risk | undefined, paint: Paint): string {
  const styles: { readonly [Kind in GateOutcome["kind"]]: Style } = {
    allow: "green",
    hold: "yellow",
    deny: "red",
  };
  const why = gate.kind === "allow" ? "" : `: ${line(gate.reason, 80)}`;
  return `gate: ${paint(styles[gate.kind], gate.kind)} (risk ${risk ?? "undeclared"}${why})`;
}

function describeShadow({ shadow = [] }: EventOf<"action_proposed">): string {
  return shadow
    .map(({ rule, outcome, reason }) => `; on trial, ${line(rule, 80)}: ${outcome} (${line(reason, 80)})`)
    .join("");
}

function describeCounts({ counts = [] }: EventOf<"action_started">): string {
  return counts.map(({ name, amount }) => `, adds ${formatCount(amount)} to ${line(name, 80)}`).join("");
}

/** A verdict with what it carries. */
export function describeVerdict(verdict: Verdict, paint: Paint): string {
  switch (verdict.kind) {
    case "approve":
      return `${paint("green", "approved")}${because(verdict.why)}`;
    case "edit":
      return `${paint("green", "approved with other arguments")} ${formatJson(verdict.args, valueLength)}${because(verdict.why)}`;
    case "reject":
      return `${paint("red", "rejected")} (${line(verdict.why, valueLength)})`;
    case "answer":
      return `${paint("green", "answered")} ${formatJson(verdict.value, valueLength)}`;
    case "continue":
      return `${paint("green", "told to go on")}${because(verdict.why)}`;
    case "stop":
      return `${paint("red", "stopped")}${because(verdict.why)}`;
    case "done":
      return `${paint("green", "settled as done")} ${formatJson(verdict.value, valueLength)}`;
    case "not_done":
      return `${paint("green", "settled as not done")} (${line(verdict.why, valueLength)})`;
    default:
      return verdict satisfies never;
  }
}

function describeChildEnd({ outcome }: EventOf<"child_completed">, paint: Paint): string {
  if (outcome.status === "completed")
    return `${paint("green", "completed")}  ${formatStored(outcome, valueLength)}`;
  return `${paint("red", outcome.status)}: ${describeError(outcome.error)}`;
}

/** An error as the log keeps it. */
export function describeError(error: { readonly code: string; readonly message: string }): string {
  return `${line(error.message, 400)} (${line(error.code, 80)})`;
}

function describeRetry(retryAt: string | null): string {
  return retryAt === null ? "" : `; again at ${formatTime(retryAt)}`;
}

function after(event: { readonly durationMs: number; readonly attempt: number }): string {
  return ` in ${formatDuration(event.durationMs)}${event.attempt > 1 ? ` at try ${event.attempt}` : ""}`;
}

function settledOrAfter(event: EventOf<"action_completed"> | EventOf<"action_failed">): string {
  return event.settledBy === undefined ? after(event) : `, says ${line(event.settledBy, 80)}`;
}

function because(why: string | undefined): string {
  return why === undefined ? "" : ` (${line(why, valueLength)})`;
}
