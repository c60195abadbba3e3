// What others left in a run's folder is told of by name, and changed by nobody.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isReport } from "./figures/read-report.ts";
import { openRunFolder, writeWhole } from "./run-folder.ts";
import type { RunIdentity } from "./run-identity.ts";

let path = "";
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "holdpoint-eval-"));
});
afterEach(() => rmSync(path, { recursive: true }));

const identity: RunIdentity = {
  suite: "s",
  digest: "d",
  agents: [],
  model: null,
  prompt: null,
  faults: null,
  seed: "1",
  createdAt: "2026-01-05T09:00:00.000Z",
};

describe("a run's folder", () => {
  it("is one process's at a time, and goes on as it was begun", async () => {
    const first = await openRunFolder(path, identity);
    await expect(openRunFolder(path, identity)).rejects.toMatchObject({ code: "store_busy" });
    first.close();
    const next = await openRunFolder(path, { ...identity, createdAt: "2027-01-05T09:00:00.000Z" });
    expect([next.isNew, next.identity]).toEqual([false, identity]);
    next.close();
  });

  it("is its owner's alone, and so is what is made above it", async () => {
    const inner = join(path, "evals", "run");
    (await openRunFolder(inner, identity)).close();
    const modes = [inner, join(path, "evals")].map((folder) => statSync(folder).mode & 0o777);
    expect(modes).toEqual([0o700, 0o700]);
  });

  it("is not made under a file", async () => {
    writeFileSync(join(path, "file"), "");
    const refused = openRunFolder(join(path, "file", "evals", "run"), identity);
    await expect(refused).rejects.toMatchObject({ code: "store_unavailable", cause: { code: "ENOTDIR" } });
  });

  it("writes no file by a link that somebody put where its own is made", async () => {
    const others = join(path, "others");
    writeFileSync(others, "theirs");
    symlinkSync(others, join(path, "page.html.new"));
    await writeWhole(join(path, "page.html"), "ours");
    expect([readFileSync(others, "utf8"), readFileSync(join(path, "page.html"), "utf8")]).toEqual([
      "theirs",
      "ours",
    ]);
  });

  it.each(["is no database", "is a folder"])(
    "says when its lock %s, and not that somebody has it",
    async (how) => {
      const lock = join(path, "lock.db");
      if (how === "is a folder") mkdirSync(lock);
      else writeFileSync(lock, "x".repeat(4_096));
      await expect(openRunFolder(path, identity)).rejects.toMatchObject({ code: "store_unavailable" });
    },
  );

  it.each([
    '{"v":1}',
    '{"v":1,"createdAt":5}',
    "[]",
    "x",
    JSON.stringify({ v: 1, ...identity, createdAt: 5 }),
  ])("is refused when its record is damaged: %s", async (record) => {
    writeFileSync(join(path, "run.json"), record);
    await expect(openRunFolder(path, identity)).rejects.toMatchObject({ code: "usage" });
    writeFileSync(join(path, "run.json"), JSON.stringify({ v: 1, ...identity }));
    (await openRunFolder(path, identity)).close(); // the lock was given back
  });
});

it.each([
  {},
  { cases: 5 },
  { cases: [] },
  { cases: [null], run: identity },
  { cases: [{ name: "a", trials: 1, passed: 2, tokens: { perTrial: 1 }, usd: 0 }], run: identity },
])("what is no report is not compared with: %j", (value) => {
  expect(isReport(value)).toBe(false);
});
