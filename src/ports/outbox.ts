import type { Json } from "../core/json.ts";
import type { NoticeKind } from "./channel.ts";
import type { Page } from "./store.ts";

/** An event that may concern people, as the list of all events has it. */
export interface OutboxFact {
  /** Its place in the order of commits. */
  readonly eventId: number;
  readonly type: string;
  readonly threadId: string;
  /** `null` for the end of a thread. */
  readonly requestId: string | null;
  /** Whom an opening or an escalation names; empty for everybody, `null` when the event names nobody. */
  readonly approvers: readonly string[] | null;
}

export interface OutboxBatch {
  /** The channel's cursor when the batch was read, and behind it. */
  readonly from: number;
  readonly to: number;
  readonly facts: readonly OutboxFact[];
}

/** What an event does to the copies of a request that a channel has out. */
export type OutboxChange =
  /** A copy for each recipient who has none, and `remind` for each who has one. */
  | {
      readonly kind: "ask";
      readonly eventId: number;
      readonly requestId: string;
      readonly recipients: readonly string[];
    }
  /** One more message for each copy; `close` is the last one. What was never sent is not followed up. */
  | {
      readonly kind: "remind" | "update" | "close";
      readonly eventId: number;
      readonly requestId: string;
    }
  /** `close` for all that the thread has out. */
  | { readonly kind: "end"; readonly eventId: number; readonly threadId: string };

export type DeliveryStatus = "pending" | "sent" | "dropped" | "dead";

export interface DeliveryTry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly error: string;
}

export interface OutboxDelivery {
  readonly deliveryId: string;
  readonly channel: string;
  readonly threadId: string;
  readonly requestId: string;
  readonly recipient: string;
  readonly kind: NoticeKind;
  readonly status: DeliveryStatus;
  /** Tries that were begun. */
  readonly attempts: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** When it is tried next; `null` when it is not pending. */
  readonly nextAt: string | null;
  readonly settledAt: string | null;
  readonly receipt: Json;
  /** The newest failures, ten at most. */
  readonly tries: readonly DeliveryTry[];
}

/** A delivery that one process works on until `leaseUntil`. */
export interface ClaimedDelivery {
  readonly delivery: OutboxDelivery;
  readonly owner: string;
  /** Of the newest delivery of the copy that arrived; `null` when none is known to have. */
  readonly copyReceipt: Json;
  /** For a `close`: whether the copy may be out there at all. */
  readonly mayBeOut: boolean;
}

/** How a try ended. Times are milliseconds since the epoch. */
export type DeliveryOutcome =
  | { readonly kind: "sent"; readonly receipt: Json }
  /** `arrived: false` when it is certain that nothing came through. */
  | {
      readonly kind: "retry";
      readonly at: number;
      readonly error: string;
      readonly arrived: false | "unknown";
    }
  | { readonly kind: "dead"; readonly error: string }
  | { readonly kind: "dropped" };

export interface DeliveryQuery {
  readonly status?: DeliveryStatus;
  readonly channel?: string;
  readonly requestId?: string;
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/**
 * Messages to people that are still to be sent, and those that were. They follow from the list of events: a cursor per
 * channel moves over it in the transaction that writes the deliveries, so none is lost and none is made twice.
 *
 * What leaks through: as for `Store`; a delivery whose holder dies comes again, so the outside sees some twice.
 */
export interface OutboxStore {
  /**
   * The next events that a channel has not seen, `null` when it has seen all. A channel that is new begins with the
   * oldest request that is still open.
   */
  unseen(channel: string): Promise<OutboxBatch | null>;
  /**
   * Applies the changes and moves the cursor, in one transaction.
   *
   * @returns false when another process moved it first: nothing was written.
   */
  advance(advance: {
    readonly channel: string;
    readonly from: number;
    readonly to: number;
    readonly changes: readonly OutboxChange[];
    readonly now: number;
  }): Promise<boolean>;
  /** Takes the delivery that is due longest, in the order of each copy; `null` when none is due. */
  claim(request: {
    readonly channel: string;
    readonly owner: string;
    readonly leaseMs: number;
    readonly now: number;
  }): Promise<ClaimedDelivery | null>;
  /** @returns false when the delivery is no longer held: another process has it. */
  settle(claimed: ClaimedDelivery, outcome: DeliveryOutcome, now: number): Promise<boolean>;
  /** Oldest first. */
  deliveries(query: DeliveryQuery): Promise<Page<OutboxDelivery>>;
  /**
   * Makes a dead delivery pending again.
   *
   * @throws `delivery_not_found`; `usage` for one that is not dead, or whose request is closed.
   */
  retry(deliveryId: string, now: number): Promise<OutboxDelivery>;
}
