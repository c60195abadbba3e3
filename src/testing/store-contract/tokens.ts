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
];
