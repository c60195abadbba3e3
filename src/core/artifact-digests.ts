import type { Stored, ThreadEvent } from "./events.ts";
import { windowTexts } from "./window/difference.ts";

/** The digests of the artifacts that an event refers to: large values, and the texts of what models were shown. */
export function artifactDigests(event: ThreadEvent): readonly string[] {
  switch (event.type) {
    case "thread_started":
    case "child_started":
      return digestOf(event.input);
    case "step_completed":
    case "action_completed":
      return digestOf(event.result);
    case "child_completed":
      return event.outcome.status === "completed" ? digestOf(event.outcome) : [];
    case "thread_completed":
      return digestOf(event.output);
    case "decision_made":
    case "decision_rejected":
      return windowTexts(event.window);
    default:
      return [];
  }
}

function digestOf({ artifact }: Stored): readonly string[] {
  return artifact ? [artifact.digest] : [];
}
