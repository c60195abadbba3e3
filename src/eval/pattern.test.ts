import { describe, expect, it } from "vitest";
import type { Json } from "../core/json.ts";
import { mismatch, patternProblems } from "./pattern.ts";

const order: Json = {
  id: "A7",
  cents: 1800,
  lines: [{ sku: "x" }, { sku: "y", gift: true }],
  note: "left at door",
};

describe("a pattern", () => {
  it.each<[name: string, pattern: Json]>([
    ["holds part of an object", { id: "A7" }],
    ["holds part of elements", { lines: [{}, { sku: "y" }] }],
    ["compares numbers", { cents: { $gte: 1800, $lt: 1801 } }],
    ["looks into text", { note: { $contains: "door" } }],
    ["looks for an element", { lines: { $contains: { gift: true } } }],
    ["matches text", { id: { $matches: "^[A-Z]\\d$" } }],
    ["takes one of several", { id: { $oneOf: ["B1", { $matches: "7" }] } }],
    ["denies", { id: { $not: "B1" } }],
    ["asks whether something is there", { id: { $exists: true }, who: { $exists: false } }],
  ])("%s", (_name, pattern) => expect(mismatch(pattern, order)).toBeNull());

  it.each<[pattern: Json, why: string]>([
    [{ id: "A8" }, '$.id is "A7", not "A8"'],
    [{ who: 1 }, "$.who is missing"],
    [{ lines: [{}] }, "$.lines has 2 elements, not 1"],
    [{ lines: [{}, { sku: "x" }] }, '$.lines[1].sku is "y", not "x"'],
    [{ cents: "1800" }, '$.cents is 1800, not "1800"'],
    [{ cents: { $lt: 1800 } }, "$.cents is not under 1800: 1800"],
    [{ note: { $lt: 1800 } }, '$.note is not under 1800: "left at door"'],
    [{ who: { $matches: "x" } }, "$.who does not match /x/"],
    [{ id: { $not: { $matches: "A" } } }, '$.id is "A7", which it must not'],
    [
      { lines: { $contains: { gift: false } } },
      '$.lines does not contain {"gift":false}: [{"sku":"x"},{"sku":"y","gift":true}]',
    ],
    [{ id: { $exists: false } }, '$.id is there: "A7"'],
    [
      [],
      '$ is {"id":"A7","cents":1800,"lines":[{"sku":"x"},{"sku":"y","gift":true}],"note":"left at door"}, not a list',
    ],
  ])("%j says why not", (pattern, why) => expect(mismatch(pattern, order)).toBe(why));

  it("finds no member that objects inherit", () => {
    expect(mismatch({ toString: { $exists: true } }, {})).toBe("$.toString is missing");
  });

  it.each<[pattern: Json, path: readonly unknown[], message: RegExp, fix: RegExp]>([
    [{ a: { $match: "x" } }, ["a", "$match"], /no operator "\$match"/, /Did you mean \$matches/],
    [{ $matches: "(" }, ["$matches"], /no regular expression/, /regular expression/],
    [[{ a: { $gt: "1" } }], [0, "a", "$gt"], /no number/, /number/],
    [{ $not: { $oneOf: 1 } }, ["$not", "$oneOf"], /no list/, /list/],
    [{ $gt: 1, plain: 2 }, ["plain"], /no operator "plain"/, /There are/],
  ])("%j is refused where it is wrong", (pattern, path, message, fix) => {
    const [problem] = patternProblems(pattern);
    expect(problem?.path).toEqual(path);
    expect(problem?.message).toMatch(message);
    expect(problem?.fix).toMatch(fix);
  });
});
