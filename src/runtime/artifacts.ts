import { artifactDigests } from "../core/artifact-digests.ts";
import type { ArtifactRef, ThreadEvent } from "../core/events.ts";
import type { Store } from "../ports/store.ts";

/** Loads the large values that a replay of these events hands to the flow. */
export async function artifactsOf(
  store: Store,
  events: readonly ThreadEvent[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const event of events) {
    const digest = artifactOf(event)?.digest;
    if (digest !== undefined && !texts.has(digest)) texts.set(digest, await store.artifact(digest));
  }
  return texts;
}

/** Loads all that these events refer to: also the texts of what models were shown. */
export async function allTextsOf(
  store: Store,
  events: readonly ThreadEvent[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const digest of new Set(events.flatMap(artifactDigests)))
    texts.set(digest, await store.artifact(digest));
  return texts;
}

function artifactOf(event: ThreadEvent): ArtifactRef | undefined {
  switch (event.type) {
    case "thread_started":
    case "child_started":
      return event.input.artifact;
    case "step_completed":
    case "action_completed":
      return event.result.artifact;
    case "thread_completed":
      return event.output.artifact;
    case "child_completed":
      return event.outcome.status === "completed" ? event.outcome.artifact : undefined;
    default:
      return undefined;
  }
}
