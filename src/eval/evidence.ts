// What a trial leaves to be judged by: its log, and the logs of the threads it called.
import type { ErrorInfo } from "../core/errors.ts";
import type { EventOf, ThreadEvent } from "../core/events.ts";
import type { Json } from "../core/json.ts";

export interface TrialLog {
  readonly threadId: string;
  readonly events: readonly ThreadEvent[];
}

export interface Evidence {
  /** The trial's own thread first. */
  readonly logs: readonly TrialLog[];
  readonly output: Json | undefined;
  readonly error: ErrorInfo | null;
}

/** An action, as far as it came. */
export interface SeenAction {
  readonly threadId: string;
  readonly key: string;
  readonly tool: string;
  /** Of each proposal: an edit makes another one. The last is what runs. */
  readonly proposals: readonly EventOf<"action_proposed">[];
  readonly args: Json;
  /** Its first start. */
  readonly start: EventOf<"action_started"> | null;
  /** Some start had no approval of exactly what started. */
  readonly unapproved: boolean;
  readonly status: "completed" | "failed" | "denied" | "open";
}

interface Growing {
  readonly threadId: string;
  readonly proposals: EventOf<"action_proposed">[];
  start: EventOf<"action_started"> | null;
  approvedDigest: string | null;
  unapproved: boolean;
  status: SeenAction["status"];
}

/** All actions of a trial: those that started in the order of their first start, then the others. */
export function actionsOf({ logs }: Pick<Evidence, "logs">): readonly SeenAction[] {
  const actions = logs.flatMap(({ threadId, events }) => actionsIn(threadId, events));
  const startOf = ({ start }: SeenAction): string => start?.at ?? "~"; // after every time
  return actions
    .map((action, index) => ({ action, index }))
    .sort((one, other) => compare(startOf(one.action), startOf(other.action)) || bySeq(one, other))
    .map(({ action }) => action);
}

interface Placed {
  readonly action: SeenAction;
  readonly index: number;
}

/** Within a thread its own order counts: two starts may have the same millisecond. */
function bySeq(one: Placed, other: Placed): number {
  if (one.action.threadId !== other.action.threadId) return one.index - other.index;
  return (one.action.start?.seq ?? 0) - (other.action.start?.seq ?? 0) || one.index - other.index;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function actionsIn(threadId: string, events: readonly ThreadEvent[]): readonly SeenAction[] {
  const actions = new Map<string, Growing>();
  for (const event of events) {
    if (event.type === "action_proposed" && !actions.has(event.key))
      actions.set(event.key, {
        threadId,
        proposals: [],
        start: null,
        approvedDigest: null,
        unapproved: false,
        status: "open",
      });
    const action = "key" in event ? actions.get(event.key) : undefined;
    if (action) grow(action, event);
  }
  return [...actions].flatMap(([key, { approvedDigest: _, ...action }]) => {
    const last = action.proposals.at(-1);
    return last ? [{ ...action, key, tool: last.tool, args: last.args }] : [];
  });
}

function grow(action: Growing, event: ThreadEvent): void {
  switch (event.type) {
    case "action_proposed":
      action.proposals.push(event);
      break;
    case "request_decided":
      if (event.verdict.kind === "approve" || event.verdict.kind === "edit")
        action.approvedDigest = event.digest ?? null;
      break;
    case "action_started":
      action.start ??= event;
      action.unapproved ||= action.approvedDigest !== event.digest;
      break;
    case "action_completed":
      action.status = "completed";
      break;
    case "action_failed":
      action.status = "failed";
      break;
    case "action_denied":
      action.status = "denied";
      break;
    default: // adds nothing to what is judged
  }
}

/** All requests of a trial, oldest first. */
export function requestsOf(logs: readonly TrialLog[]): readonly EventOf<"request_opened">[] {
  return logs
    .flatMap(({ events }) => events.filter((event) => event.type === "request_opened"))
    .sort((one, other) => compare(one.at, other.at)); // stable: within a thread its own order
}
