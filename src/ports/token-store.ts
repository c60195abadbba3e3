/** What a token lets its bearer do; `admin` stands for all of them. */
export type TokenScope = "read" | "run" | "decide" | "admin";

/** A bearer token as it is kept: who it is for and what it may, and nothing that it could be made from. */
export interface TokenRow {
  /** Names the token in lists and commands; `tk_` and 12 hex digits. */
  readonly tokenId: string;
  readonly principal: string;
  readonly scopes: readonly TokenScope[];
  /** Without the `role:` prefix. */
  readonly roles: readonly string[];
  readonly createdAt: string;
  /** The principal who made it. */
  readonly createdBy: string;
  /** `null`: it does not expire. */
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  /** To within a few minutes: not every use is a write. */
  readonly usedAt: string | null;
}

/** Somebody who is signed in to the service's page by a token, in one browser. */
export interface SessionRow {
  readonly tokenId: string;
  readonly createdAt: string;
  readonly expiresAt: string;
}

/**
 * I11. Tokens by the SHA-256 of their text; the text itself is never stored, nor is that of a session. What leaks through: as with `Store`, every
 * method may reject with `store_busy`, `store_full` or `store_unavailable`.
 */
export interface TokenStore {
  /** @param hash SHA-256 of the token's text, in hex. */
  add(token: TokenRow, hash: string): Promise<void>;
  /** The token with this hash, whether or not it may still be used. */
  find(hash: string): Promise<TokenRow | null>;
  /** The token with this id, likewise. */
  get(tokenId: string): Promise<TokenRow | null>;
  /** All, oldest first. */
  list(): Promise<readonly TokenRow[]>;
  /** Revoking again changes nothing. @throws `token_not_found` */
  revoke(tokenId: string, at: string): Promise<TokenRow>;
  /** Notes that it was used. */
  touch(tokenId: string, at: string): Promise<void>;
  /** Sessions that have expired by its `createdAt` are forgotten. @param hash SHA-256 of the session's text, in hex. */
  addSession(session: SessionRow, hash: string): Promise<void>;
  /** The session with this hash and its token, whether or not they may still be used. */
  findSession(hash: string): Promise<{ readonly session: SessionRow; readonly token: TokenRow } | null>;
  /** Forgets it. One that is not there is none's. */
  endSession(hash: string): Promise<void>;
}
