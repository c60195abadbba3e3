// S1. Events lie in the order of their commits, so what is new is what has a higher number.
import type { DatabaseSync } from "node:sqlite";
import type { EventFeed, StoreCounts } from "../../ports/event-feed.ts";
import type { Access } from "./access.ts";
import { allRows, firstRow } from "./rows.ts";

interface StatusCount {
  readonly status: string;
  readonly count: number;
}

export function createFeed(database: DatabaseSync, access: Access): EventFeed {
  const head = database.prepare("SELECT max(id) AS id FROM events");
  const changed = database.prepare(
    `SELECT DISTINCT thread_id AS threadId FROM events JOIN threads USING (thread_num) WHERE id > ? AND id <= ?`,
  );
  const threads = database.prepare("SELECT status, count(*) AS count FROM threads GROUP BY status");
  const requests = database.prepare("SELECT status, count(*) AS count FROM requests GROUP BY status");
  const oldest = database.prepare("SELECT min(opened_at) AS at FROM requests WHERE status = 'open'");
  const newest = (): number => firstRow<{ id: number | null }>(head)?.id ?? 0;

  return {
    head: () => access.read(newest),
    changed: (after, upTo) =>
      access.read(() => allRows<{ threadId: string }>(changed, after, upTo).map((row) => row.threadId)),
    counts: () =>
      access.read(
        (): StoreCounts => ({
          threads: countsOf(allRows<StatusCount>(threads)),
          requests: countsOf(allRows<StatusCount>(requests)),
          oldestOpenAt: firstRow<{ at: string | null }>(oldest)?.at ?? null,
          events: newest(),
        }),
      ),
  };
}

function countsOf(rows: readonly StatusCount[]): Readonly<Record<string, number>> {
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}
