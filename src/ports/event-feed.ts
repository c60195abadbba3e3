import type { RequestStatus, ThreadStatus } from "./store.ts";

/** How much there is, for metrics. */
export interface StoreCounts {
  readonly threads: { readonly [Status in ThreadStatus]?: number };
  readonly requests: { readonly [Status in RequestStatus]?: number };
  /** When the oldest open request was opened; `null` when none is open. */
  readonly oldestOpenAt: string | null;
  /** Events that were ever appended. */
  readonly events: number;
}

/**
 * Which threads went on, whichever process appended to them. What leaks through: as with `Store`, every method may
 * reject with `store_busy` or `store_unavailable`.
 */
export interface EventFeed {
  /** The place of the newest event in the order of commits; 0 when there is none. It never goes back. */
  head(): Promise<number>;
  /** The ids of the threads with events after place `after` and up to place `upTo`, each once. */
  changed(after: number, upTo: number): Promise<readonly string[]>;
  counts(): Promise<StoreCounts>;
}
