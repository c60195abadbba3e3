import type { Verdict } from "../core/events.ts";
import type { RequestRow } from "./store.ts";

/** What a channel brings back: a verdict and the principal who gave it. */
export interface ChannelVerdict {
  readonly verdict: Verdict;
  readonly by: string;
  /** Those that the channel knows of, without `role:`. Default: none. */
  readonly roles?: readonly string[];
}

/**
 * A way to ask people. What leaks through: a channel may be gone, and then answers `null`; the request stays open in
 * the store, which is where it lives.
 */
export interface Channel {
  /** Recorded as `via` with the verdict. */
  readonly name: string;
  /** Asks now; `null` when the person leaves the request for later. */
  ask(request: RequestRow, signal: AbortSignal): Promise<ChannelVerdict | null>;
}
