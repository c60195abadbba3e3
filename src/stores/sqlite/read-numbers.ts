import type { DatabaseSync } from "node:sqlite";
import type { CountedAnswer, CountedThread, FactCount, NumbersStore } from "../../ports/numbers-store.ts";
import type { Access } from "./access.ts";
import { columnText } from "./columns.ts";
import { endedColumns, endedFrom } from "./numbers-rows.ts";
import { allRows } from "./rows.ts";

type ThreadRow = Omit<CountedThread, "accepted"> & { readonly accepted: 0 | 1 | null };

const agentColumns = "agent, agent_version AS agentVersion";

/** Whole days; the times of events are of our era. */
const dayOfFact = "at / 86400000 AS day";

export function createNumbersStore(database: DatabaseSync, { read }: Access): NumbersStore {
  const threads = database.prepare(`SELECT ${agentColumns}, ${endedColumns}
    FROM thread_numbers JOIN threads USING (thread_num)
    WHERE ended_at >= ? AND ended_at < ? AND agent = coalesce(?, agent)`);
  const facts = database.prepare(`SELECT ${agentColumns}, ${dayOfFact}, kind, count(*) AS count
    FROM thread_facts JOIN threads USING (thread_num)
    WHERE at >= ? AND at < ? AND agent = coalesce(?, agent) GROUP BY agent, agent_version, day, kind`);
  const answers = database.prepare(`SELECT ${agentColumns}, ${dayOfFact}, amount AS openMs
    FROM thread_facts JOIN threads USING (thread_num)
    WHERE at >= ? AND at < ? AND agent = coalesce(?, agent) AND kind = 'answered'`);

  return {
    read: ({ from, until, agent }) =>
      read(() => {
        const values = [from, until, agent === undefined ? null : columnText(agent)] as const;
        return inSnapshot(database, () => ({
          threads: allRows<ThreadRow>(threads, ...values).map(endedFrom),
          facts: allRows<FactCount>(facts, ...values),
          answers: allRows<CountedAnswer>(answers, ...values),
        }));
      }),
  };
}

function inSnapshot<T>(database: DatabaseSync, action: () => T): T {
  database.exec("BEGIN");
  try {
    return action();
  } finally {
    if (database.isTransaction) database.exec("COMMIT");
  }
}
