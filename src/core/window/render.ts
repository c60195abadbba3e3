import type { EventOf } from "../events.ts";
import type { Note, Operation, ThreadState } from "../state.ts";
import type { ModelMessage } from "./model-input.ts";

/** A decision's calls and what became of each; nothing for an answer. `settled`: it will never read differently. */
export function renderTurn(
  state: ThreadState,
  turn: EventOf<"decision_made">,
  maxLength: number,
): { readonly messages: readonly ModelMessage[]; readonly settled: boolean } {
  const { decision } = turn;
  if (decision.kind === "answer") return { messages: [], settled: true };
  const operations = decision.calls.map((call) =>
    state.operations.get(state.actionByCall.get(call.callId) ?? ""),
  );
  const results = decision.calls.map(
    (call, index): ModelMessage => ({
      role: "tool",
      callId: call.callId,
      tool: call.tool,
      content: clip(renderResult(operations[index]), maxLength),
    }),
  );
  const { text = "", calls, reasoning } = decision;
  return {
    messages: [{ role: "assistant", content: text, calls, ...(reasoning && { reasoning }) }, ...results],
    settled: operations.every((operation) => operation?.settled != null),
  };
}

/** One line for what happened besides the model's own calls; `null` when its decision already shows it. */
export function renderNote(state: ThreadState, note: Note, maxLength: number): string | null {
  switch (note.kind) {
    case "signal": {
      const signal = state.signals.get(note.key)?.find((candidate) => candidate.seq === note.seq);
      return signal
        ? clip(`Signal ${JSON.stringify(signal.signal)}: ${JSON.stringify(signal.value)}`, maxLength)
        : null;
    }
    case "ask":
      return clip(renderAsk(state.operations.get(note.key)), maxLength);
    case "action": {
      const operation = state.operations.get(note.key);
      const madeByCode = operation?.proposal?.callId === note.key;
      if (!madeByCode) return null;
      return clip(
        `Done by code: ${operation.proposal?.tool} ${JSON.stringify(operation.proposal?.args)} → ${renderResult(operation)}`,
        maxLength,
      );
    }
    default:
      return note.kind satisfies never;
  }
}

function renderAsk(operation: Operation | undefined): string {
  const question = JSON.stringify(operation?.request?.opened.question ?? "");
  const outcome = operation?.settled?.outcome;
  if (outcome?.kind !== "ask") return `Asked a person: ${question}`;
  const { result } = outcome;
  if (result.kind === "answered")
    return `Asked a person: ${question} Answer: ${JSON.stringify(result.value)}`;
  return `Asked a person: ${question} ${result.kind === "expired" ? "Nobody answered in time." : `Refused: ${JSON.stringify(result.why)}`}`;
}

function renderResult(operation: Operation | undefined): string {
  const outcome = operation?.settled?.outcome;
  if (outcome?.kind !== "action") return JSON.stringify({ status: "not run" });
  const { event } = outcome;
  switch (event.type) {
    case "action_completed":
      return event.result.artifact
        ? JSON.stringify({ bytes: event.result.artifact.bytes, preview: event.result.artifact.preview })
        : (JSON.stringify(event.result.value) ?? "null");
    case "action_failed":
      return JSON.stringify({ status: "failed", code: event.error.code, message: event.error.message });
    case "action_denied":
      return JSON.stringify({ status: "denied", by: event.deniedBy, why: event.why });
    default:
      return event satisfies never;
  }
}

function clip(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const kept = text.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, "");
  return `${kept}… (${text.length - kept.length} of ${text.length} characters left out)`;
}
