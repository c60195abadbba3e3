// O1. A channel's cursor moves from where its mover saw it, in the transaction that writes what follows from the events
//     behind it: no event is passed by, none is used twice, whatever process dies when.
// O2. The deliveries of a copy leave in their order: one is claimed when none before it is pending.
// O3. Whether something may have arrived is never forgotten: a close is owed to every copy that may be out there.
import type { DatabaseSync } from "node:sqlite";
import { deliveryIdFor } from "../../core/digest.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { NoticeKind } from "../../ports/channel.ts";
import type {
  ClaimedDelivery,
  Delivery,
  DeliveryOutcome,
  DeliveryTry,
  OutboxBatch,
  OutboxChange,
  OutboxFact,
  OutboxStore,
} from "../../ports/outbox.ts";
import { columnText } from "./columns.ts";
import { Refusal } from "./group-commit.ts";
import { createDeliveryPages, type DeliveryRow, deliveryColumns, toDelivery } from "./outbox-pages.ts";
import { allRows, firstRow } from "./rows.ts";

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

/** Events that are looked at in one go. */
const batchSize = 1_000;

interface EventRow {
  readonly eventId: number;
  readonly threadId: string;
  readonly body: string;
}

function createUnseen(database: DatabaseSync) {
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

interface CopyRow {
  readonly deliveryId: string;
  readonly recipient: string;
  readonly kind: NoticeKind;
  readonly status: string;
  readonly owner: string | null;
  readonly inDoubt: number;
}

function createAdvance(database: DatabaseSync) {
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

  return ({ channel, from, to, changes, now }: Parameters<OutboxStore["advance"]>[0]): boolean => {
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

    function ask({ requestId, recipients, eventId }: Extract<OutboxChange, { kind: "ask" }>): void {
      const known = new Set(allRows<CopyRow>(copies, requestId, channel).map(({ recipient }) => recipient));
      for (const recipient of new Set(recipients.map(columnText)))
        if (!known.has(recipient)) add("ask", requestId, recipient, eventId);
    }

    function endThread({ threadId, eventId }: Extract<OutboxChange, { kind: "end" }>): void {
      for (const { requestId } of allRows<{ requestId: string }>(outOf, columnText(threadId), channel))
        followUp("close", requestId, eventId);
    }

    function followUp(kind: "remind" | "update" | "close", requestId: string, eventId: number): void {
      const rows = allRows<CopyRow>(copies, requestId, channel);
      for (const [recipient, copy] of Map.groupBy(rows, (row) => row.recipient)) {
        if (copy.some((row) => row.kind === "close")) continue;
        const waiting = copy.filter(({ status, owner }) => status === "pending" && owner === null);
        if (kind === "close") for (const { deliveryId } of waiting) drop.run(now, deliveryId);
        else if (waiting.some((row) => row.kind === kind || row.kind === "ask")) continue; // it will tell the same
        if (copy.some(mayBeOut)) add(kind, requestId, recipient, eventId);
      }
    }

    function add(kind: NoticeKind, requestId: string, recipient: string, eventId: number): void {
      const threadNum = firstRow<{ num: number }>(threadOf, requestId)?.num;
      if (threadNum === undefined) return; // removed meanwhile
      const deliveryId = deliveryIdFor(channel, recipient, requestId, eventId);
      insert.run(deliveryId, channel, threadNum, requestId, recipient, kind, now, now);
    }
  };
}

/** O3. Sent, under way, or left by a try of which nobody knows how it ended. */
function mayBeOut({ status, owner, inDoubt }: CopyRow): boolean {
  return status === "sent" || inDoubt === 1 || (status === "pending" && owner !== null);
}

/** How many failures a delivery remembers, and how much of each. */
const maxTries = 10;
const maxErrorLength = 500;

function createClaims(database: DatabaseSync) {
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

  function claim({
    channel,
    owner,
    leaseMs,
    now,
  }: Parameters<OutboxStore["claim"]>[0]): ClaimedDelivery | null {
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

function createRetry(database: DatabaseSync) {
  const select = database.prepare(`SELECT ${deliveryColumns} FROM deliveries d WHERE delivery_id = ?`);
  const status = database.prepare(
    "SELECT status FROM requests WHERE request_id = ? ORDER BY event_id DESC LIMIT 1",
  );
  const renew = database.prepare(`UPDATE deliveries SET status = 'pending', next_at = ?, created_at = ?,
    settled_at = NULL WHERE num = ?`);

  return (deliveryId: string, now: number): Delivery | Refusal => {
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
