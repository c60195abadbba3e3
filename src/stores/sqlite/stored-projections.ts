import type { DatabaseSync } from "node:sqlite";
import { readySince, toMs } from "./dispatch-time.ts";
import { type Folded, type FoldedRequest, type FoldedWait, tallyKey } from "./fold.ts";
import { numbersRows, type StoredNumbers } from "./numbers-rows.ts";
import { allRows, firstRow } from "./rows.ts";

export interface StoredProjections {
  /** A thread's rows, in the shape of the fold; `null` when it has no row in `threads`. */
  read(threadNum: number): Folded | null;
  /**
   * Replaces a thread's rows. Who holds its lease goes on holding it (D1: time alone ends none): what is under way would
   * else be started a second time. An open thread that nobody holds is due at once.
   */
  replace(threadNum: number, threadId: string, folded: Folded): void;
}

export function createStoredProjections(database: DatabaseSync): StoredProjections {
  return { read: createRead(database), replace: createReplace(database) };
}

function createRead(database: DatabaseSync): StoredProjections["read"] {
  const thread = database.prepare(`SELECT agent, agent_version AS agentVersion, title, parent_id AS parentId,
    created_at AS createdAt, updated_at AS updatedAt, status, ended, decisions,
    input_tokens AS inputTokens, output_tokens AS outputTokens
    FROM threads JOIN heads USING (thread_num) WHERE thread_num = ?`);
  const waits = database.prepare(
    "SELECT key, seq, signal, due_at AS dueAt FROM waits WHERE thread_num = ? ORDER BY seq, key",
  );
  const untakenSignals = database.prepare("SELECT signal, untaken FROM untaken_signals WHERE thread_num = ?");
  const tallies = database.prepare("SELECT day, name, amount FROM tallies WHERE thread_num = ?");
  const requests =
    database.prepare(`SELECT event_id AS eventId, request_id AS requestId, opened_at AS openedAt,
    expires_at AS expiresAt, status, closing_id AS closingId FROM requests WHERE thread_num = ? ORDER BY event_id`);

  const numbers = numbersRows(database);

  return (threadNum) => {
    const row = firstRow<Folded["thread"]>(thread, threadNum);
    if (!row) return null;
    const waitRows = allRows<FoldedWait & { key: string }>(waits, threadNum);
    const signalRows = allRows<{ signal: string; untaken: number }>(untakenSignals, threadNum);
    const tallyRows = allRows<{ day: string; name: string; amount: number }>(tallies, threadNum);
    const requestRows = allRows<FoldedRequest & { eventId: number }>(requests, threadNum);
    return {
      thread: { ...row },
      waits: new Map(waitRows.map(({ key, ...wait }) => [key, wait])),
      untakenSignals: new Map(signalRows.map(({ signal, untaken }) => [signal, untaken])),
      tallies: new Map(tallyRows.map(({ day, name, amount }) => [tallyKey(day, name), amount])),
      requests: new Map(requestRows.map(({ eventId, ...request }) => [eventId, request])),
      numbers: numbers.read(threadNum),
    };
  };
}

function createReplace(database: DatabaseSync): StoredProjections["replace"] {
  const cleared = ["waits", "untaken_signals", "tallies", "requests"].map((table) =>
    database.prepare(`DELETE FROM ${table} WHERE thread_num = ?`),
  );
  const thread =
    database.prepare(`INSERT OR REPLACE INTO threads (thread_num, thread_id, agent, agent_version, title,
    parent_id, created_at, status, decisions, input_tokens, output_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const head = database.prepare(`UPDATE heads SET updated_at = ?, ended = ?,
    due_at = CASE WHEN ? = 1 THEN NULL WHEN lease_owner IS NULL THEN ? ELSE ifnull(lease_until, ?) END
    WHERE thread_num = ?`);
  const wait = database.prepare(
    "INSERT INTO waits (thread_num, key, seq, signal, due_at) VALUES (?, ?, ?, ?, ?)",
  );
  const signal = database.prepare(
    "INSERT INTO untaken_signals (thread_num, signal, untaken) VALUES (?, ?, ?)",
  );
  const tally = database.prepare("INSERT INTO tallies (day, name, thread_num, amount) VALUES (?, ?, ?, ?)");
  const request = database.prepare(`INSERT INTO requests
    (event_id, thread_num, request_id, status, opened_at, expires_at, closing_id) VALUES (?, ?, ?, ?, ?, ?, ?)`);

  const numbers = numbersRows(database);

  return (threadNum, threadId, folded) => {
    const { agent, agentVersion, title, parentId, createdAt, updatedAt, status, ended } = folded.thread;
    const { decisions, inputTokens, outputTokens } = folded.thread;
    for (const statement of cleared) statement.run(threadNum);
    const texts = [threadId, agent, agentVersion, title, parentId, createdAt, status];
    thread.run(threadNum, ...texts, decisions, inputTokens, outputTokens);
    const ready = readySince(toMs(updatedAt) ?? 0);
    head.run(updatedAt, ended, ended, ready, ready, threadNum);
    for (const [key, row] of folded.waits) wait.run(threadNum, key, row.seq, row.signal, row.dueAt);
    for (const [name, untaken] of folded.untakenSignals) signal.run(threadNum, name, untaken);
    for (const [key, amount] of folded.tallies) {
      const end = key.indexOf(" ");
      tally.run(key.slice(0, end), key.slice(end + 1), threadNum, amount);
    }
    for (const [eventId, row] of folded.requests) {
      request.run(eventId, threadNum, row.requestId, row.status, row.openedAt, row.expiresAt, row.closingId);
    }
    numbers.replace(threadNum, folded.numbers);
  };
}

/** What differs, one sentence per table. */
export function differences(stored: Folded | null, folded: Folded): string[] {
  if (!stored) return ["its row in threads is missing"];
  const parts: [table: string, stored: unknown, folded: unknown][] = [
    ["threads", stored.thread, folded.thread],
    ["waits", entries(stored.waits), entries(folded.waits)],
    ["untaken_signals", entries(stored.untakenSignals), entries(folded.untakenSignals)],
    ["tallies", entries(stored.tallies), entries(folded.tallies)],
    ["requests", entries(stored.requests), entries(folded.requests)],
    ["thread_numbers", sorted(stored.numbers.ended ?? {}), sorted(folded.numbers.ended ?? {})],
    ["thread_facts", facts(stored.numbers), facts(folded.numbers)],
  ];
  return parts.flatMap(([table, is, should]) => (sameJson(is, should) ? [] : [differs(table, is, should)]));
}

/** Rows by key, members in one order, so that equal rows give equal JSON. */
function entries(rows: ReadonlyMap<unknown, object | number>): unknown[] {
  return [...rows]
    .map(([key, row]) => [key, typeof row === "number" ? row : Object.entries(row).sort()])
    .sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
}

function facts({ facts }: StoredNumbers): unknown[] {
  return facts.map(({ seq, kind, at, amount }) => [seq, kind, at, amount] as const).sort(byPlaceAndKind);
}

function byPlaceAndKind(
  one: readonly [number, string, ...unknown[]],
  other: readonly [number, string, ...unknown[]],
) {
  return one[0] - other[0] || (one[1] < other[1] ? -1 : 1);
}

function sorted(row: object): unknown[] {
  return Object.entries(row).sort();
}

function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

const maxShown = 300;

function differs(table: string, is: unknown, should: unknown): string {
  return `${table} holds ${shown(is)}, but the events say ${shown(should)}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
