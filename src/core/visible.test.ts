import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { visible } from "./visible.ts";

describe("visible", () => {
  const cases = [
    {
      name: "ordinary text",
      given: "Grüße, 漢字, עברית, 👍🏽 – ok\n\tnext",
      shown: "Grüße, 漢字, עברית, 👍🏽 – ok\n\tnext",
    },
    { name: "an emoji's variation selector", given: "⚠\uFE0F", shown: "⚠\uFE0F" },
    { name: "ANSI escapes", given: "\u001b[2K\u001b[1Gsafe", shown: "\\u001b[2K\\u001b[1Gsafe" },
    { name: "carriage return and backspace", given: "rm\r\b ls", shown: "rm\\u000d\\u0008 ls" },
    { name: "NUL, DEL and C1", given: "\u0000\u007f\u0085\u009b", shown: "\\u0000\\u007f\\u0085\\u009b" },
    {
      name: "bidirectional overrides",
      given: "a\u202eb\u2066c\u2069d\u200e\u061c",
      shown: "a\\u202eb\\u2066c\\u2069d\\u200e\\u061c",
    },
    {
      name: "zero width",
      given: "a\u200bb\u200dc\u2060d\ufeffe\u00adf",
      shown: "a\\u200bb\\u200dc\\u2060d\\ufeffe\\u00adf",
    },
    { name: "line and paragraph separators", given: "a\u2028b\u2029c", shown: "a\\u2028b\\u2029c" },
    { name: "lone surrogates", given: "a\ud83db\udc00c", shown: "a\\ud83db\\udc00c" },
    {
      name: "tags, which spell hidden text",
      given: "ok\u{e0061}\u{e0062}",
      shown: "ok\\udb40\\udc61\\udb40\\udc62",
    },
    { name: "fillers that look like spaces", given: "a\u3164b\u115f", shown: "a\\u3164b\\u115f" },
    { name: "a letter that is a blank", given: "a\u2800b", shown: "a\\u2800b" },
    { name: "private use", given: "\ue000\u{f0000}", shown: "\\ue000\\udb80\\udc00" },
  ];
  for (const { name, given, shown } of cases) {
    test(name, () => {
      expect(visible(given)).toBe(shown);
    });
  }

  test("JSON text stays JSON of the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        expect(JSON.parse(visible(JSON.stringify(value, null, 2)))).toEqual(
          JSON.parse(JSON.stringify(value)),
        );
      }),
    );
  });

  test("what is shown once is shown the same again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(visible(visible(text))).toBe(visible(text));
      }),
    );
  });
});
