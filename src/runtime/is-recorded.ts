// S2. After an append whose outcome is unknown, what did get into the log is not appended a second time.
import type { EventBody } from "../core/events.ts";
import type { ThreadState } from "../core/state.ts";

/** Whether a result of an effect is in the log that `state` is the fold of. Results of one effect are appended together. */
export function isRecorded(state: ThreadState, body: EventBody): boolean {
  if (body.type === "window_compacted") return (state.compaction?.toSeq ?? 0) >= body.toSeq;
  if (!("key" in body)) return true;
  const known = state.operations.get(body.key);
  if (!known) return false;
  if (known.settled) return true;
  switch (body.type) {
    case "action_in_doubt":
      return known.inDoubt;
    case "request_opened":
      return known.request?.opened.requestId === body.requestId;
    case "step_failed":
    case "decision_rejected":
    case "overflow_reported": // counted by the rejection that is appended with it
      return known.attempt >= body.attempt;
    default:
      return false;
  }
}
