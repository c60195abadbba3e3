import assert from "node:assert/strict";
import type { Store } from "../../ports/store.ts";
import type { TokenRow, TokenStore } from "../../ports/token-store.ts";
import { at, noon, pairRule, refused, rule, type StoreCase } from "./case.ts";

/** A store that keeps tokens. */
export type StoreWithTokens = Store & { readonly tokens: TokenStore };

const token: TokenRow = {
  tokenId: "tk_1",
  principal: "dana@example.com",
  scopes: ["read", "decide"],
  roles: ["lead"],
  createdAt: at(noon),
  createdBy: "cli:root",
  expiresAt: null,
  revokedAt: null,
  usedAt: null,
};

/** What every `TokenStore` must do, like `storeCases`. */
export const tokenCases: readonly StoreCase<StoreWithTokens>[] = [
  pairRule("tokens are found by their hash and by their id, in every process", async ({ tokens }, other) => {
    await tokens.add(token, "hash");
    assert.deepEqual(await other.tokens.find("hash"), token);
    assert.deepEqual(await other.tokens.get("tk_1"), token);
    assert.deepEqual(await other.tokens.list(), [token]);
    assert.equal(await other.tokens.find("tk_1"), null);
    assert.equal(await other.tokens.get("hash"), null);
  }),

  pairRule("a token is revoked once, for all", async ({ tokens }, other) => {
    await tokens.add(token, "hash");
    await tokens.revoke("tk_1", at(noon + 1));
    assert.equal((await other.tokens.revoke("tk_1", at(noon + 2))).revokedAt, at(noon + 1));
    assert.equal((await other.tokens.find("hash"))?.revokedAt, at(noon + 1));
    await refused(tokens.revoke("tk_2", at(noon)), "token_not_found");
  }),

  rule("the use of a token is noted, and one that is not there is none's", async ({ tokens }) => {
    await tokens.add(token, "hash");
    await tokens.touch("tk_1", at(noon + 1));
    await tokens.touch("tk_2", at(noon + 1));
    assert.deepEqual(await tokens.list(), [{ ...token, usedAt: at(noon + 1) }]);
  }),

  pairRule(
    "a session is found by its hash, in every process, until it is ended",
    async ({ tokens }, other) => {
      await tokens.add(token, "hash");
      const session = { tokenId: "tk_1", createdAt: at(noon), expiresAt: at(noon + 10) };
      await tokens.addSession(session, "session");
      assert.deepEqual(await other.tokens.findSession("session"), { session, token });
      assert.equal(await other.tokens.findSession("hash"), null);
      assert.equal(await other.tokens.find("session"), null);
      await tokens.revoke("tk_1", at(noon + 1));
      assert.equal((await other.tokens.findSession("session"))?.token.revokedAt, at(noon + 1));
      await other.tokens.endSession("session");
      await other.tokens.endSession("session");
      assert.equal(await tokens.findSession("session"), null);
    },
  ),

  rule("sessions that have expired are forgotten when another begins", async ({ tokens }) => {
    await tokens.add(token, "hash");
    const session = (from: number, until: number) => ({
      tokenId: "tk_1",
      createdAt: at(noon + from),
      expiresAt: at(noon + until),
    });
    await tokens.addSession(session(0, 10), "old");
    await tokens.addSession(session(5, 15), "running");
    await tokens.addSession(session(10, 20), "new");
    assert.equal(await tokens.findSession("old"), null);
    assert.deepEqual((await tokens.findSession("running"))?.session, session(5, 15));
  }),
];
