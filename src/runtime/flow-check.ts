// R3. Decides whether the flow still matches its log, and says precisely where it does not. Nothing is guessed.
import type { EscalationReason } from "../core/events.ts";
import type { PendingOperation } from "../core/flow.ts";
import type { Replay, Rest } from "../core/replay.ts";
import type { Operation, ThreadState } from "../core/state.ts";

export interface FlowProblem {
  readonly reason: Extract<EscalationReason, "flow_changed" | "flow_stuck">;
  readonly why: string;
  readonly question: string;
}

/** Operations that a changed flow may make while it catches up with its log: they read, or are repeatable. */
const harmlessKinds: ReadonlySet<PendingOperation["kind"]> = new Set([
  "step",
  "note",
  "now",
  "random",
  "uuid",
]);

/** A new step or note is harmless; anything else new must wait until the log is caught up with. */
export function isHarmless(operation: PendingOperation): boolean {
  return harmlessKinds.has(operation.kind);
}

/**
 * What is wrong with the flow at this rest, if anything.
 *
 * A recorded operation that the flow has not asked for yet is no problem as long as the flow may still come to it:
 * when it waits for a recorded operation, or has only harmless new ones to make. It is one when the flow has ended, or
 * wants something new done.
 */
export function flowProblem(replay: Replay, rest: Rest, state: ThreadState): FlowProblem | null {
  const mismatch = replay.mismatch();
  if (mismatch)
    return changed(
      mismatch.key,
      `recorded with ${clip(mismatch.recorded)}`,
      `called with ${clip(mismatch.asked)}`,
    );
  if (rest.kind === "pending" && rest.operations.length === 0) return stuck();
  const missing = replay.unclaimed()[0];
  if (!missing) return null;
  if (rest.kind !== "pending")
    return changed(
      missing.key,
      recorded(missing),
      rest.kind === "threw" ? `throws: ${rest.error.message}` : "ends without it",
    );
  const fresh = rest.operations.filter((operation) => !state.operations.has(operation.key));
  if (fresh.length === 0 || fresh.some(isHarmless)) return null;
  return changed(
    missing.key,
    recorded(missing),
    `asks for ${fresh.map((operation) => operation.key).join(", ")}`,
  );
}

function recorded(operation: Operation): string {
  return `recorded at event ${operation.seq}${operation.settled ? "" : ", not ended"}`;
}

function changed(key: string, log: string, flow: string): FlowProblem {
  return {
    reason: "flow_changed",
    why: `the flow no longer matches its log at ${key}. Log: ${log}. Flow: ${flow}`,
    question:
      `The agent's code has changed around ${key}. Run the version that wrote the log and answer "continue", ` +
      `fork the thread before it (holdpoint fork <thread> --at <seq>), or mark it handled ` +
      `(holdpoint resolve <thread> '${key}' --handled --why …).`,
  };
}

function stuck(): FlowProblem {
  return {
    reason: "flow_stuck",
    why: "the flow awaits something that is no operation, so nothing can wake it",
    question: 'Put what the flow awaits (a request, a timer, a file) into t.step(…), then answer "continue".',
  };
}

function clip(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
