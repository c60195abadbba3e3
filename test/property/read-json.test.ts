// I9. Tolerance never makes a value: what is read holds exactly what was written.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJson } from "../../src/core/encodings/read-json.ts";

const values = fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.parse(JSON.stringify(value))); // -0 is 0 in JSON
const containers = fc.oneof(
  fc.array(values, { maxLength: 4 }),
  fc.dictionary(fc.string(), values, { maxKeys: 4 }),
);
const fragments = fc.array(
  fc.oneof(
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "'",
      "“",
      "”",
      "\\",
      "```",
      "```json\n",
      "<think>",
      "</think>",
      "//",
      "/*",
      "*/",
      "\n",
      "1",
      "-",
      "true",
      "None",
      "a",
    ),
    fc.string({ maxLength: 4 }),
  ),
  { maxLength: 60 },
);

/** All text in a value, keys included. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    Array.isArray(value) ? "" : key,
    ...textsOf(member),
  ]);
}

describe("reading JSON", () => {
  it("reads whatever JSON.parse reads, unrepaired, pretty or not", () => {
    fc.assert(
      fc.property(values, fc.constantFrom(0, 2), (value, indent) => {
        expect(readJson(JSON.stringify(value, null, indent))).toEqual({ ok: true, value, repairs: [] });
      }),
      { numRuns: 500 },
    );
  });

  it("never completes what was cut off, fenced or not", () => {
    fc.assert(
      fc.property(containers, fc.nat(), fc.constantFrom("", "```json\n", "So: "), (value, at, before) => {
        const json = JSON.stringify(value);
        expect(readJson(before + json.slice(0, at % json.length)).ok).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it("ends on any text, and makes up none", () => {
    fc.assert(
      fc.property(fragments, (pieces) => {
        const source = pieces.join("").replaceAll("\\", ""); // an escape stands for another character
        const read = readJson(source);
        if (!read.ok) expect(read.why).not.toBe("");
        for (const text of read.ok ? textsOf(read.value) : []) expect(source).toContain(text);
      }),
      { numRuns: 3_000 },
    );
  });

  it("takes time in proportion to the text, whatever it holds", () => {
    const size = 200_000;
    const hostile = [
      "[",
      "{",
      '{"a":',
      "<think>",
      "</think>",
      "```",
      "/*",
      "//",
      "\\",
      '"',
      "'",
      "“",
      " ",
      ",",
      "[1,",
      "1",
      "-",
      "{a:",
      "\n",
      '"\\',
      "<think></think>",
    ];
    for (const piece of hostile) {
      const text = piece.repeat(size / piece.length);
      for (const whole of [text, `[${text}`, `{"a":"${text}`, `x${text}{}`]) readJson(whole); // quadratic time would take hours
    }
  });
});
