import { describe, expect, it } from "vitest";
import { formatDistance, formatDuration, line, shellWord } from "./format.ts";

describe("formatDuration", () => {
  it.each([
    { ms: 12, text: "12 ms" },
    { ms: 3_240, text: "3.2 s" },
    { ms: 245_000, text: "4 min 5 s" },
    { ms: 12_000_000, text: "3 h 20 min" },
    { ms: 86_400_000, text: "1 d" },
  ])("writes $ms ms as $text", ({ ms, text }) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe("formatDistance", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");

  it.each([
    { at: "2026-11-23T12:00:05Z", text: "in 5.0 s" },
    { at: "2026-11-23T11:59:59.500Z", text: "just now" },
    { at: "2026-11-23T11:00:00Z", text: "1 h ago" },
  ])("says $text", ({ at, text }) => {
    expect(formatDistance(at, now)).toBe(text);
  });
});

describe("line", () => {
  it("is one line that no terminal obeys, and not longer than allowed", () => {
    expect(line("a\nb\tc\u001b[2J", 100)).toBe("a⏎ b c\\u001b[2J");
    expect(line("abcdef", 4)).toBe("abc…");
  });
});

describe("shellWord", () => {
  it.each([
    { text: "act:issue_refund#1", word: "act:issue_refund#1" },
    { text: "step:load order#1", word: "'step:load order#1'" },
    { text: "it's", word: "'it'\\''s'" },
    { text: "$(reboot)", word: "'$(reboot)'" },
    { text: "", word: "''" },
  ])("quotes $text as $word", ({ text, word }) => {
    expect(shellWord(text)).toBe(word);
  });
});
