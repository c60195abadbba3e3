import type { ErrorInfo } from "../errors.ts";
import { deepFreeze, type Json } from "../json.ts";
import { itemsFrom } from "./items.ts";
import { approverOf, operationsOf, type RenderContext, type ShownNote, shownNote } from "./render.ts";

/** A thread as the sections of a window are given it. Frozen: what the log holds is not theirs to change. */
export interface ThreadView {
  /** The thread's input. */
  readonly input: unknown;
  /** How many decisions were made. */
  readonly decisions: number;
  /** What happened, oldest first. */
  readonly history: readonly HistoryEntry[];
}

export type HistoryEntry =
  | {
      readonly kind: "decision";
      readonly seq: number;
      readonly text: string;
      readonly actions: readonly HistoryAction[];
    }
  | { readonly kind: "note"; readonly seq: number; readonly note: ShownNote };

export interface HistoryAction {
  readonly tool: string;
  readonly args: Json;
  readonly status: "completed" | "failed" | "denied" | "open";
  /** Of a completed action; absent for values that are kept as artifacts. */
  readonly value?: Json;
  readonly error?: ErrorInfo;
  /** Why it was denied. */
  readonly why?: string;
  /** The principal who approved it. */
  readonly approvedBy?: string;
}

/** The history is made when it is first asked for. */
export function threadView(context: RenderContext, input: unknown): ThreadView {
  let history: readonly HistoryEntry[] | null = null;
  return Object.freeze({
    input: deepFreeze(input),
    decisions: context.state.decisions,
    get history() {
      history ??= deepFreeze(historyOf(context));
      return history;
    },
  });
}

function historyOf(context: RenderContext): readonly HistoryEntry[] {
  return itemsFrom(context.state, 0).flatMap((item): HistoryEntry[] => {
    if (item.kind === "note") {
      const note = shownNote(context, item.note);
      return note ? [{ kind: "note", seq: item.seq, note }] : [];
    }
    const { decision } = item.turn;
    if (decision.kind === "answer") return [];
    const operations = operationsOf(context.state, decision.calls);
    const actions = decision.calls.map(({ tool, args }, index): HistoryAction => {
      const operation = operations[index];
      const outcome = operation?.settled?.outcome;
      const approvedBy = approverOf(operation);
      const base = { tool, args, ...(approvedBy === undefined ? {} : { approvedBy }) };
      if (outcome?.kind !== "action") return { ...base, status: "open" };
      const { event } = outcome;
      if (event.type === "action_failed") return { ...base, status: "failed", error: event.error };
      if (event.type === "action_denied") return { ...base, status: "denied", why: event.why };
      const { value } = event.result;
      return { ...base, status: "completed", ...(value === undefined ? {} : { value }) };
    });
    return [{ kind: "decision", seq: item.seq, text: decision.text ?? "", actions }];
  });
}
