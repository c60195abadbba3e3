import type { DatabaseSync } from "node:sqlite";
import { HoldpointError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { NoticeKind } from "../../ports/channel.ts";
import type { DeliveryQuery, DeliveryStatus, DeliveryTry, OutboxDelivery } from "../../ports/outbox.ts";
import type { Page } from "../../ports/store.ts";
import { columnText } from "./columns.ts";
import { toIso } from "./dispatch-time.ts";
import { allRows } from "./rows.ts";

export interface DeliveryRow {
  readonly num: number;
  readonly deliveryId: string;
  readonly channel: string;
  readonly threadId: string;
  readonly requestId: string;
  readonly recipient: string;
  readonly kind: NoticeKind;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly createdAt: number;
  readonly nextAt: number | null;
  readonly settledAt: number | null;
  readonly receipt: string | null;
  readonly tries: string;
}

/** Of `deliveries d`. */
export const deliveryColumns = `num, delivery_id AS deliveryId, channel,
  (SELECT thread_id FROM threads t WHERE t.thread_num = d.thread_num) AS threadId, request_id AS requestId, recipient,
  kind, status, attempts, created_at AS createdAt, next_at AS nextAt, settled_at AS settledAt, receipt, tries`;

/** The column texts are ours: `createClaims` writes them. */
export function toDelivery(row: DeliveryRow): OutboxDelivery {
  const { num: _, createdAt, nextAt, settledAt, receipt, tries, ...rest } = row;
  return {
    ...rest,
    createdAt: toIso(createdAt) ?? "",
    nextAt: nextAt === null ? null : toIso(nextAt),
    settledAt: settledAt === null ? null : toIso(settledAt),
    receipt: receipt === null ? null : (JSON.parse(receipt) as Json),
    tries: JSON.parse(tries) as DeliveryTry[],
  };
}

export function createDeliveryPages(database: DatabaseSync): (query: DeliveryQuery) => Page<OutboxDelivery> {
  // `? IS NULL OR …`: lists of deliveries are for people, and short beside the log
  const select = database.prepare(`SELECT ${deliveryColumns} FROM deliveries d WHERE num > ?
    AND (? IS NULL OR status = ?) AND (? IS NULL OR channel = ?) AND (? IS NULL OR request_id = ?)
    ORDER BY num LIMIT ?`);

  return ({ status = null, channel = null, requestId, limit = 50, cursor = "0" }) => {
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
      throw new HoldpointError("usage", `a page has 1 to 1000 rows, not ${limit}`);
    if (!/^\d{1,15}$/.test(cursor))
      throw new HoldpointError("usage", `${JSON.stringify(cursor)} is no cursor of this list`, {
        fix: "Pass on `nextCursor` of the page before.",
      });
    const request = requestId === undefined ? null : columnText(requestId);
    const rows = allRows<DeliveryRow>(
      select,
      Number(cursor),
      ...[status, status, channel, channel, request, request],
      limit + 1,
    );
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      rows: shown.map(toDelivery),
      nextCursor: rows.length > limit && last ? String(last.num) : null,
    };
  };
}
