// What a thread waited for, from its log: a wait begins with one event and ends with another, which may be days and
// processes apart, so that it can be told of only when it is over.
import type { RequestKind, ThreadEvent } from "../core/events.ts";

interface OpenWait {
  readonly kind: RequestKind | "timer" | "signal" | "child";
  readonly key: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly requestId?: string;
  /** The signal that it waits for. */
  readonly signal?: string;
}

export interface EndedWait extends OpenWait {
  readonly endedAt: string;
  /** The verdict's kind, `expired`, `fired`, `received`, or how the child ended. */
  readonly outcome: string;
  readonly by?: string;
  readonly via?: string;
}

export interface Waits {
  /** The next event. @returns the waits that it ends. */
  take(event: ThreadEvent): readonly EndedWait[];
}

export function createWaits(): Waits {
  const open = new Map<string, OpenWait>();

  function end(id: string, at: string, how: Pick<EndedWait, "outcome" | "by" | "via">): readonly EndedWait[] {
    const wait = open.get(id);
    open.delete(id);
    return wait ? [{ ...wait, ...how, endedAt: at }] : [];
  }

  function received(signal: string, at: string): readonly EndedWait[] {
    const ids = [...open].flatMap(([id, wait]) => (wait.signal === signal ? [id] : []));
    return ids.flatMap((id) => end(id, at, { outcome: "received" }));
  }

  function take(event: ThreadEvent): readonly EndedWait[] {
    const { at: startedAt } = event;
    switch (event.type) {
      case "request_opened": {
        const { kind, key, requestId } = event;
        open.set(requestId, { kind, key, startedAt, requestId });
        return [];
      }
      case "timer_set":
        open.set(event.key, { kind: "timer", key: event.key, startedAt });
        return [];
      case "wait_started":
        open.set(event.key, { kind: "signal", key: event.key, startedAt, signal: event.signal });
        return [];
      case "child_started":
        open.set(event.key, { kind: "child", key: event.key, startedAt });
        return [];
      case "request_decided":
        return end(event.requestId, event.at, {
          outcome: event.verdict.kind,
          by: event.by,
          via: event.via.startsWith("standing:") ? "standing" : event.via, // an id would make too many values
        });
      case "request_expired":
        return end(event.requestId, event.at, { outcome: "expired" });
      case "timer_fired":
        return end(event.key, event.at, {
          outcome: open.get(event.key)?.kind === "signal" ? "expired" : "fired",
        });
      case "signal_received":
        return received(event.signal, event.at);
      case "child_completed":
        return end(event.key, event.at, { outcome: event.outcome.status });
      default:
        return []; // nothing to wait for
    }
  }

  return { take };
}

/** Events that others than the thread's worker append: those at the end of a log came since its last turn. */
const fromOutside: ReadonlySet<ThreadEvent["type"]> = new Set([
  "request_decided",
  "request_voted",
  "signal_received",
  "operation_handled",
  "action_flagged",
  "thread_cancelled",
] as const);

/** Index of the first event that no turn has seen, as far as the log tells. */
export function firstUnseen(events: readonly ThreadEvent[]): number {
  let index = events.length;
  while (index > 0 && fromOutside.has(events[index - 1]?.type ?? "thread_started")) index -= 1;
  return index;
}
