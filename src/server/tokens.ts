// I11. A bearer token is 256 random bits, shown once and kept as its SHA-256. Whoever reads the store's file cannot use
// what is in it, and nothing can be learnt from how long a look-up takes: it is by the hash of what was presented.
import { randomBytes } from "node:crypto";
import { isAgentVoice } from "../core/approvers.ts";
import { sha256 } from "../core/digest.ts";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import type { TokenRow, TokenScope, TokenStore } from "../ports/token-store.ts";

export const tokenScopes: readonly TokenScope[] = ["read", "run", "decide", "admin"];

/** How old the last noted use may be before the next one is noted, in milliseconds. */
const touchEveryMs = 5 * 60_000;

export interface NewToken {
  /** Whom it stands for, such as `dana@example.com`: recorded with all that is done with it. */
  readonly principal: string;
  readonly scopes: readonly TokenScope[];
  /** With or without the `role:` prefix. */
  readonly roles?: readonly string[];
  /** In milliseconds from now. Default: it does not expire. */
  readonly expiresInMs?: number;
  /** The principal who makes it. */
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Makes a token. `text` is what its bearer sends; it cannot be had again.
 *
 * @throws `usage` for a principal, scope, role or time that cannot be used.
 */
export async function createToken(
  tokens: TokenStore,
  token: NewToken,
): Promise<{ readonly text: string; readonly row: TokenRow }> {
  const { principal, scopes, roles = [], expiresInMs, by, now } = token;
  checkPrincipal(principal);
  checkScopes(scopes);
  if (expiresInMs !== undefined && !(expiresInMs > 0 && now + expiresInMs < maxTime))
    throw new HoldpointError("usage", "a token expires in the future, if at all", {
      fix: "For example in 90d.",
    });
  const text = `hp_${randomBytes(32).toString("base64url")}`;
  const row: TokenRow = {
    tokenId: `tk_${randomBytes(6).toString("hex")}`,
    principal,
    scopes: tokenScopes.filter((scope) => scopes.includes(scope)),
    roles: [...new Set(roles.map(roleName))],
    createdAt: new Date(now).toISOString(),
    createdBy: by,
    expiresAt: expiresInMs === undefined ? null : new Date(now + expiresInMs).toISOString(),
    revokedAt: null,
    usedAt: null,
  };
  await tokens.add(row, sha256(text));
  return { text, row };
}

/** The year 9999: the last that ISO times of four digits can tell. */
const maxTime = Date.UTC(9999, 0, 1);

/** @throws `usage`: threads and agents have voices of their own, which no token may borrow; a role is nobody. */
function checkPrincipal(principal: string): void {
  const isOther = isAgentVoice(principal) || principal.startsWith("role:");
  if (!isOther && /^[\x21-\x7e\u00a0-\uffff][^\p{C}]{0,199}$/u.test(principal)) return;
  throw new HoldpointError("usage", `${JSON.stringify(principal)} cannot be a token's principal`, {
    fix: "Name a person or a program, such as dana@example.com or token:ci.",
  });
}

function checkScopes(scopes: readonly TokenScope[]): void {
  const unknown = scopes.find((scope) => !tokenScopes.includes(scope));
  if (scopes.length > 0 && unknown === undefined) return;
  const what =
    unknown === undefined ? "a token needs a scope" : `there is no scope ${JSON.stringify(unknown)}`;
  throw new HoldpointError("usage", what, { fix: `Scopes: ${tokenScopes.join(", ")}.` });
}

function roleName(role: string): string {
  const name = role.replace(/^role:/, "");
  if (/^[\w.@-]{1,64}$/.test(name)) return name;
  throw new HoldpointError("usage", `${JSON.stringify(role)} cannot be a role`, {
    fix: "Use up to 64 letters, digits, dots, @, _ and -.",
  });
}

/** What a token's text looks like; anything else need not be looked up. */
const tokenForm = /^hp_[A-Za-z0-9_-]{43}$/;

/** Twelve hours: a working day, and not the next one. */
export const sessionMs: number = 12 * 60 * 60_000;

const sessionForm = /^hs_[A-Za-z0-9_-]{43}$/;

/**
 * Signs the bearer of a token in. What a browser keeps is a text of its own: it opens the pages and nothing else, until it
 * expires, is ended, or its token opens nothing any more.
 *
 * @returns the session's text. @throws `unauthenticated` as `authenticate`.
 */
export async function openSession(tokens: TokenStore, tokenText: string, now: number): Promise<string> {
  const { tokenId } = await authenticate(tokens, tokenText, now);
  const text = `hs_${randomBytes(32).toString("base64url")}`;
  const times = {
    createdAt: new Date(now).toISOString(),
    expiresAt: new Date(now + sessionMs).toISOString(),
  };
  await tokens.addSession({ tokenId, ...times }, sha256(text));
  return text;
}

/** The token that a session stands for; `null` when it opens nothing (any more). */
export async function tokenOfSession(
  tokens: TokenStore,
  text: string,
  now: number,
): Promise<TokenRow | null> {
  const found = sessionForm.test(text) ? await tokens.findSession(sha256(text)) : null;
  if (!found || Date.parse(found.session.expiresAt) <= now || !isUsable(found.token, now)) return null;
  await noteUse(tokens, found.token, now);
  return found.token;
}

export async function closeSession(tokens: TokenStore, text: string): Promise<void> {
  if (sessionForm.test(text)) await tokens.endSession(sha256(text));
}

/** The token with this text. @throws `unauthenticated` when there is none, or it was revoked or has expired. */
export async function authenticate(tokens: TokenStore, text: string, now: number): Promise<TokenRow> {
  const row = tokenForm.test(text) ? await tokens.find(sha256(text)) : null;
  if (!row) throw unauthenticated("the token is not known");
  if (row.revokedAt !== null) throw unauthenticated(`token ${row.tokenId} was revoked at ${row.revokedAt}`);
  if (!isUsable(row, now)) throw unauthenticated(`token ${row.tokenId} expired at ${row.expiresAt}`);
  await noteUse(tokens, row, now);
  return row;
}

/** True while a token opens anything. */
export function isUsable({ revokedAt, expiresAt }: TokenRow, now: number): boolean {
  return revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > now);
}

/** A convenience for `token list`: a store that is busy must not keep anybody out. */
async function noteUse(tokens: TokenStore, { tokenId, usedAt }: TokenRow, now: number): Promise<void> {
  if (usedAt !== null && now - Date.parse(usedAt) < touchEveryMs) return;
  try {
    await tokens.touch(tokenId, new Date(now).toISOString());
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
  }
}

export function unauthenticated(why: string): HoldpointError {
  return new HoldpointError("unauthenticated", why, {
    fix: "Send `Authorization: Bearer hp_…`; `holdpoint token create` makes a token.",
  });
}

export function hasScope({ scopes }: TokenRow, scope: TokenScope): boolean {
  return scopes.includes(scope) || scopes.includes("admin");
}

/** @throws `scope_missing` naming the scope. */
export function assertScope(token: TokenRow, scope: TokenScope): void {
  if (hasScope(token, scope)) return;
  const { scopes, tokenId } = token;
  throw new HoldpointError(
    "scope_missing",
    `this needs the scope ${scope}; token ${tokenId} has ${scopes.join(", ")}`,
    {
      fix: `Use a token with it: holdpoint token create --principal <who> --scope ${scope}.`,
    },
  );
}
