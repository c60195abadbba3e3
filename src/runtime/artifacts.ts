import type { Stored, ThreadEvent } from "../core/events.ts";
import type { Store } from "../ports/store.ts";

/** Loads the large values that a replay of these events hands to the flow. */
export async function artifactsOf(
  store: Store,
  events: readonly ThreadEvent[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const digest of events.flatMap(artifactDigests)) {
    if (!texts.has(digest)) texts.set(digest, await store.artifact(digest));
  }
  return texts;
}

/** Digests of the artifacts that an event refers to. */
function artifactDigests(event: ThreadEvent): readonly string[] {
  switch (event.type) {
    case "thread_started":
    case "child_started":
      return digestOf(event.input);
    case "step_completed":
    case "action_completed":
      return digestOf(event.result);
    case "thread_completed":
      return digestOf(event.output);
    case "child_completed":
      return event.outcome.status === "completed" ? digestOf(event.outcome) : [];
    default:
      return [];
  }
}

function digestOf(stored: Stored): readonly string[] {
  return stored.artifact ? [stored.artifact.digest] : [];
}
