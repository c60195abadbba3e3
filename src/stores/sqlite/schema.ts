// The tables of a store, and how older ones become newer ones.
//
// S1. `events` is one list in the order of commits, so that appends of many threads fill the same pages. Each event
//     names the one before it in its thread (`prev`), and `heads` names the last: a log is read back to front.
//     A table in the order of threads was measured too: 64 threads then dirty 64 pages per commit, at half of the rate.
// S2. `threads`, `requests`, `waits`, `untaken_signals`, `tallies` with `tally_totals`, and of `heads` the columns `ended`
//     and `updated_at`, are projections (I2). The other columns of `heads` are the log's end and the dispatch state, which no event tells.
//     In `requests`, `expires_at` is when an open request next needs a turn (reminder, escalation, deadline), and
//     `closing_id` the newest event about it: while it is open, a vote, a reminder or an escalation.
// S3. `heads.due_at` is when a thread next needs a turn, in milliseconds since the epoch; null when only people or
//     signals can wake it. A thread that is due at once holds a negative number, `ready time - 1e15`: due whatever the
//     clock says, also after it was set back, and first come first served. Of a thread that parked `verify` tells when it must be (see `leases.ts`, D3).
// S4. `schedules` and `schedule_ticks` follow from no event: they hold what was claimed of a calendar.
import type { DatabaseSync } from "node:sqlite";
import { fillNumbers } from "./fill-numbers.ts";
import { tallyTables } from "./tallies.ts";
import { sessionTables, tokenTables } from "./tokens.ts";

/** `PRAGMA application_id` of our files: "hpnt". */
export const applicationId = 0x68706e74;

export interface Migration {
  readonly version: number;
  readonly sql: string;
  /** Fills new projections from the logs that are there. */
  readonly fill?: (database: DatabaseSync) => void;
}

