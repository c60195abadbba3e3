import { expect, test } from "vitest";
import { fitsRegex } from "./regex.ts";

test("an expression is looked for anywhere in a text", () => {
  expect([fitsRegex("\\p{Lu}b$", "aBb"), fitsRegex("^b", "ab")]).toEqual([true, false]);
});

test("one that would take ages is interrupted, and is no answer", () => {
  const slow = (): boolean => fitsRegex("^(a+)+$", `${"a".repeat(60)}!`, 50);
  expect(slow).toThrow(expect.objectContaining({ code: "suite_invalid" }));
  expect(fitsRegex("^a+$", "aa")).toBe(true); // and the next one works
});
