import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "vitest";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import { outboxCases, scheduleCases, storeCases, tokenCases } from "../../src/testing/store-contract.ts";

describe("the SQLite store keeps the contract", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdpoint-store-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  for (const { name, run } of [...storeCases, ...outboxCases, ...scheduleCases, ...tokenCases]) {
    test(name, () => run(() => openSqliteStore({ path: join(folder, "holdpoint.db") })));
  }
});
