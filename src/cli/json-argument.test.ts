import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonErrorOffset, jsonOrText, parseJsonArgument } from "./json-argument.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("jsonErrorOffset", () => {
  it.each([
    { text: '{"a": 1,}', offset: 8 },
    { text: "{a: 1}", offset: 1 },
    { text: '{"a" 1}', offset: 5 },
    { text: "[1, 2", offset: 5 },
    { text: '"open', offset: 5 },
    { text: '"bad \\x"', offset: 5 },
    { text: "tru", offset: 0 },
    { text: "1 2", offset: 2 },
    { text: "", offset: 0 },
    { text: "[1,,2]", offset: 3 },
    { text: "01", offset: 1 },
  ])("is $offset in $text", ({ text, offset }) => {
    expect(jsonErrorOffset(text)).toBe(offset);
  });

  it("reads any JSON to its end", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(jsonErrorOffset(text)).toBe(text.length);
      }),
    );
  });

  it("points at a character that no continuation of the text before it could have there", () => {
    const broken = fc.tuple(fc.json(), fc.nat(), fc.constantFrom(...'{}[]:,"\\ 0a-'));
    fc.assert(
      fc.property(broken, ([json, place, extra]) => {
        const at = place % (json.length + 1);
        const text = json.slice(0, at) + extra + json.slice(at);
        fc.pre(!isJson(text));
        const offset = jsonErrorOffset(text);
        expect(offset).toBeLessThanOrEqual(text.length);
        expect(jsonErrorOffset(text.slice(0, offset))).toBe(offset); // what comes before it is the beginning of JSON
      }),
    );
  });
});

describe("parseJsonArgument", () => {
  it("shows the line and the place, also in a long text", () => {
    const text = `{\n  "long": "${"x".repeat(100)}",\n  "cents": 42 43\n}`;
    expect(() => parseJsonArgument(text, "the input")).toThrow(
      'the input is not JSON at line 3, column 15: unexpected "4"\n    "cents": 42 43\n                ^',
    );
  });

  it("says that a text ends too early", () => {
    expect(() => parseJsonArgument('{"a":', "it")).toThrow("line 1, column 6: it ends too early");
  });
});

describe("JSON that says more than one thing", () => {
  it.each([
    { text: '{"cents": 1, "cents": 900}', why: '"cents" is given twice in one object' },
    { text: '{"account": 12345678901234567890}', why: '"12345678901234567890" has more digits than' },
  ])("is refused: $text", ({ text, why }) => {
    expect(() => parseJsonArgument(text, "the edit")).toThrow(
      `the edit is not JSON that can be used: ${why}`,
    );
  });

  it("is text where text is taken, and never another number", async () => {
    expect(await jsonOrText("12345678901234567890", "it", null)).toBe("12345678901234567890");
  });
});

describe("jsonOrText", () => {
  const accepts = (type: string) => (value: unknown) => Promise.resolve(typeof value === type);

  it.each([
    { name: "JSON where nothing is said", text: "[1]", type: null, value: [1] },
    { name: "text where nothing is said", text: "hello", type: null, value: "hello" },
    { name: "a number where numbers are taken", text: "42", type: "number", value: 42 },
    { name: "text where only text is taken", text: "42", type: "string", value: "42" },
    { name: "text that begins like JSON where only text is taken", text: "[x", type: "string", value: "[x" },
    { name: "the JSON value where neither is taken", text: "42", type: "boolean", value: 42 },
  ])("gives $name", async ({ text, type, value }) => {
    expect(await jsonOrText(text, "it", type === null ? null : accepts(type))).toEqual(value);
  });

  it.each([
    { name: "text that begins like JSON where nothing is said", text: "{x", type: null },
    { name: "text where none is taken", text: "hello", type: "number" },
  ])("refuses $name", async ({ text, type }) => {
    await expect(jsonOrText(text, "it", type === null ? null : accepts(type))).rejects.toMatchObject({
      code: "invalid_json",
    });
  });
});

it("refuses JSON that says two things: a person may have meant either", () => {
  expect(() => parseJsonArgument('{"cents": 1, "cents": 400}', "the value of --edit")).toThrow(
    expect.objectContaining({
      code: "invalid_json",
      message: expect.stringContaining('"cents" is given twice'),
    }),
  );
});
