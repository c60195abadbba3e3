import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactor } from "./redact.ts";

const clean = (secrets: Readonly<Record<string, string>>, text: string): string =>
  redactor(new Map(Object.entries(secrets))).value(text);

describe("a redactor", () => {
  it.each([
    {
      name: "two that overlap",
      secrets: { A: "abcdefgh", B: "efghijkl" },
      text: "x abcdefghijkl y",
      cleaned: "x [secret A][secret B] y",
    },
    {
      name: "one within another",
      secrets: { A: "cdefgh", B: "abcdefghij" },
      text: "abcdefghij",
      cleaned: "[secret B]",
    },
    {
      name: "one that overlaps itself",
      secrets: { A: "abcabc" },
      text: "abcabcabc.",
      cleaned: "[secret A].",
    },
    {
      name: "one beside another",
      secrets: { A: "abcdef", B: "ghijkl" },
      text: "abcdefghijkl",
      cleaned: "[secret A][secret B]",
    },
    {
      name: "one of several lines, shown in one",
      secrets: { A: "first\n  second\n" },
      text: "(first second)",
      cleaned: "([secret A])",
    },
    {
      name: "one that a message was cut in",
      secrets: { A: "abcdefghijkl" },
      text: "key abcdefgh…",
      cleaned: "key [secret A]…",
    },
    {
      name: "no end that is like the start of one",
      secrets: { A: "abcdefghijkl" },
      text: "key abcde…",
      cleaned: "key abcde…",
    },
    { name: "names as they are", secrets: { $: "abcdef" }, text: "abcdef", cleaned: "[secret $]" },
  ])("takes out $name", ({ secrets, text, cleaned }) => {
    expect(clean(secrets, text)).toBe(cleaned);
  });

  it("leaves what it wrote, also where a secret is a word of that", () => {
    const secrets = { TOKEN: "secret", PASSWORD: "PASSWORD" };
    const once = clean(secrets, "a secret PASSWORD");
    expect(once).toBe("a [secret TOKEN] [secret PASSWORD]");
    expect(clean(secrets, once)).toBe(once);
  });

  it("leaves no part of a secret as long as one, whatever they share, and cleaning twice is cleaning once", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 12, maxLength: 40 });
    const place = fc.tuple(fc.nat({ max: 5 }), fc.integer({ min: 6, max: 9 }));
    fc.assert(
      fc.property(text, place, place, (given, [atA, lengthA], [atB, lengthB]) => {
        const A = given.slice(atA, atA + lengthA);
        const B = given.slice(atB, atB + lengthB);
        const cleaned = clean({ A, B }, given);
        for (const each of [A, B]) expect(cleaned).not.toContain(each);
        expect(clean({ A, B }, cleaned)).toBe(cleaned);
        const kept = cleaned.replaceAll(/(?:\[secret [AB]\])+/g, "");
        const covered = [...given].map((_, at) =>
          [A, B].some((each) =>
            [...each].some((__, back) => given.startsWith(each, at - back) && at - back >= 0),
          ),
        );
        expect(kept).toBe([...given].filter((_, at) => !covered[at]).join(""));
      }),
    );
  });
});
