import { describe, expect, it } from "vitest";
import type { Rendering } from "../encodings/encoding.ts";
import type { Section } from "./section.ts";
import { type WindowOptions, window } from "./settings.ts";

const section: Section = { name: "rules", render: () => "x" };
const one = (wrong: object): object => ({ sections: [{ ...section, ...wrong }] });

describe("a window's options", () => {
  it("are taken as they are, and taken again once settled", () => {
    const rendering: Rendering = { name: "mine", joinsUserMessages: true, show: () => [] };
    const settled = window({
      budget: 400,
      rendering,
      sections: [
        { ...section, place: "start", pin: true, priority: -1, maxTokens: 1, shrink: [(text) => text] },
      ],
      summary: { model: "anthropic/claude-haiku-5", maxInputTokens: 500 },
      note: () => null,
    });
    expect(window(settled)).toEqual(settled);
    expect(window(window())).toEqual(window());
  });

  it.each<[name: string, wrong: unknown, message: string]>([
    ["no object", "big", "the window is no object with options"],
    ["null", null, "the window is no object with options"],
    ["an option that does not exist", { budgt: 4_000 }, 'the window has no option "budgt"'],
    ["a rendering that does not exist", { rendering: "xml" }, 'there is no rendering "xml"'],
    ["a rendering that shows nothing", { rendering: {} }, "has no function show"],
    ["a note that is text", { note: "x" }, "note is no function"],
    ["sections that are no list", { sections: {} }, "sections are no list"],
    ["a section that is null", { sections: [null] }, "section 1 of the window is no object"],
    ["a section without a name", one({ name: undefined }), '"undefined" cannot be the name'],
    ["two sections of one name", { sections: [section, section] }, 'two sections "rules"'],
    ["a section's misspelt option", one({ pinned: true }), 'section 1 of the window has no option "pinned"'],
    ["a section without render", one({ render: undefined }), 'render of the window\'s section "rules"'],
    ["a section's place", one({ place: "middle" }), 'there is no place "middle"'],
    ["a section's pin", one({ pin: "yes" }), "is neither true nor false"],
    ["a section's priority", one({ priority: "high" }), "is no number"],
    ["a section's size", one({ maxTokens: 0 }), "maxTokens"],
    ["one shrinker, no list", one({ shrink: (text: string) => text }), "is no list of functions"],
    ["a shrinker's name", one({ shrink: ["cutEnd"] }), "is no list of functions"],
    ["a summary that is true", { summary: true }, "the window's summary is no object"],
    ["a summary without a model", { summary: {} }, "names no model"],
    ["a summary's misspelt option", { summary: { model: "a/b", maxTokens: 3 } }, 'no option "maxTokens"'],
    ["a summary's size", { summary: { model: "a/b", maxInputTokens: -1 } }, "maxInputTokens"],
    ["a summary's instructions", { summary: { model: "a/b", instructions: 5 } }, "are no text"],
  ])("are refused: %s", (_name, wrong, message) => {
    expect(() => window(wrong as WindowOptions)).toThrow(
      expect.objectContaining({ code: "agent_invalid", message: expect.stringContaining(message) }),
    );
  });
});
