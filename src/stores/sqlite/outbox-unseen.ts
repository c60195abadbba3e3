import type { DatabaseSync } from "node:sqlite";
import type { Json } from "../../core/json.ts";
import type { OutboxBatch, OutboxFact } from "../../ports/outbox.ts";
import { columnText } from "./columns.ts";
import { allRows, firstRow } from "./rows.ts";

/** Events that are looked at in one go. */
const batchSize = 1_000;

interface EventRow {
  readonly eventId: number;
  readonly threadId: string;
  readonly body: string;
}

/** @returns what `OutboxStore.unseen` does. */
export function createUnseen(database: DatabaseSync): (channel: string) => OutboxBatch | null {
  const cursor = database.prepare("SELECT event_id AS eventId FROM outbox_cursors WHERE channel = ?");
  const beginning =
    database.prepare(`SELECT coalesce((SELECT min(event_id) - 1 FROM requests WHERE status = 'open'),
    (SELECT max(id) FROM events), 0) AS eventId`);
  const last = database.prepare(
    "SELECT max(id) AS eventId FROM (SELECT id FROM events WHERE id > ? ORDER BY id LIMIT ?)",
  );
  // a quote within a JSON text is escaped, so only members match; what is left is parsed
  const events = database.prepare(`SELECT id AS eventId, thread_id AS threadId, body
    FROM events JOIN threads USING (thread_num) WHERE id > ? AND id <= ?
    AND (instr(body, '"type":"request_') > 0 OR instr(body, '"type":"thread_') > 0) ORDER BY id`);

  return (channel: string): OutboxBatch | null => {
    const known = firstRow<{ eventId: number }>(cursor, channel)?.eventId;
    const from = known ?? firstRow<{ eventId: number }>(beginning)?.eventId ?? 0;
    const to = firstRow<{ eventId: number | null }>(last, from, batchSize)?.eventId ?? from;
    if (to === from && known !== undefined) return null;
    const facts = allRows<EventRow>(events, from, to).flatMap((row) => factOf(row) ?? []);
    return { from, to, facts };
  };
}

/** `null` for an event that the log's readers refuse: `verify` names it, and the others are not held up. */
function factOf({ eventId, threadId, body }: EventRow): OutboxFact | null {
  const { type, requestId, approvers, to } = membersOf(body);
  const named = type === "request_escalated" ? to : approvers;
  if (typeof type !== "string") return null;
  return {
    eventId,
    threadId,
    type,
    requestId: typeof requestId === "string" ? columnText(requestId) : null,
    approvers: Array.isArray(named) ? named.filter((each) => typeof each === "string") : null,
  };
}

interface EventMembers {
  readonly type?: Json;
  readonly requestId?: Json;
  readonly approvers?: Json;
  /** Of an escalation, whom it goes to. */
  readonly to?: Json;
}

function membersOf(body: string): EventMembers {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {};
  }
}
