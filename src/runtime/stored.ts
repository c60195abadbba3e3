import { artifactRefOf } from "../core/artifact-ref.ts";
import { HoldpointError } from "../core/errors.ts";
import type { EventBody, Stored } from "../core/events.ts";
import { toJson } from "../core/json.ts";
import type { ModelOutput } from "../core/window/model-input.ts";
import type { Runtime } from "./runtime.ts";

/** Large values on their way to the store, beside the events that refer to them. */
export interface ArtifactText {
  readonly digest: string;
  readonly text: string;
}

/** Events to append, with their artifacts. */
export interface Facts {
  readonly events: readonly EventBody[];
  readonly artifacts: readonly ArtifactText[];
  /** What a model put out: telemetry is told of it, and nothing keeps it. */
  readonly output?: ModelOutput;
}

export const noFacts: Facts = { events: [], artifacts: [] };

export function facts(...events: readonly EventBody[]): Facts {
  return { events, artifacts: [] };
}

/**
 * The form in which a value goes into an event: itself, or a reference when it is large.
 *
 * @param fix what to do about a value that is too large. Default: for one that code returned.
 * @throws `not_json`; `result_too_large`.
 */
export function toStored(
  runtime: Runtime,
  value: unknown,
  fix = "Return less: write the bulk to a file or an object store and return where it is.",
): { readonly stored: Stored; readonly artifacts: readonly ArtifactText[] } {
  if (value === undefined) return { stored: {}, artifacts: [] };
  const json = runtime.redact.value(toJson(value));
  if (isSmall(json)) return { stored: { value: json }, artifacts: [] };
  const text = JSON.stringify(json);
  const bytes = Buffer.byteLength(text);
  if (bytes > runtime.maxValueBytes) {
    throw new HoldpointError(
      "result_too_large",
      `${bytes} bytes of JSON; at most ${runtime.maxValueBytes} are kept`,
      { fix },
    );
  }
  if (bytes <= runtime.artifactBytes) return { stored: { value: json }, artifacts: [] };
  const artifact = artifactRefOf(json, text, bytes);
  return { stored: { artifact }, artifacts: [{ digest: artifact.digest, text }] };
}

/** What to do about a value that came from outside and is too large. */
export const giveLess = "Give less: put the bulk into a file or an object store and give where it is.";

/** Cheap cases that need no measuring. */
function isSmall(value: unknown): boolean {
  return (
    value === null ||
    typeof value === "boolean" ||
    typeof value === "number" ||
    (typeof value === "string" && value.length < 4_096)
  );
}
