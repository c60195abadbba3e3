import { HoldpointError } from "../../core/errors.ts";
import { event } from "../../core/events.ts";
import type { PendingOperation } from "../../core/flow.ts";
import { append, type Plan } from "./plan.ts";

/** Longest note, in characters: what is longer is a document, for a step to return. */
const longestNote = 20_000;

/** @throws `usage` for a note that is no text, or too long. */
export function planNote({ key, text, pinned }: Extract<PendingOperation, { kind: "note" }>): Plan {
  if (typeof text !== "string" || text.trim() === "" || text.length > longestNote) {
    const what = typeof text === "string" ? `text of ${text.length} characters` : `a ${typeof text}`;
    throw new HoldpointError("usage", `t.note() was given ${what}`, {
      fix: `Give it text of 1 to ${longestNote} characters; let a step return what is longer.`,
    });
  }
  return append(event("note_added", { key, text, pinned: pinned === true }));
}
