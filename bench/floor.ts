import { DatabaseSync } from "node:sqlite";

/** Bare `node:sqlite`: one table, prepared statements, WAL, an fsync per commit. */
export interface Floor {
  /** Commits the next row of one thread; returns when it is durable. */
  commit(body: string): void;
  /** Commits the next row of as many threads together. */
  commitAll(bodies: readonly string[]): void;
  close(): void;
}

/**
 * What the rows of a floor can do. `log`: the least that a log of threads is, each row found by its thread and `seq`,
 * which no two rows share. `heap`: rows that nothing finds again.
 */
export type FloorKind = "log" | "heap";

const tables: { readonly [Kind in FloorKind]: string } = {
  log: "CREATE TABLE rows (thread INTEGER, seq INTEGER, body TEXT NOT NULL, PRIMARY KEY (thread, seq)) STRICT, WITHOUT ROWID",
  heap: "CREATE TABLE rows (id INTEGER PRIMARY KEY, thread INTEGER, seq INTEGER, body TEXT NOT NULL) STRICT",
};

export function openFloor(path: string, kind: FloorKind = "log"): Floor {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec(tables[kind]);
  const begin = database.prepare("BEGIN IMMEDIATE");
  const insert = database.prepare("INSERT INTO rows (thread, seq, body) VALUES (?, ?, ?)");
  const commit = database.prepare("COMMIT");
  let seq = 0;
  const commitAll = (bodies: readonly string[]): void => {
    seq += 1;
    begin.run();
    for (const [thread, body] of bodies.entries()) insert.run(thread, seq, body);
    commit.run();
  };
  return { commit: (body) => commitAll([body]), commitAll, close: () => database.close() };
}
