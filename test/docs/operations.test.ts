// The page for operators, followed on a project with a thread that waits and one whose process died while it paid.
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { createMetrics } from "../../src/server/metrics.ts";
import { type Block, blocksOf, readPage } from "./pages.ts";
import { newWalk, type Walk } from "./walk.ts";

const page = "docs/operations.md";

test("the commands for operators do what the page says", () => {
  const walk = newWalk();
  prepare(walk);
  const blocks = blocksOf(page);
  for (const [index, block] of blocks.entries()) {
    const next = blocks[index + 1];
    if (block.language === "sh") walk.run(block, next?.language === "text" ? next.text : undefined);
  }
  const restored = join(walk.folder(), ".holdpoint.broken/holdpoint.db");
  expect(existsSync(restored)).toBe(true); // what was there is kept
  expect(JSON.parse(readFileSync(join(walk.folder(), "saved.json"), "utf8"))).toMatchObject({ v: 1 });
  expect(readFileSync(join(walk.folder(), "metrics-token.txt"), "utf8")).toMatch(/hp_\w+/);
  const modeOf = (name: string): number => statSync(join(walk.folder(), name)).mode & 0o777;
  expect([modeOf(".holdpoint"), modeOf("metrics-token.txt")]).toEqual([0o700, 0o600]);
}, 120_000);

test("the metrics that the page alerts on are there", () => {
  const counts = { threads: {}, requests: {}, events: 0, oldestOpenAt: null };
  const metrics = createMetrics().text({ counts, totals: [], agents: [], followers: 0, at: 0 });
  const named = new Set(readPage(page).match(/\bholdpoint_\w+/g));
  expect(named.size).toBeGreaterThan(3);
  for (const name of named) expect(metrics).toContain(`# TYPE ${name} `);
});

function prepare(walk: Walk): void {
  const sh = (text: string): void =>
    walk.run({ page, language: "sh", number: 0, text } satisfies Block, undefined);
  sh("npx holdpoint init .\nnpm install");
  const path = join(walk.folder(), "agent.ts");
  const code = readFileSync(path, "utf8");
  const dying = code.replace(
    "{ idempotencyKey }) => ({",
    "{ idempotencyKey }) => process.env.CRASH ? process.kill(process.pid, 9) : ({",
  );
  expect(dying).not.toBe(code);
  writeFileSync(path, dying);
  const run = 'npx holdpoint run agent.ts "Order A7 is broken: my money back." --no-ask --quiet';
  sh(`${run} --json > first.json`);
  const { requests } = JSON.parse(readFileSync(join(walk.folder(), "first.json"), "utf8"));
  sh(`CRASH=1 npx holdpoint approve ${requests[0].requestId} # exit code 137`);
  const database = new DatabaseSync(join(walk.folder(), ".holdpoint/holdpoint.db"));
  database.exec("UPDATE heads SET lease_until = 0, due_at = 0 WHERE lease_owner IS NOT NULL");
  database.close();
  sh(`npx holdpoint worker --once\n${run}`);
}
