// Event boundaries: the moments before an append begins and after it is durable. A thread is stopped at one by an append
// that never returns; the process that runs it is then killed, and nothing of it comes later.
import type { Append, Store } from "../../src/ports/store.ts";

/** The n-th event that this process appends to a thread. Events of one append are durable together. */
export interface Boundary {
  readonly event: number;
  /** `before`: what led to the event has happened, and is not in the log. `after`: it is in the log, and nothing more. */
  readonly when: "before" | "after";
}

/** Where a thread was when its process was killed. */
export interface Stop {
  readonly threadId: string;
  readonly when: Boundary["when"];
  readonly type: string;
  /** The operation that the event is about, such as `act:cancel_reservation#1`; empty for the thread's own. */
  readonly key: string;
}

/** A store in which each of these threads stops at its boundary. */
export function stopAt(
  store: Store,
  boundaries: ReadonlyMap<string, Boundary>,
  onStop: (stop: Stop) => void,
): Store {
  const appended = new Map<string, number>();
  return {
    ...store,
    async append(append) {
      const { threadId, events } = append;
      const before = appended.get(threadId) ?? 0;
      const boundary = boundaries.get(threadId);
      const isHere = boundary !== undefined && before + events.length >= boundary.event;
      if (isHere && boundary.when === "before") return stopped(append, boundary, before);
      const stored = await store.append(append);
      appended.set(threadId, before + events.length);
      return isHere ? stopped(append, boundary, before) : stored;
    },
  };

  function stopped({ threadId, events }: Append, { event, when }: Boundary, before: number): Promise<never> {
    const body = events[Math.max(0, event - before - 1)]?.body;
    onStop({ threadId, when, type: body?.type ?? "", key: body && "key" in body ? body.key : "" });
    return new Promise(() => {});
  }
}
