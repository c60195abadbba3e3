// O1. A channel's cursor moves from where its mover saw it, in the transaction that writes what follows from the events
//     behind it: no event is passed by, none is used twice, whatever process dies when.
// O2. The deliveries of a copy leave in their order: one is claimed when none before it is pending.
// O3. Whether something may have arrived is never forgotten: a close is owed to every copy that may be out there.
import type { DatabaseSync } from "node:sqlite";
import { HoldpointError } from "../../core/errors.ts";
import type { OutboxDelivery, OutboxStore } from "../../ports/outbox.ts";
import { Refusal } from "./group-commit.ts";
import { createAdvance } from "./outbox-advance.ts";
import { createClaims } from "./outbox-claims.ts";
import { createDeliveryPages, type DeliveryRow, deliveryColumns, toDelivery } from "./outbox-pages.ts";
import { createUnseen } from "./outbox-unseen.ts";
import { firstRow } from "./rows.ts";

/** How the store's calls reach the file. */
interface Access {
  readonly read: <T>(action: () => T) => Promise<T>;
  readonly write: <T>(operation: () => T | Refusal) => Promise<T>;
}

export function createOutbox(database: DatabaseSync, access: Access): OutboxStore {
  const unseen = createUnseen(database);
  const advance = createAdvance(database);
  const claims = createClaims(database);
  const pages = createDeliveryPages(database);
  const retry = createRetry(database);

  return {
    unseen: (channel) => access.read(() => unseen(channel)),
    advance: (request) => access.write(() => advance(request)),
    async claim(request) {
      const isDue = await access.read(() => claims.isDue(request.channel, request.now)); // a look costs no commit
      return isDue ? access.write(() => claims.claim(request)) : null;
    },
    settle: (claimed, outcome, now) => access.write(() => claims.settle(claimed, outcome, now)),
    deliveries: (query) => access.read(() => pages(query)),
    retry: (deliveryId, now) => access.write(() => retry(deliveryId, now)),
  };
}

function createRetry(database: DatabaseSync) {
  const select = database.prepare(`SELECT ${deliveryColumns} FROM deliveries d WHERE delivery_id = ?`);
  const status = database.prepare(
    "SELECT status FROM requests WHERE request_id = ? ORDER BY event_id DESC LIMIT 1",
  );
  const renew = database.prepare(`UPDATE deliveries SET status = 'pending', next_at = ?, created_at = ?,
    settled_at = NULL WHERE num = ?`);

  return (deliveryId: string, now: number): OutboxDelivery | Refusal => {
    const row = firstRow<DeliveryRow>(select, deliveryId);
    if (!row) return new Refusal(noDelivery(deliveryId));
    if (row.status !== "dead")
      return new Refusal(new HoldpointError("usage", `delivery ${deliveryId} is ${row.status}, not dead`));
    const request = firstRow<{ status: string }>(status, row.requestId)?.status ?? "gone";
    if (row.kind !== "close" && request !== "open")
      return new Refusal(
        new HoldpointError("usage", `nobody is to be asked any more: request ${row.requestId} is ${request}`),
      );
    renew.run(now, now, row.num);
    return toDelivery({ ...row, status: "pending", nextAt: now, createdAt: now, settledAt: null });
  };
}

function noDelivery(deliveryId: string): HoldpointError {
  return new HoldpointError("delivery_not_found", `there is no delivery ${deliveryId}`, {
    fix: "`holdpoint deliveries` lists them.",
  });
}
