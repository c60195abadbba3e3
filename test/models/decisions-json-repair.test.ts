// Broken JSON of real bug reports. Where the reader gives a value it is the one expected; where it refuses, the model is
// asked again, which is the point: those expectations complete, drop or join what was written.
import { existsSync, readFileSync } from "node:fs";
import { jsonrepair } from "jsonrepair";
import { afterAll, describe, expect, test } from "vitest";
import { readJson } from "../../src/core/encodings/read-json.ts";

const file = "../shared/data/json-repair/cases.json";
const hasCases = existsSync(file);
const reason = hasCases ? "" : " (skipped: no ../shared/data/json-repair)";

interface Case {
  readonly test: string;
  readonly input: string;
  readonly expected: unknown;
  readonly kwargs: { readonly return_objects?: boolean; readonly schema?: unknown };
}

/** Expectations that are no reading of the text: a schema turned the value into another. */
const otherwise: ReadonlyMap<string, string> = new Map([
  ['"1"', "text that a schema made a number"],
  ['{"value": "1"}', "text that a schema made a number"],
  ['{"items": "{\\"a\\": 1}"}', "text that a schema made a list"],
  ['{"a": 1, "extra": "drop"}', "a member that a schema dropped"],
]);

const counts = new Map<string, number>();

function count(what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

afterAll(() => {
  for (const [what, n] of counts) process.stdout.write(`json-repair: ${n} ${what}\n`);
});

function expectedOf({ expected, kwargs }: Case): unknown {
  if (typeof expected !== "string" || kwargs.return_objects) return expected;
  try {
    return JSON.parse(expected);
  } catch {
    return expected;
  }
}

function byLibrary(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(jsonrepair(text)) };
  } catch {
    return null;
  }
}

describe.skipIf(!hasCases)(`broken JSON of bug reports${reason}`, () => {
  const cases = hasCases ? (JSON.parse(readFileSync(file, "utf8")) as readonly Case[]) : []; // the file's own shape
  test("is read as expected, or refused", () => {
    for (const given of cases) {
      const read = readJson(given.input);
      const library = byLibrary(given.input);
      count("cases");
      if (library && JSON.stringify(library.value) === JSON.stringify(expectedOf(given)))
        count("that jsonrepair reads as expected");
      if (!read.ok) {
        expect(read.why).not.toBe("");
        count(library ? "refused, and repaired by jsonrepair" : "refused, and by jsonrepair too");
        continue;
      }
      const known = otherwise.get(given.input);
      if (known === undefined)
        expect({ input: given.input, value: read.value }).toEqual({
          input: given.input,
          value: expectedOf(given),
        });
      count(known === undefined ? "read as expected" : `read as written, not as ${known}`);
      const agrees = library !== null && JSON.stringify(library.value) === JSON.stringify(read.value);
      if (!agrees) expect(known).toBe(undefined);
      count(agrees ? "read as jsonrepair reads them" : "read, and read otherwise by jsonrepair");
    }
  });
});
