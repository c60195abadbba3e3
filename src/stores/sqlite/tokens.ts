// I11. Bearer tokens, by the SHA-256 of their text.
import type { DatabaseSync } from "node:sqlite";
import { HoldpointError } from "../../core/errors.ts";
import type { SessionRow, TokenRow, TokenScope, TokenStore } from "../../ports/token-store.ts";
import type { Access } from "./access.ts";
import { columnText } from "./columns.ts";
import { Refusal } from "./group-commit.ts";
import { allRows, firstRow } from "./rows.ts";

/** Version 2 of the tables. */
export const tokenTables = `
CREATE TABLE tokens (
  token_id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  principal TEXT NOT NULL,
  scopes TEXT NOT NULL,
  roles TEXT NOT NULL,
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT,
  used_at TEXT
) STRICT;
`;

/** Version 7 of the tables. */
export const sessionTables = `
CREATE TABLE sessions (
  hash TEXT PRIMARY KEY,
  token_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_expiry ON sessions (expires_at);
`;

const columns = `token_id AS tokenId, principal, scopes, roles, created_at AS createdAt, created_by AS createdBy,
  expires_at AS expiresAt, revoked_at AS revokedAt, used_at AS usedAt`;

interface TokenColumns extends Omit<TokenRow, "scopes" | "roles"> {
  readonly scopes: string;
  readonly roles: string;
}

export function createTokens(database: DatabaseSync, access: Access): TokenStore {
  const insert = database.prepare(
    `INSERT INTO tokens (token_id, hash, principal, scopes, roles, created_at, created_by, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const byHash = database.prepare(`SELECT ${columns} FROM tokens WHERE hash = ?`);
  const byId = database.prepare(`SELECT ${columns} FROM tokens WHERE token_id = ?`);
  const all = database.prepare(`SELECT ${columns} FROM tokens ORDER BY created_at, token_id`);
  const revoke = database.prepare(
    "UPDATE tokens SET revoked_at = ? WHERE token_id = ? AND revoked_at IS NULL",
  );
  const touch = database.prepare("UPDATE tokens SET used_at = ? WHERE token_id = ?");

  return {
    ...createSessions(database, access),
    add: (token, hash) =>
      access.write(() => {
        const { tokenId, principal, scopes, roles, createdAt, createdBy, expiresAt } = token;
        const lists = [JSON.stringify(scopes), JSON.stringify(roles)] as const;
        const who = columnText(principal);
        insert.run(tokenId, hash, who, ...lists, createdAt, columnText(createdBy), expiresAt);
      }),
    find: (hash) => access.read(() => toRow(firstRow<TokenColumns>(byHash, hash))),
    get: (tokenId) => access.read(() => toRow(firstRow<TokenColumns>(byId, columnText(tokenId)))),
    list: () => access.read(() => allRows<TokenColumns>(all).flatMap((row) => toRow(row) ?? [])),
    revoke: (tokenId, at) =>
      access.write(() => {
        revoke.run(at, tokenId);
        return (
          toRow(firstRow<TokenColumns>(byId, columnText(tokenId))) ?? new Refusal(tokenNotFound(tokenId))
        );
      }),
    touch: (tokenId, at) =>
      access.write(() => {
        touch.run(at, tokenId);
      }),
  };
}

type Sessions = Pick<TokenStore, "addSession" | "findSession" | "endSession">;

function createSessions(database: DatabaseSync, access: Access): Sessions {
  const forget = database.prepare("DELETE FROM sessions WHERE expires_at <= ?");
  const insert = database.prepare(
    "INSERT INTO sessions (hash, token_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
  );
  const remove = database.prepare("DELETE FROM sessions WHERE hash = ?");
  const byHash = database.prepare(
    "SELECT token_id AS tokenId, created_at AS createdAt, expires_at AS expiresAt FROM sessions WHERE hash = ?",
  );
  const token = database.prepare(`SELECT ${columns} FROM tokens WHERE token_id = ?`);

  return {
    addSession: ({ tokenId, createdAt, expiresAt }, hash) =>
      access.write(() => {
        forget.run(createdAt);
        insert.run(hash, tokenId, createdAt, expiresAt);
      }),
    findSession: (hash) =>
      access.read(() => {
        const session = firstRow<SessionRow>(byHash, hash);
        const row = session && toRow(firstRow<TokenColumns>(token, session.tokenId));
        return session && row ? { session: { ...session }, token: row } : null;
      }),
    endSession: (hash) =>
      access.write(() => {
        remove.run(hash);
      }),
  };
}

function toRow(row: TokenColumns | undefined): TokenRow | null {
  if (!row) return null;
  const scopes = JSON.parse(row.scopes) as TokenScope[]; // written by `add`
  return { ...row, scopes, roles: JSON.parse(row.roles) as string[] };
}

function tokenNotFound(tokenId: string): HoldpointError {
  return new HoldpointError("token_not_found", `there is no token ${tokenId}`, {
    fix: "`holdpoint token list` names them.",
  });
}
