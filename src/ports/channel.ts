import type { Verdict } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import type { Person } from "../core/person.ts";
import type { Mount } from "./mount.ts";
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

/** Ask for the first time, once more, tell that the open request changed, or that nothing is to be decided any more. */
export type NoticeKind = "ask" | "remind" | "update" | "close";

/** One message that is due to one recipient. */
export interface Notice {
  /** The same at every try: receivers can tell a double by it. */
  readonly deliveryId: string;
  readonly kind: NoticeKind;
  /** As it is now; for `close` with who decided and when. */
  readonly request: RequestRow;
  /** One of those that `recipients` gave. */
  readonly recipient: string;
  /** The person of the directory whose id the recipient is; `null` when there is none. */
  readonly person: Person | null;
  /** What the newest delivery for this request and recipient returned; `null` when none is known to have arrived. */
  readonly receipt: Json;
  /** When the delivery was made, the same at every try, and when this try is: milliseconds since the epoch. */
  readonly createdAt: number;
  readonly now: number;
}

/**
 * A channel that requests are sent out by, from a durable outbox. What leaks through: the other side is at times not
 * there, and a message whose answer was lost comes again under the same `deliveryId`.
 */
export interface DeliveryChannel {
  /** Of the deliveries, of its mount, and recorded as `via`: lower-case letters, digits and `-`. */
  readonly name: string;
  /** Where a request goes, one copy each: ids of people, or names of the channel's own. `approvers` may decide it. */
  recipients(request: RequestRow, approvers: readonly Person[]): readonly string[];
  /**
   * Sends it now.
   *
   * @returns the receipt that later notices for the same copy are given: small, and without secrets.
   * @throws `channel_unavailable` to be tried again (not before `retryAfterMs`); `channel_refused` when no try can succeed.
   *   With `details.arrived: false` it is certain that nothing arrived; any other failure leaves that open.
   */
  deliver(notice: Notice, options: { readonly signal: AbortSignal }): Promise<Json>;
  /**
   * Says, without sending anything to anybody, how far the other side can be reached: a phrase, such as "the mail server
   * takes the login". @throws what `deliver` throws.
   */
  readonly probe?: (options: { readonly signal: AbortSignal }) => Promise<string>;
  /** Answers below `/channels/<name>/`, where people click. */
  readonly mount?: (desk: Desk) => Mount;
  /** The service's address in what it sends. Whoever wrote it vouches for its host: `serve` answers under it. */
  readonly publicUrl?: string;
}

/** What a channel's mount may do with a click. The runtime decides; a channel keeps nothing that does. */
export interface Desk {
  readonly people: readonly Person[];
  /** Milliseconds since the epoch. */
  now(): number;
  /** `null` when there is no such request. */
  find(requestId: string): Promise<RequestRow | null>;
  /**
   * Gives the verdict for a person whom the channel has authenticated.
   *
   * @returns the request as it stands then, also when the same verdict was given before.
   * @throws what `decideRequest` throws.
   */
  decide(requestId: string, verdict: Verdict, person: Person, signal?: AbortSignal): Promise<RequestRow>;
  /** Hands over work that goes on after the response; it is waited for before the service ends. */
  later(work: Promise<unknown>): void;
}
