import { describe, expect, it } from "vitest";
import { lookAlikes } from "./look-alikes.ts";

describe("words that mix alphabets", () => {
  it.each([
    ["p\u0430ypal.com", /“p\u0430ypal\.com”: \u0430 is Cyrillic \(U\+0430\)/],
    ["dana@ex\u0430mple.com", /Cyrillic \(U\+0430\)/],
    ["\u0440\u0430\u0443.com", /\u0443 is Cyrillic/], // all of one label, beside another's
    ["g\u03bfogle", /\u03bf is Greek \(U\+03BF\)/],
  ])("%s is marked, naming the odd letters", (text, said) => {
    const [line, ...others] = lookAlikes(`pay ${text} now`);
    expect(line).toMatch(said);
    expect(others).toEqual([]);
  });

  it.each(["paypal.com", "plain words", "привет мир", "καλημέρα", "東京tower", "naïve café", "", "10 µF"])(
    "%s is not",
    (text) => {
      expect(lookAlikes(text)).toEqual([]);
    },
  );

  it("are at most ten, and a long text takes little time", () => {
    const many = Array.from({ length: 50 }, (_, index) => `p\u0430y${index}`).join(" ");
    expect(lookAlikes(many)).toHaveLength(10);
    const startedAt = performance.now();
    expect(lookAlikes("a".repeat(1_000_000))).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
