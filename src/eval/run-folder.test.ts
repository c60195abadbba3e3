import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openRunFolder } from "./run-folder.ts";
import type { RunIdentity } from "./run-identity.ts";

const run: RunIdentity = {
  suite: "works",
  digest: "d1",
  agents: [],
  model: null,
  prompt: null,
  faults: null,
  seed: "1",
  createdAt: "2026-11-24T12:00:00.000Z",
};

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdpoint-run-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a run has its folder for itself, until it is closed, and goes on as it was begun", async () => {
  const path = newFolder();
  const first = await openRunFolder(path, run);
  await expect(openRunFolder(path, run)).rejects.toMatchObject({ code: "store_busy" });
  first.close();
  const again = await openRunFolder(path, { ...run, createdAt: "2026-11-25T12:00:00.000Z" });
  expect([first.isNew, again.isNew, again.identity]).toEqual([true, false, run]);
  again.close();
});

test.each([
  { name: "a run of something else", given: { run: { ...run, digest: "d2" } }, code: "usage" },
  { name: "a store of nobody's", given: { file: "eval.db" }, code: "usage" },
  { name: "a lock that cannot be taken", given: { folder: "lock.db" }, code: "store_unavailable" },
])("$name is refused by its code, with what to do", async ({ given, code }) => {
  const path = newFolder();
  if (given.run) (await openRunFolder(path, given.run)).close();
  if (given.file) writeFileSync(join(path, given.file), "");
  if (given.folder) mkdirSync(join(path, given.folder));
  await expect(openRunFolder(path, run)).rejects.toMatchObject({ code, fix: expect.stringMatching(/./) });
});
