import type { DatabaseSync } from "node:sqlite";
import { recount } from "../../core/numbers/thread-numbers.ts";
import { checkLog } from "./check-log.ts";
import { createLogFinder } from "./found-log.ts";
import { numbersRows } from "./numbers-rows.ts";

/**
 * Counts all logs of a file that was made before there were numbers. To be run in a transaction. A log that is not sound
 * is left out: `verify` names it.
 */
export function fillNumbers(database: DatabaseSync): void {
  const logs = createLogFinder(database);
  const rows = numbersRows(database);
  for (let head = logs.next(0); head; head = logs.next(head.threadNum)) {
    const { problems, events } = checkLog(logs.find(head));
    if (problems.length === 0) rows.replace(head.threadNum, recount(events.map(([, event]) => event)));
  }
}
