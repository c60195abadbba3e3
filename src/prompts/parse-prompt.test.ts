import { describe, expect, it } from "vitest";
import { HoldpointError } from "../core/errors.ts";
import { type PromptTemplate, promptVersion, renderPrompt } from "../core/prompt/prompt.ts";
import { parsePrompt } from "./parse-prompt.ts";

/** The prompt's text for an input. */
function render(text: string, input: unknown = {}): string {
  return renderPrompt(parsePrompt(text, "a.prompt.md"), { input }).text;
}

/** What is thrown, as `message → fix`. */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof HoldpointError && error.code === "prompt_invalid")
      return `${error.message} → ${error.fix}`;
    throw error;
  }
  throw new Error("it was not refused");
}

/** Front matter with these lines from line 2 on, and a body that follows it. */
function withFront(front: string, body = "Work."): string {
  return `---\n${front}\n---\n${body}\n`;
}

describe("a prompt's body", () => {
  it.each([
    { name: "text alone", text: "Work.", is: "Work." },
    { name: "blank lines around it", text: "\n \n  Work.\n\n", is: "  Work." },
    { name: "text input", text: "For {{input}}.", input: "A7", is: "For A7." },
    { name: "members", text: "{{ input.order.id }}", input: { order: { id: "A7" } }, is: "A7" },
    { name: "members of lists", text: "{{input.1.id}}", input: [0, { id: 5 }], is: "5" },
    {
      name: "numbers and booleans",
      text: "{{input.a}} {{input.b}} {{input.c}}",
      input: { a: 1234567.5, b: true, c: -0 },
      is: "1234567.5 true 0",
    },
    { name: "JSON", text: "{{json input}}", input: { b: [1, null], a: "x" }, is: '{"b":[1,null],"a":"x"}' },
    { name: "nothing is escaped", text: "{{input}}", input: "<b>&\"'", is: "<b>&\"'" },
    { name: "names of other scripts", text: "{{input.größe}}", input: { größe: "M" }, is: "M" },
    { name: "a list", text: "{{#input}}{{.}},{{/input}}", input: [1, "b"], is: "1,b," },
    {
      name: "members of items",
      text: "{{#input.items}}{{id}}:{{name.first}} {{/input.items}}",
      input: { items: [{ id: 1, name: { first: "x" } }] },
      is: "1:x ",
    },
    {
      name: "a test within an item",
      text: "{{#input}}{{#vip}}{{id}}{{/vip}}{{/input}}",
      input: [{ id: 1, vip: true }, { id: 2 }],
      is: "1",
    },
    {
      name: "lists in lists",
      text: "{{#input}}{{#.}}{{.}}{{/.}};{{/input}}",
      input: [[1, 2], [3]],
      is: "12;3;",
    },
    {
      name: "a member that has a variable's name",
      text: "{{#input.a}}{{.input}} {{input.b}}{{/input.a}}",
      input: { a: { input: 1 }, b: 2 },
      is: "1 2",
    },
    { name: "zero is a value", text: "{{#input.n}}{{.}}{{/input.n}}", input: { n: 0 }, is: "0" },
    ...[undefined, null, false, "", []].map((n) => ({
      name: `${JSON.stringify(n)} is nothing`,
      text: "a{{#input.n}}x{{/input.n}}{{^input.n}}y{{/input.n}}",
      input: { n },
      is: "ay",
    })),
    { name: "nothing on the way is nothing", text: "a{{#input.x.y.z}}b{{/input.x.y.z}}", input: {}, is: "a" },
    {
      name: "tags alone on their line take it with them",
      text: "a\n  {{#input}}\t\n- {{.}}\n{{/input}}\nb",
      input: [1, 2],
      is: "a\n- 1\n- 2\nb",
    },
    { name: "a comment, also over lines", text: "a\n{{! one\ntwo }}\nb {{!x}}c", is: "a\nb c" },
    {
      name: "tags that share a line leave it",
      text: "a {{#input}}\nx\n{{/input}} b",
      input: true,
      is: "a \nx\n b",
    },
    { name: "literal braces", text: String.raw`\{{a}} }} {b} \n`, is: String.raw`{{a}} }} {b} \n` },
    {
      name: "a backslash before a tag",
      text: String.raw`\\{{input}} \\\{{x`,
      input: 1,
      is: String.raw`\1 \{{x`,
    },
    {
      name: "line ends of Windows, and a BOM",
      text: "\uFEFFa\r\n{{#input}}\r\nb\r\n{{/input}}\r\nc",
      input: 1,
      is: "a\nb\nc",
    },
  ])("renders $name", ({ text, input, is }) => expect(render(text, input)).toBe(is));

  it("never reads a value as a template", () => {
    const hostile = "{{input.secret}} {{#input.secret}}{{/x}} \\{{ {{!";
    expect(render("{{input.a}}{{json input.a}}", { a: hostile, secret: "s" })).toBe(
      hostile + JSON.stringify(hostile),
    );
  });

  it.each(["constructor", "__proto__", "toString", "length", "constructor.name"])(
    "reaches own members only, not %s",
    (member) => {
      for (const input of [{}, [1], { a: 1 }])
        expect(refusal(() => render(`{{input.${member}}}`, input))).toMatch(
          /^a\.prompt\.md:1: input\.\S+ is missing/,
        );
      expect(refusal(() => render(`{{input.${member}}}`, "text"))).toMatch(
        /input is text, which has no member/,
      );
    },
  );

  it("shows an own member of such a name", () => {
    expect(render("{{input.__proto__.a}}", JSON.parse('{"__proto__":{"a":1}}'))).toBe("1");
  });

  it.each([
    {
      name: "an unknown variable",
      text: "a\nb {{x}}",
      says: /:2: unknown variable x → A member of the thread's input is {{input.x}}. There are: input.$/,
    },
    {
      name: "a misspelt one",
      text: "{{inptu.id}}",
      says: /:1: unknown variable inptu.id → Did you mean input.id\?/,
    },
    {
      name: "one that the front matter lacks",
      text: "{{role}}",
      says: /:1: role is not set in the front matter/,
    },
    {
      name: "an item outside of a section",
      text: "{{^input}}{{.}}{{/input}}",
      says: /:1: {{\.}} is outside of a section/,
    },
    { name: "an expression", text: "{{#if input}}", says: /:1: "if input" is no name/ },
    { name: "an empty tag", text: "\n{{}}", says: /:2: "" is no name/ },
    { name: "an endless name", text: `{{${"a".repeat(201)}}}`, says: /is no name/ },
    {
      name: "a section that is not closed",
      text: "a\n{{#input.a}}\n{{#input.b}}{{/input.b}}",
      says: /:2: {{#input\.a}} is not closed → Write {{\/input\.a}}/,
    },
    {
      name: "sections that cross",
      text: "{{#input.a}}\n{{^input.b}}\n{{/input.a}}{{/input.b}}",
      says: /:3: {{\/input\.a}} where {{\/input\.b}} is due: the section of line 2/,
    },
    {
      name: "an end without a section",
      text: "a\n\n{{/input}}",
      says: /:3: {{\/input}} closes a section that is not open/,
    },
    { name: "a tag that is not closed", text: "a\n{{input", says: /:2: a tag is opened .* write \\{{/ },
    { name: "a tag that is closed by another", text: "{{input {{input}}", says: /:1: a tag is opened/ },
    { name: "a tag over two lines", text: "{{input\n}}", says: /:1: a tag is opened/ },
    { name: "a tag in a comment", text: "{{! say {{input}} }}", says: /:1: a tag is opened/ },
    { name: "three braces", text: "{{{input}}}", says: /:1: {{{…}}} is not supported/ },
    { name: "an ampersand", text: "{{& input}}", says: /:1: {{&…}} is not supported/ },
    { name: "a partial", text: "{{> footer}}", says: /:1: {{>…}} is not supported: a prompt is one file/ },
    { name: "other delimiters", text: "{{=<% %>=}}", says: /:1: {{=…}} is not supported/ },
    {
      name: "sections that nest without end",
      text: "{{#input}}".repeat(21),
      says: /:1: more than 20 sections/,
    },
    { name: "no text", text: "\n\n", says: /there is no text for the model/ },
    { name: "too much text", text: "x".repeat(262_145), says: /:1: the prompt is longer than 262144/ },
    { name: "half a character", text: "a\nb\uD800", says: /:2: half a character/ },
  ])("is refused when it is read, with its line: $name", ({ text, says }) => {
    expect(refusal(() => parsePrompt(text, "a.prompt.md"))).toMatch(says);
  });

  it.each([
    {
      name: "a missing member, with those that are there",
      text: "\n\n{{input.order.idd}}",
      input: { order: { id: 1, cents: 2 } },
      says: /:3: input\.order\.idd is missing → Did you mean input\.order\.id\? There are: input\.order\.id, input\.order\.cents\. Where it may be missing, test it/,
    },
    { name: "null", text: "{{input.a}}", input: { a: null }, says: /:1: input\.a is null/ },
    { name: "no input", text: "{{input}}", input: null, says: /:1: input is null → Where/ },
    {
      name: "an object",
      text: "{{input}}",
      input: { a: 1 },
      says: /:1: input is an object.*Name a member \(input\.a\), or write {{json input}}/,
    },
    {
      name: "a list",
      text: "{{input}}",
      input: [],
      says: /:1: input is a list.*{{#input}}…{{\.}}…{{\/input}}/,
    },
    {
      name: "a member of text",
      text: "{{#input.a}}{{/input.a}}",
      input: "x",
      says: /:1: input is text, which has no member a/,
    },
    {
      name: "a member of an item that is text",
      text: "{{#input}}{{id}}{{/input}}",
      input: ["x"],
      says: /:1: the item is text, which has no member id/,
    },
    {
      name: "an item's member that only the object around has",
      text: "{{#input}}{{#list}}{{id}}{{/list}}{{/input}}",
      input: { id: 1, list: [{}] },
      says: /:1: id is missing/,
    },
    {
      name: "a text that grows too long",
      text: "{{input}}{{input}}",
      input: "x".repeat(500_001),
      says: /:1: the text grows over 1000000/,
    },
    {
      name: "sections that multiply",
      text: `\n${"{{#input}}".repeat(4)}${"{{/input}}".repeat(4)}`,
      input: Array(100).fill(1),
      says: /:2: the sections repeat more than 200000 times/,
    },
    {
      name: "empty sections that repeat",
      text: "{{#input}}{{/input}}",
      input: Array(200_001).fill(1),
      says: /:1: the sections repeat more than 200000 times/,
    },
    {
      name: "names without end",
      text: "{{input.kkk}}",
      input: { ["k".repeat(100_000)]: 1 },
      says: /^(?!.*Did you mean).{0,500}$/,
    },
  ])("is refused for an input, with line and variable: $name", ({ text, input, says }) => {
    expect(refusal(() => render(`x${text}`, input))).toMatch(says);
  });

  it("tells programs where", () => {
    const error = {
      code: "prompt_invalid",
      details: { prompt: "a.prompt.md", line: 2, variable: "input.x" },
    };
    expect(() => render("a\n{{input.x}}", {})).toThrow(expect.objectContaining(error));
  });
});

describe("a prompt's front matter", () => {
  const full = withFront(
    [
      "description: For people.",
      "model: [a/one, b/two]",
      "role: You answer mail.",
      "ask:",
      "  - the amount is over 100",
      '  - "the customer: is angry"',
      "errors: Try once more.",
      "variables:",
      "  input.tone: { type: string, default: kind }",
      "  input.order: object",
    ].join("\n"),
    "{{role}} Be {{input.tone}}.\n{{#ask}}\n- {{.}}\n{{/ask}}\n{{errors}}{{#input.order}} {{id}}{{/input.order}}",
  );

  it("is data, and shows where the body says so", () => {
    const { description, model, role, ask, errors } = parsePrompt(full);
    expect({ description, model, role, ask, errors }).toEqual({
      description: "For people.",
      model: ["a/one", "b/two"],
      role: "You answer mail.",
      ask: ["the amount is over 100", "the customer: is angry"],
      errors: "Try once more.",
    });
    expect(render(full, { order: { id: 7 } })).toBe(
      "You answer mail. Be kind.\n- the amount is over 100\n- the customer: is angry\nTry once more. 7",
    );
    expect(render(full, { tone: "short" })).toContain("Be short.");
  });

  it("is frozen to its leaves", () => {
    const prompt = parsePrompt(full);
    expect(
      Object.isFrozen(prompt.ask) && Object.isFrozen(prompt.nodes[0]) && Object.isFrozen(prompt.variables[0]),
    ).toBe(true);
  });

  it("may be empty, or hold comments only", () => {
    expect(render("---\n---\nWork.")).toBe("Work.");
    expect(render(withFront("# to be written"))).toBe("Work.");
  });

  it.each([
    {
      name: "an unknown key",
      front: "description: x\nrol: x",
      says: /:3: unknown key "rol" → Did you mean role\? There are: description, model/,
    },
    { name: "a key given twice", front: "role: x\nrole: y", says: /:3: .*unique/ },
    { name: "no keys", front: "- a", says: /:2: the front matter has no keys/ },
    { name: "broken YAML", front: "description: x\nrole: [a", says: /:4: the front matter is no valid YAML/ },
    { name: "a tag", front: "role: !!binary aGk=", says: /:2: .*Unresolved tag/ },
    { name: "an alias", front: "role: &a x\nerrors: *a", says: /:2: anchors and aliases/ },
    { name: "nesting without end", front: `role: ${"[".repeat(3_000)}`, says: /:2: the front matter/ },
    {
      name: "too much of it",
      front: `description: ${"x".repeat(65_536)}`,
      says: /:2: the front matter is longer/,
    },
    { name: "a role that is no text", front: "role: 5", says: /:2: role is not text/ },
    { name: "an empty list", front: "ask: []", says: /:2: ask is neither/ },
    {
      name: "a list of something else",
      front: "ask:\n  - when: x",
      says: /:2: ask is neither.*such as with `: ` in it/,
    },
    { name: "a list of models with none", front: "model: ['']", says: /:2: model is neither/ },
    {
      name: "a role that is not shown",
      front: "description: x\nrole: x",
      says: /:3: role is set, and the body does not show it → Write {{role}}/,
    },
    { name: "rules that are not shown", front: "ask: [x]", says: /:2: ask is set, .* → Write {{#ask}}/ },
    { name: "a list as text", front: "ask: [x]", body: "{{ask}}", says: /:4: ask is a list.*{{#ask}}/ },
    { name: "a member of a text", front: "role: x", body: "{{role.x}}", says: /:4: role has no members/ },
    { name: "variables without any", front: "variables:", says: /:2: variables declares nothing/ },
    {
      name: "a variable that is no input",
      front: "variables:\n  tone: string",
      says: /:3: variables declares "tone" → .* input\.tone/,
    },
    {
      name: "an unknown type",
      front: "variables:\n  input.tone: text",
      says: /:3: input\.tone is declared as "text" → Types are: string/,
    },
    {
      name: "an unknown word of a declaration",
      front: "variables:\n  input.tone:\n    defualt: x",
      says: /:4: unknown key "defualt" → Did you mean default/,
    },
    {
      name: "a default of another type",
      front: "variables:\n  input.n: { type: number, default: x }",
      says: /:3: the default of input\.n is no number/,
    },
    {
      name: "a default that loses digits",
      front: "variables:\n  input.n: { default: 12345678901234567890 }",
      says: /:3: .*loses digits/,
    },
    {
      name: "an undeclared variable",
      front: "variables:\n  input.tone: string",
      body: "{{input.tome}}",
      says: /:5: unknown variable input\.tome → Did you mean input\.tone\?/,
    },
  ])("is refused with its line: $name", ({ front, body, says }) => {
    expect(refusal(() => parsePrompt(withFront(front, body), "a.prompt.md"))).toMatch(says);
  });

  it("is refused when it is not closed", () => {
    expect(refusal(() => parsePrompt("---\nrole: x\n"))).toMatch(/^prompt:1: .* not closed/);
  });

  it("holds the input to its declared types", () => {
    const text = withFront("variables:\n  input.n: number", "{{#input.n}}x{{/input.n}}.");
    expect(render(text, { n: 1 })).toBe("x.");
    expect(render(text, {})).toBe(".");
    expect(refusal(() => render(text, { n: "1" }))).toMatch(/:3: input\.n is declared as number and is text/);
  });
});

describe("a prompt's version", () => {
  it("is that of the content, not of how it was saved", () => {
    const version = (text: string): string => parsePrompt(text).version;
    expect(version("a\nb\n")).toMatch(/^[0-9a-f]{16}$/);
    expect(version("\uFEFFa\r\nb\r\n")).toBe(version("a\nb\n"));
    expect(version("a\nb")).not.toBe(version("a\nb\n"));
    expect(version("---\nmodel: a/b\n---\na")).not.toBe(version("---\nmodel: a/c\n---\na"));
  });

  it("is that of the text for what is no file", () => {
    expect(renderPrompt("Work.", { input: 1 })).toEqual({ text: "Work.", version: promptVersion("Work.") });
    expect(renderPrompt(({ input }) => `For ${input}.`, { input: 1 })).toEqual({
      text: "For 1.",
      version: promptVersion("For 1."),
    });
  });
});

describe("a prompt's function", () => {
  it.each([
    { name: "throws", prompt: () => JSON.parse("{"), says: /the prompt's function threw: SyntaxError/ },
    {
      name: "returns a promise",
      prompt: async () => Promise.reject(new Error("late")),
      says: /returned a promise/,
    },
    { name: "returns nothing", prompt: () => undefined, says: /returned no text but undefined/ },
    { name: "returns without end", prompt: () => "x".repeat(1_000_001), says: /returned 1000001 characters/ },
  ])("is refused when it $name", ({ prompt, says }) => {
    expect(refusal(() => renderPrompt(prompt as never, { input: 1 }))).toMatch(says);
  });

  it("may choose among files, and their errors stay theirs", () => {
    const german: PromptTemplate = parsePrompt("Antworte {{input.name}}.", "de.prompt.md");
    const prompt = (context: { readonly input: unknown }): string => renderPrompt(german, context).text;
    expect(renderPrompt(prompt, { input: { name: "A" } }).text).toBe("Antworte A.");
    expect(refusal(() => renderPrompt(prompt, { input: {} }))).toMatch(
      /^de\.prompt\.md:1: input\.name is missing/,
    );
  });
});
