import type { DatabaseSync } from "node:sqlite";
import type { ScheduleClaim, ScheduleRow, ScheduleStore, WaitingTick } from "../../ports/schedule-store.ts";
import { columnText } from "./columns.ts";
import { allRows } from "./rows.ts";

/** How a side table reaches the file: reads at once, writes in the store's grouped transactions. */
interface Access {
  read<T>(action: () => T): Promise<T>;
  write<T>(operation: () => T): Promise<T>;
}

export function createSchedules(database: DatabaseSync, { read, write }: Access): ScheduleStore {
  let prepared: Statements | undefined;
  const sql = (): Statements => {
    prepared ??= prepareStatements(database);
    return prepared;
  };
  return {
    register: ({ name, definition, now }) => write(() => void sql().register.run(name, definition, now)),
    list: () => read(() => allRows<ScheduleRow>(sql().list)),
    claim: (claim) => write(() => claimTicks(sql(), claim)),
    waiting: (name, limit) => read(() => allRows<WaitingTick>(sql().waiting, name, limit)),
    started: ({ name, tick, threadId }) =>
      write(() => {
        sql().remove.run(name, tick);
        sql().started.run(tick, threadId, name, tick);
      }),
    failed: ({ name, tick, problem }) =>
      write(() => {
        sql().remove.run(name, tick);
        sql().failed.run(columnText(problem), name);
      }),
    pause: ({ name, by, now }) => write(() => sql().pause.run(columnText(by), now, name).changes > 0),
    resume: ({ name, now }) => write(() => sql().resume.run(now, name).changes > 0),
  };
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(database: DatabaseSync) {
  return {
    register: database.prepare(`INSERT INTO schedules (name, definition, cursor) VALUES (?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, cursor = excluded.cursor
      WHERE definition <> excluded.definition`),
    list: database.prepare(`SELECT name, definition, cursor, paused_at AS pausedAt, paused_by AS pausedBy,
      last_tick AS lastTick, last_thread_id AS lastThreadId, problem,
      (SELECT count(*) FROM schedule_ticks AS waiting WHERE waiting.name = schedules.name) AS waiting
      FROM schedules ORDER BY name`),
    claim: database.prepare(`UPDATE schedules SET cursor = ?, problem = ?
      WHERE name = ? AND definition = ? AND cursor = ? AND paused_at IS NULL`),
    add: database.prepare("INSERT OR IGNORE INTO schedule_ticks (name, tick, agent) VALUES (?, ?, ?)"),
    waiting: database.prepare(
      "SELECT name, tick, agent FROM schedule_ticks WHERE name = ? ORDER BY tick LIMIT ?",
    ),
    remove: database.prepare("DELETE FROM schedule_ticks WHERE name = ? AND tick = ?"),
    started: database.prepare(`UPDATE schedules SET last_tick = ?, last_thread_id = ?
      WHERE name = ? AND (last_tick IS NULL OR last_tick <= ?)`),
    failed: database.prepare("UPDATE schedules SET problem = ? WHERE name = ?"),
    pause: database.prepare(`UPDATE schedules SET paused_by = iif(paused_at IS NULL, ?, paused_by),
      paused_at = coalesce(paused_at, ?) WHERE name = ?`),
    resume: database.prepare(`UPDATE schedules SET cursor = iif(paused_at IS NULL, cursor, ?),
      paused_at = NULL, paused_by = NULL WHERE name = ?`),
  };
}

function claimTicks(sql: Statements, claim: ScheduleClaim): boolean {
  const { name, definition, from, to, ticks, agent, problem } = claim;
  const { changes } = sql.claim.run(to, problem && columnText(problem), name, definition, from);
  if (changes === 0) return false;
  for (const tick of ticks) sql.add.run(name, tick, agent);
  return true;
}
