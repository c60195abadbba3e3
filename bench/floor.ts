import { DatabaseSync } from "node:sqlite";

/** Bare `node:sqlite`: one table, prepared statements, WAL, an fsync per commit. Nothing durable can be faster here. */
export interface Floor {
  /** Commits one row; returns when it is durable. */
  commit(body: string): void;
  /** Commits these rows together. */
  commitAll(bodies: readonly string[]): void;
  close(): void;
}

export function openFloor(path: string): Floor {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT");
  const begin = database.prepare("BEGIN IMMEDIATE");
  const insert = database.prepare("INSERT INTO rows (body) VALUES (?)");
  const commit = database.prepare("COMMIT");
  const commitAll = (bodies: readonly string[]): void => {
    begin.run();
    for (const body of bodies) insert.run(body);
    commit.run();
  };
  return { commit: (body) => commitAll([body]), commitAll, close: () => database.close() };
}
