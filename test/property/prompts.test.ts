// Prompts over all texts and all inputs: nothing but prompt_invalid is thrown, and values stay values.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isHoldpointError, parsePrompt, renderPrompt } from "../../src/index.ts";

/** Text that is likely to hold tags, front matter and what looks like them. */
const fragments = fc.constantFrom(
  ..."{{ }} {{{ }}} \\ \\\\ --- # ^ / ! . json input role ask errors input.a input.a.b a : - [ ] { } & * ' \" | > ~ \n \r\n \t \uFEFF".split(
    " ",
  ),
  ..."{{#input}} {{/input}} {{^input.a}} {{/input.a}} {{.}} {{input.a}} {{role}} {{#ask}} {{/ask}} ---\n role:\x20x\n ask:\n variables:\n".split(
    " ",
  ),
  " ",
);
const templateText = fc
  .array(fc.oneof({ weight: 5, arbitrary: fragments }, fc.string({ unit: "grapheme" })), { maxLength: 40 })
  .map((parts) => parts.join(""));

const json = fc.jsonValue({ maxDepth: 4 });

/** What came of it, or the code of the error. */
function attempt<T>(run: () => T): T | { readonly line: unknown } {
  try {
    return run();
  } catch (error) {
    if (!isHoldpointError(error, "prompt_invalid")) throw error;
    return { line: error.details?.line };
  }
}

/** A text as a template that renders to it. */
function escaped(text: string): string {
  return text.replaceAll(/(\\*)\{\{/g, (_, slashes: string) => `${slashes}${slashes}\\{{`);
}

describe("prompts", () => {
  it("parse, or say in which line they do not; any input renders, or is refused with a line", () => {
    let rendered = 0;
    fc.assert(
      fc.property(templateText, json, (text, input) => {
        const lines = text.replaceAll("\r\n", "\n").split("\n").length;
        const prompt = attempt(() => parsePrompt(text));
        const result = "nodes" in prompt ? attempt(() => renderPrompt(prompt, { input })) : prompt;
        if ("text" in result) rendered += 1;
        else {
          expect(result.line).toBeGreaterThanOrEqual(1);
          expect(result.line).toBeLessThanOrEqual(lines + 1);
        }
      }),
      { numRuns: 3_000 },
    );
    expect(rendered).toBeGreaterThan(100);
  });

  it("give back any text that is written with its braces escaped", () => {
    fc.assert(
      fc.property(templateText, (text) => {
        const content = `a${text.replaceAll("\r\n", "\n")}z`; // no front matter, no blanks at the ends
        expect(renderPrompt(parsePrompt(escaped(content)), { input: null }).text).toBe(content);
      }),
      { numRuns: 2_000 },
    );
  });

  it("write any value as it is, wherever it stands", () => {
    const template = parsePrompt(
      "{{input.a}}|{{#input.b}}{{.}}{{/input.b}}|{{json input.c}}|{{^input.d}}none{{/input.d}}",
    );
    fc.assert(
      fc.property(templateText, fc.array(templateText), json, (a, b, c) => {
        fc.pre(c !== null);
        const { text } = renderPrompt(template, { input: { a, b, c } });
        expect(text).toBe(`${a}|${b.join("")}|${JSON.stringify(c)}|none`);
      }),
      { numRuns: 1_000 },
    );
  });

  it("give the same bytes for the same input, and change neither prompt nor input", () => {
    const template = parsePrompt("{{json input}}{{#input}}{{json .}}{{/input}}");
    fc.assert(
      fc.property(json, (input) => {
        const before = JSON.stringify([template, input]);
        const first = attempt(() => renderPrompt(template, { input }));
        expect(attempt(() => renderPrompt(template, { input: structuredClone(input) }))).toEqual(first);
        expect(JSON.stringify([template, input])).toBe(before);
      }),
    );
  });
});
