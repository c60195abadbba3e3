// O2 and O3 of `outbox.ts`: in the order of a copy, and what may have arrived is not forgotten.
import type { DatabaseSync } from "node:sqlite";
import type { Json } from "../../core/json.ts";
import type { ClaimedDelivery, DeliveryOutcome, DeliveryTry, OutboxStore } from "../../ports/outbox.ts";
import { columnText } from "./columns.ts";
import { type DeliveryRow, deliveryColumns, toDelivery } from "./outbox-pages.ts";
import { firstRow } from "./rows.ts";

type Claim = Parameters<OutboxStore["claim"]>[0];

/** Each within a transaction. */
export interface Claims {
  isDue(channel: string, now: number): boolean;
  claim(request: Claim): ClaimedDelivery | null;
  settle(claimed: ClaimedDelivery, outcome: DeliveryOutcome, now: number): boolean;
}

/** How many failures a delivery remembers, and how much of each. */
const maxTries = 10;
const maxErrorLength = 500;

export function createClaims(database: DatabaseSync): Claims {
  const copy = "e.request_id = d.request_id AND e.channel = d.channel AND e.recipient = d.recipient";
  const due = database.prepare(`SELECT ${deliveryColumns} FROM deliveries d
    WHERE channel = ? AND status = 'pending' AND next_at <= ?
    AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE ${copy} AND e.num < d.num AND e.status = 'pending')
    ORDER BY next_at, num LIMIT 1`);
  const take = database.prepare(`UPDATE deliveries SET owner = ?, attempts = attempts + 1, next_at = ?,
    in_doubt = iif(owner IS NULL, in_doubt, 1) WHERE num = ?`);
  const receipt = database.prepare(`SELECT receipt FROM deliveries WHERE request_id = ? AND channel = ?
    AND recipient = ? AND status = 'sent' ORDER BY num DESC LIMIT 1`);
  const outside = database.prepare(`SELECT 1 AS found FROM deliveries WHERE request_id = ? AND channel = ?
    AND recipient = ? AND (status = 'sent' OR in_doubt = 1) LIMIT 1`);
  const settleRow = database.prepare(`UPDATE deliveries SET status = ?, next_at = ?, owner = NULL,
    in_doubt = max(in_doubt, ?), receipt = ?, tries = ?, settled_at = ?
    WHERE delivery_id = ? AND owner = ? AND attempts = ? AND status = 'pending'`);
  const closing = database.prepare(`SELECT 1 AS found FROM deliveries WHERE request_id = ? AND channel = ?
    AND recipient = ? AND kind = 'close' LIMIT 1`);

  function claim({ channel, owner, leaseMs, now }: Claim): ClaimedDelivery | null {
    const row = firstRow<DeliveryRow>(due, channel, now);
    if (!row) return null;
    take.run(owner, now + leaseMs, row.num);
    const place = [row.requestId, channel, row.recipient];
    const found = firstRow<{ receipt: string | null }>(receipt, ...place)?.receipt ?? null;
    return {
      delivery: toDelivery({ ...row, attempts: row.attempts + 1, nextAt: now + leaseMs }),
      owner,
      copyReceipt: found === null ? null : (JSON.parse(found) as Json), // written by `settle`
      mayBeOut: firstRow(outside, ...place) !== undefined,
    };
  }

  function settle({ delivery, owner }: ClaimedDelivery, outcome: DeliveryOutcome, now: number): boolean {
    const { deliveryId, channel, requestId, recipient, kind, attempts } = delivery;
    const isClosed = kind !== "close" && firstRow(closing, requestId, channel, recipient) !== undefined;
    const isRetry = outcome.kind === "retry" && !isClosed; // nobody is asked late
    const status = isRetry ? "pending" : outcome.kind === "retry" ? "dropped" : outcome.kind;
    const { changes } = settleRow.run(
      status,
      isRetry ? outcome.at : null,
      outcome.kind === "retry" && outcome.arrived === "unknown" ? 1 : 0,
      outcome.kind === "sent" ? JSON.stringify(outcome.receipt) : null,
      JSON.stringify(triesAfter(delivery.tries, outcome, now)),
      isRetry ? null : now,
      deliveryId,
      owner,
      attempts,
    );
    return changes === 1;
  }

  return {
    claim,
    settle,
    isDue: (channel: string, now: number) => firstRow(due, channel, now) !== undefined,
  };
}

function triesAfter(
  before: readonly DeliveryTry[],
  outcome: DeliveryOutcome,
  now: number,
): readonly DeliveryTry[] {
  if (outcome.kind !== "retry" && outcome.kind !== "dead") return before;
  const error = columnText(outcome.error).slice(0, maxErrorLength);
  return [...before, { at: new Date(now).toISOString(), error }].slice(-maxTries);
}
