import { DatabaseSync } from "node:sqlite";

/** Bare `node:sqlite`: one table, prepared statements, WAL, an fsync per commit. */
export interface Floor {
  /** Commits the next row of one thread; returns when it is durable. */
  commit(body: string): void;
  /** Commits the next row of as many threads together. */
  commitAll(bodies: readonly string[]): void;
  /** The parsed rows of one thread. */
  readLog(): readonly unknown[];
  close(): void;
}

/**
 * What the rows of a floor can do. `log`: the least that a log of threads is, each row found by its thread and `seq`,
 * which no two rows share. `heap`: rows that nothing finds again.
 */
export type FloorKind = "log" | "heap";

const tables: { readonly [Kind in FloorKind]: string } = {
  log: "CREATE TABLE IF NOT EXISTS rows (thread INTEGER, seq INTEGER, body TEXT NOT NULL, PRIMARY KEY (thread, seq)) STRICT, WITHOUT ROWID",
  heap: "CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, thread INTEGER, seq INTEGER, body TEXT NOT NULL) STRICT",
};

/** Rows read at a time: in one piece it takes twice as long in a fresh process. */
const pieceLength = 64;

export function openFloor(path: string, kind: FloorKind = "log"): Floor {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec(tables[kind]);
  const begin = database.prepare("BEGIN IMMEDIATE");
  const insert = database.prepare("INSERT INTO rows (thread, seq, body) VALUES (?, ?, ?)");
  const commit = database.prepare("COMMIT");
  const last = database.prepare("SELECT ifnull(max(seq), 0) AS seq FROM rows WHERE thread = 0");
  let seq = Number(last.get()?.seq);
  const commitAll = (bodies: readonly string[]): void => {
    seq += 1;
    begin.run();
    for (const [thread, body] of bodies.entries()) insert.run(thread, seq, body);
    commit.run();
  };
  const readLog = (): readonly unknown[] => {
    const piece = database.prepare(
      "SELECT group_concat(body) AS bodies FROM rows WHERE thread = 0 AND seq > ? AND seq <= ?",
    );
    const parsed: unknown[] = [];
    for (let after = 0; after < seq; after += pieceLength)
      parsed.push(...JSON.parse(`[${piece.get(after, after + pieceLength)?.bodies}]`));
    return parsed;
  };
  return { commit: (body) => commitAll([body]), commitAll, readLog, close: () => database.close() };
}
