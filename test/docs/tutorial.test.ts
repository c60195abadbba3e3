// The tutorial, followed to the letter: its files written, its commands run, what it shows compared.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { type Block, blocksOf } from "./pages.ts";
import { newWalk } from "./walk.ts";

test("the tutorial's commands do what it says", () => {
  const walk = newWalk();
  const blocks = blocksOf("docs/tutorial.md");
  for (const [index, block] of blocks.entries()) {
    const next = blocks[index + 1];
    if (block.text.includes("half a minute later")) endLeases(walk.folder());
    if (block.language === "sh") walk.run(block, next?.language === "text" ? next.text : undefined);
    else if (block.language === "ts") replaceTool(walk.folder(), block);
    else if (block.language === "md") writeFileSync(join(walk.folder(), "shop-helper.prompt.md"), block.text);
    else expect(block.language).toBe("text");
  }
}, 120_000);

/** "Replace `issueRefund` by this; the `import` goes to the top." */
function replaceTool(folder: string, { text }: Block): void {
  const path = join(folder, "agent.ts");
  const [imports = "", ...code] = text.split("\n\n");
  const before = readFileSync(path, "utf8");
  const after = before.replace(/^const issueRefund = tool\(\{.*?^\}\);\n/ms, () => code.join("\n\n"));
  expect(after).not.toBe(before);
  writeFileSync(path, `${imports}\n${after}`);
}

/** Half a minute: nobody waits for it here. */
function endLeases(folder: string): void {
  const database = new DatabaseSync(join(folder, ".holdpoint/holdpoint.db"));
  database.exec("UPDATE heads SET lease_until = 0, due_at = 0 WHERE lease_owner IS NOT NULL");
  database.close();
}
