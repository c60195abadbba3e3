import type { DatabaseSync } from "node:sqlite";
import { checkLog } from "./check-log.ts";
import { createDueCheck } from "./due-check.ts";
import { foldProjections } from "./fold.ts";
import { createLogFinder } from "./found-log.ts";
import { createStoredProjections, differences } from "./stored-projections.ts";
import { rebuildTotals } from "./tallies.ts";

/** Threads per transaction: other processes wait for one of these at most. */
const batch = 100;

/**
 * Replaces the projections of the next threads after `afterNum` that differ by what their events say. A thread whose log
 * is not sound keeps its rows: what they should be, nobody knows. To be run in a transaction.
 *
 * @returns the last thread's number, to go on from; `null` at the end.
 */
export type RebuildBatch = (afterNum: number, threadId: string | undefined) => number | null;

export function createRebuild(database: DatabaseSync): RebuildBatch {
  const logs = createLogFinder(database);
  const projections = createStoredProjections(database);
  const dueCheck = createDueCheck(database);
  const strays = [
    ...["requests", "waits", "untaken_signals", "tallies", "thread_numbers", "thread_facts"],
  ].map((table) =>
    database.prepare(`DELETE FROM ${table} WHERE thread_num NOT IN
      (SELECT thread_num FROM heads UNION SELECT thread_num FROM threads)`),
  );

  return (afterNum, threadId) => {
    let last = afterNum;
    for (let count = 0; count < batch; count++) {
      const head = logs.next(last, threadId);
      if (!head) {
        if (threadId !== undefined) return null;
        for (const statement of strays) statement.run();
        database.exec(rebuildTotals);
        return null;
      }
      last = head.threadNum;
      const log = logs.find(head);
      const { problems, events } = checkLog(log);
      if (problems.length > 0) continue;
      const folded = foldProjections(events);
      const differs = differences(projections.read(head.threadNum), folded).length > 0;
      if (differs || dueCheck(head.threadNum, folded).length > 0)
        projections.replace(head.threadNum, log.threadId, folded);
    }
    return last;
  };
}
