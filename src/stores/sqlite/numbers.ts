// I2. What each thread adds to the statistics, written in the transaction of its events: by `countEvent` of core, which
// also says what a whole log adds. Most events add nothing and cost no statement.
//
// C1. To count an event the ones before it must have been counted. That state is remembered; where it is not, or others
//     appended meanwhile, it is made up from the log, and only for events that may add something.
import type { DatabaseSync } from "node:sqlite";
import { decodeEvent } from "../../core/codec.ts";
import type { ThreadEvent } from "../../core/events.ts";
import type { Fact, ThreadNumbers } from "../../core/numbers/facts.ts";
import {
  type CountingState,
  countEvent,
  initialCounting,
  mayCount,
} from "../../core/numbers/thread-numbers.ts";
import type { NewEvent } from "../../ports/store.ts";
import { type NumbersRows, numbersRows } from "./numbers-rows.ts";
import { RecentMap } from "./recent-map.ts";
import { allRows } from "./rows.ts";

/** The end of a log. */
interface LogEnd {
  readonly threadNum: number;
  readonly seq: number;
  /** Of the last event, in `events`. */
  readonly eventId: number;
}

export interface Numbers {
  /** Counts events that were just written after `before`. To be run in their transaction. */
  count(before: LogEnd, events: readonly NewEvent[]): void;
  /** Forgets all states: a transaction was rolled back. */
  forget(): void;
}

interface Counted {
  readonly state: CountingState;
  /** The last event in it. */
  seq: number;
}

/** Of how many threads the state is remembered, twice: mostly some hundred bytes each. */
const rememberedStates = 4_096;

export function createNumbers(database: DatabaseSync): Numbers {
  const states = new RecentMap<number, Counted>(rememberedStates);
  const readTail = createReadTail(database);
  const rows = numbersRows(database);

  function count(before: LogEnd, events: readonly NewEvent[]): void {
    const { threadNum, seq } = before;
    const known = seq === 0 ? { state: initialCounting(), seq: 0 } : states.get(threadNum);
    if (known?.seq !== seq && !events.some(({ body }) => mayCount(body))) return;
    const counted = known?.seq === seq ? known : caughtUp(before, known);
    if (!counted) return;
    for (const { body, at } of events) {
      counted.seq += 1;
      // The spread loses the union; a copy for each event would cost more than counting it.
      const counts = countEvent(counted.state, { ...body, seq: counted.seq, at } as ThreadEvent);
      if (counts.facts.length > 0 || counts.ended) write(rows, threadNum, counts);
    }
    states.set(threadNum, counted);
  }

  /** `null` for a log that is damaged: `verify` says so, and nothing is counted of it. */
  function caughtUp(before: LogEnd, known: Counted = { state: initialCounting(), seq: 0 }): Counted | null {
    states.delete(before.threadNum); // what is half caught up is of no use
    try {
      for (const event of readTail(before, known.seq)) countEvent(known.state, event);
    } catch {
      return null;
    }
    known.seq = before.seq;
    return known;
  }

  return { count, forget: () => states.clear() };
}

function write(
  { addFact, end }: NumbersRows,
  threadNum: number,
  { facts, ended }: { readonly facts: readonly Fact[]; readonly ended: ThreadNumbers | null },
): void {
  for (const fact of facts) addFact(threadNum, fact);
  if (ended) end(threadNum, ended);
}

/** The events of a log after a `seq`, up to one of its events. @throws for one that is damaged. */
function createReadTail(database: DatabaseSync): (end: LogEnd, afterSeq: number) => readonly ThreadEvent[] {
  const walk = database.prepare(`WITH RECURSIVE log (id, prev, seq, body) AS (
    SELECT id, prev, seq, body FROM events WHERE id = ? AND thread_num = ?
    UNION ALL
    SELECT e.id, e.prev, e.seq, e.body FROM log JOIN events e ON e.id = log.prev
    WHERE log.seq > ? + 1 AND e.id < log.id AND e.thread_num = ?
  ) SELECT seq, body FROM log`);

  return ({ eventId, threadNum, seq }, afterSeq) => {
    const found = allRows<{ seq: number; body: string }>(walk, eventId, threadNum, afterSeq, threadNum);
    if (found.length !== seq - afterSeq) throw new Error("some events are missing");
    return found.reverse().map((row) => decodeEvent(row.body, row.seq, ""));
  };
}
