// One verdict, one start, by the right person: on every way that verdicts take.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "vitest";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import { approvalCases, openDirectPath } from "../../src/testing/approval-contract.ts";
import { httpPath, mailPath, slackPath } from "../kit/verdict-paths.ts";

describe.each([
  ["the runtime itself", () => openDirectPath],
  ["HTTP", httpPath],
  ["e-mail", mailPath],
  ["Slack", slackPath],
] as const)("verdicts over %s", (_, pathOfTest) => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdpoint-approvals-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const openStore = () => openSqliteStore({ path: join(folder, "holdpoint.db") });
  for (const { name, run } of approvalCases) test(name, () => run({ openStore, openPath: pathOfTest() }));
});
