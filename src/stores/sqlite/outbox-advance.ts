// O1 and O3 of `outbox.ts`: the cursor moves with what follows, and every copy that may be out there is closed.
import type { DatabaseSync } from "node:sqlite";
import { deliveryIdFor } from "../../core/digest.ts";
import type { NoticeKind } from "../../ports/channel.ts";
import type { OutboxChange, OutboxStore } from "../../ports/outbox.ts";
import { columnText } from "./columns.ts";
import { allRows, firstRow } from "./rows.ts";

type Advance = Parameters<OutboxStore["advance"]>[0];

interface CopyRow {
  readonly deliveryId: string;
  readonly recipient: string;
  readonly kind: NoticeKind;
  readonly status: string;
  readonly owner: string | null;
  readonly inDoubt: number;
}

/** @returns what `OutboxStore.advance` does, within a transaction. */
export function createAdvance(database: DatabaseSync): (advance: Advance) => boolean {
  const cursor = database.prepare("SELECT event_id AS eventId FROM outbox_cursors WHERE channel = ?");
  const moveCursor = database.prepare(`INSERT INTO outbox_cursors (channel, event_id) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET event_id = excluded.event_id`);
  const threadOf = database.prepare("SELECT thread_num AS num FROM requests WHERE request_id = ?");
  const outOf = database.prepare(`SELECT DISTINCT request_id AS requestId FROM deliveries
    WHERE thread_num = (SELECT thread_num FROM threads WHERE thread_id = ?) AND channel = ?`);
  const copies = database.prepare(`SELECT delivery_id AS deliveryId, recipient, kind, status, owner,
    in_doubt AS inDoubt FROM deliveries WHERE request_id = ? AND channel = ? ORDER BY num`);
  const drop = database.prepare(
    "UPDATE deliveries SET status = 'dropped', next_at = NULL, settled_at = ? WHERE delivery_id = ?",
  );
  const insert = database.prepare(`INSERT OR IGNORE INTO deliveries
    (delivery_id, channel, thread_num, request_id, recipient, kind, created_at, next_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);

  return ({ channel, from, to, changes, now }: Advance): boolean => {
    const known = firstRow<{ eventId: number }>(cursor, channel)?.eventId;
    if (known !== undefined && known !== from) return false;
    moveCursor.run(channel, to);
    for (const change of changes) apply(change);
    return true;

    function apply(change: OutboxChange): void {
      if (change.kind === "ask") ask(change);
      else if (change.kind === "end") endThread(change);
      else followUp(change.kind, change.requestId, change.eventId);
    }

    /** A recipient that has a copy, such as a channel that everybody reads, hears that it is asked again. */
    function ask({ requestId, recipients, eventId }: Extract<OutboxChange, { kind: "ask" }>): void {
      const known = Map.groupBy(allRows<CopyRow>(copies, requestId, channel), ({ recipient }) => recipient);
      for (const recipient of new Set(recipients.map(columnText))) {
        const copy = known.get(recipient);
        if (copy) follow("remind", requestId, recipient, copy, eventId);
        else add("ask", requestId, recipient, eventId);
      }
    }

    function endThread({ threadId, eventId }: Extract<OutboxChange, { kind: "end" }>): void {
      for (const { requestId } of allRows<{ requestId: string }>(outOf, columnText(threadId), channel))
        followUp("close", requestId, eventId);
    }

    function followUp(kind: "remind" | "update" | "close", requestId: string, eventId: number): void {
      const rows = allRows<CopyRow>(copies, requestId, channel);
      for (const [recipient, copy] of Map.groupBy(rows, (row) => row.recipient))
        follow(kind, requestId, recipient, copy, eventId);
    }

    function follow(
      kind: "remind" | "update" | "close",
      requestId: string,
      recipient: string,
      copy: readonly CopyRow[],
      eventId: number,
    ): void {
      if (copy.some((row) => row.kind === "close")) return;
      const waiting = copy.filter(({ status, owner }) => status === "pending" && owner === null);
      if (kind === "close") for (const { deliveryId } of waiting) drop.run(now, deliveryId);
      else if (waiting.some((row) => row.kind === kind || row.kind === "ask")) return; // it will tell the same
      if (copy.some(mayBeOut)) add(kind, requestId, recipient, eventId);
    }

    function add(kind: NoticeKind, requestId: string, recipient: string, eventId: number): void {
      const threadNum = firstRow<{ num: number }>(threadOf, requestId)?.num;
      if (threadNum === undefined) return; // removed meanwhile
      const deliveryId = deliveryIdFor(channel, recipient, requestId, { eventId, kind });
      insert.run(deliveryId, channel, threadNum, requestId, recipient, kind, now, now);
    }
  };
}

/** O3. Sent, under way, or left by a try of which nobody knows how it ended. */
function mayBeOut({ status, owner, inDoubt }: CopyRow): boolean {
  return status === "sent" || inDoubt === 1 || (status === "pending" && owner !== null);
}
