import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkCodes } from "../../src/index.ts";

it("docs/check.md lists every code with its level and what it is found by", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/check.md"), "utf8");
  const listed = Array.from(
    page.matchAll(/^\| `(\w+)` \| (error|warning|note) \| (.*) \|$/gm),
    ([, ...row]) => row,
  );
  const codes = Object.entries(checkCodes).map(([code, { level, what }]) => [code, level, what]);
  expect(listed.toSorted()).toEqual(codes.toSorted());
});