/** In order. Never change one that was released: add another. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  thread_num INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  prev INTEGER NOT NULL,
  body TEXT NOT NULL,
  link TEXT NOT NULL
) STRICT;

CREATE TABLE heads (
  thread_num INTEGER PRIMARY KEY,
  head_seq INTEGER NOT NULL,
  head_id INTEGER NOT NULL,
  updated_at TEXT NOT NULL,
  ended INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER,
  nudged INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  lease_number INTEGER NOT NULL DEFAULT 0,
  lease_owner TEXT,
  lease_at INTEGER,
  lease_until INTEGER,
  lease_seq INTEGER
) STRICT;
CREATE INDEX heads_due ON heads (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX heads_leased ON heads (lease_at) WHERE lease_at IS NOT NULL;

CREATE TABLE threads (
  thread_num INTEGER PRIMARY KEY,
  thread_id TEXT NOT NULL UNIQUE,
  agent TEXT NOT NULL,
  agent_version TEXT NOT NULL,
  title TEXT NOT NULL,
  parent_id TEXT,
  created_at TEXT NOT NULL,
  status TEXT NOT NULL,
  decisions INTEGER NOT NULL DEFAULT 0,
  input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX threads_agent ON threads (agent);
CREATE INDEX threads_status ON threads (status);
CREATE INDEX threads_parent ON threads (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE requests (
  event_id INTEGER PRIMARY KEY,
  thread_num INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  status TEXT NOT NULL,
  opened_at TEXT NOT NULL,
  expires_at INTEGER,
  closing_id INTEGER
) STRICT;
CREATE INDEX requests_id ON requests (request_id);
CREATE INDEX requests_thread ON requests (thread_num);
CREATE INDEX requests_status ON requests (status, opened_at);
CREATE INDEX requests_open ON requests (thread_num, expires_at) WHERE status = 'open';

CREATE TABLE waits (
  thread_num INTEGER NOT NULL,
  key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  signal TEXT,
  due_at INTEGER,
  PRIMARY KEY (thread_num, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE untaken_signals (
  thread_num INTEGER NOT NULL,
  signal TEXT NOT NULL,
  untaken INTEGER NOT NULL,
  PRIMARY KEY (thread_num, signal)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
  digest TEXT PRIMARY KEY,
  text TEXT NOT NULL
) STRICT;

-- For people with a SQL prompt; Holdpoint does not read it.
CREATE VIEW thread_events AS
SELECT thread_id, seq, body ->> '$.type' AS type, body ->> '$.at' AS at, body
FROM events JOIN threads USING (thread_num);
`,
  },
  { version: 2, sql: tokenTables },
  {
    // The outbox. `next_at` is when a delivery is tried next, and while one process has it, when that ends. In doubt is
    // one that may have arrived though no try is known to have succeeded. A copy is what one recipient has of a request:
    // its deliveries leave in the order of `num`.
    version: 3,
    sql: `
CREATE TABLE outbox_cursors (
  channel TEXT PRIMARY KEY,
  event_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
  num INTEGER PRIMARY KEY,
  delivery_id TEXT NOT NULL UNIQUE,
  channel TEXT NOT NULL,
  thread_num INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  recipient TEXT NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending',
  created_at INTEGER NOT NULL,
  next_at INTEGER,
  owner TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  in_doubt INTEGER NOT NULL DEFAULT 0,
  receipt TEXT,
  tries TEXT NOT NULL DEFAULT '[]',
  settled_at INTEGER
) STRICT;
CREATE INDEX deliveries_copy ON deliveries (request_id, channel, recipient, num);
CREATE INDEX deliveries_thread ON deliveries (thread_num);
CREATE INDEX deliveries_status ON deliveries (status, num);
CREATE INDEX deliveries_due ON deliveries (channel, next_at) WHERE status = 'pending';
`,
  },
  { version: 4, sql: tallyTables },
  {
    version: 5,
    sql: `
CREATE TABLE schedules (
  name TEXT PRIMARY KEY,
  definition TEXT NOT NULL,
  cursor INTEGER NOT NULL,
  paused_at INTEGER,
  paused_by TEXT,
  last_tick INTEGER,
  last_thread_id TEXT,
  problem TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule_ticks (
  name TEXT NOT NULL,
  tick INTEGER NOT NULL,
  agent TEXT NOT NULL,
  PRIMARY KEY (name, tick)
) STRICT, WITHOUT ROWID;
`,
  },
  {
    // What threads add to the statistics: `thread_facts` one by one at their time, `thread_numbers` of ended ones.
    version: 6,
    sql: `
CREATE TABLE thread_numbers (
  thread_num INTEGER PRIMARY KEY,
  ended_at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  accepted INTEGER,
  wall_ms INTEGER NOT NULL,
  waiting_ms INTEGER NOT NULL,
  active_ms INTEGER NOT NULL,
  asked INTEGER NOT NULL,
  model_calls INTEGER NOT NULL,
  unpriced_calls INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  nano_usd INTEGER NOT NULL
) STRICT;
CREATE INDEX thread_numbers_ended ON thread_numbers (ended_at);

CREATE TABLE thread_facts (
  thread_num INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (thread_num, seq, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_facts_at ON thread_facts (at, kind, amount);
`,
    fill: fillNumbers,
  },
  {
    version: 7,
    sql: `${sessionTables}
-- Each held action looks for the standing approvals that are open; no other thread has a place in it.
CREATE INDEX threads_standing ON threads (thread_num)
  WHERE agent = 'standing-approval' AND status = 'running';
`,
  },
];

export const currentVersion: number = Math.max(...migrations.map((migration) => migration.version));

/** The version of a file's tables; 0 for a new file. */
export function schemaVersion(database: DatabaseSync): number {
  return pragma(database, "user_version");
}

export function pragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}

/** Brings the tables up to date, in one transaction. Another process may do the same at the same time. */
export function migrate(database: DatabaseSync, steps: readonly Migration[] = migrations): void {
  if (steps.every((step) => step.version <= schemaVersion(database))) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    const version = schemaVersion(database); // again: another process may have been first
    for (const step of steps) if (step.version > version) applyStep(database, step);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function applyStep(database: DatabaseSync, step: Migration): void {
  database.exec(step.sql);
  step.fill?.(database);
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${step.version}`);
}
