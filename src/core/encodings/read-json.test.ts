import { describe, expect, test } from "vitest";
import { readJson } from "./read-json.ts";

const order = { orderId: "A7" };
const json = '{"orderId":"A7"}';

describe("read and repaired", () => {
  const cases: readonly {
    readonly name: string;
    readonly text: string;
    readonly value?: unknown;
    readonly repairs: readonly string[];
  }[] = [
    { name: "plain JSON", text: json, repairs: [] },
    { name: "plain JSON with space around", text: ` \n${json}\t`, repairs: [] },
    { name: "a plain string with brackets in it", text: '"see {x}"', value: "see {x}", repairs: [] },
    { name: "a plain number", text: " -1.5e3 ", value: -1500, repairs: [] },
    {
      name: "large numbers that keep their digits",
      text: "[9007199254740992, 6.02e23]",
      value: [2 ** 53, 6.02e23],
      repairs: [],
    },
    { name: "null", text: "null", value: null, repairs: [] },
    { name: "escapes", text: '["\\u00e4\\n\\/\\"\\ud83d\\ude00"]', value: ['ä\n/"😀'], repairs: [] },
    {
      name: "a member named __proto__, as a member",
      text: '{"__proto__":1}',
      value: JSON.parse('{"__proto__":1}'),
      repairs: [],
    },
    { name: "a trailing comma in an object", text: '{"orderId":"A7",}', repairs: ["trailing comma"] },
    { name: "a trailing comma in a list", text: "[1, 2, ]", value: [1, 2], repairs: ["trailing comma"] },
    { name: "single quotes", text: "{'orderId': 'A7'}", repairs: ["quotes"] },
    {
      name: "single quotes around a double one",
      text: `['5"', 'it\\'s']`,
      value: ['5"', "it's"],
      repairs: ["quotes"],
    },
    { name: "typographic quotes", text: "{“orderId”: ‘A7’}", repairs: ["quotes"] },
    { name: "keys without quotes", text: '{orderId: "A7"}', repairs: ["quotes"] },
    { name: "comments", text: '{ // which\n"orderId": /* "B8", */ "A7" }', repairs: ["comment"] },
    {
      name: "a bare line break in text",
      text: '["a\nb\tc"]',
      value: ["a\nb\tc"],
      repairs: ["line break in text"],
    },
    {
      name: "Python's words",
      text: "[True, False, None]",
      value: [true, false, null],
      repairs: ["Python literal"],
    },
    { name: "a fence", text: `\`\`\`json\n${json}\n\`\`\``, repairs: ["code fence"] },
    { name: "a fence without a language", text: `\`\`\`\n${json}\n\`\`\``, repairs: ["code fence"] },
    { name: "a fence that is not closed", text: `\`\`\`json\n${json}`, repairs: ["code fence"] },
    {
      name: "a fence in a sentence",
      text: `Do \`\`\`${json}\`\`\` now`,
      repairs: ["code fence", "surrounding text"],
    },
    {
      name: "a fence inside a value",
      text: '{"orderId":"```A7```"}',
      value: { orderId: "```A7```" },
      repairs: [],
    },
    { name: "prose around", text: `Sure:\n${json}\nOK?`, repairs: ["surrounding text"] },
    { name: "reasoning", text: `<think>{"orderId":"B8"}</think>\n${json}`, repairs: ["reasoning block"] },
    {
      name: "reasoning within reasoning",
      text: `<think>a<think>{</think>}</think>${json}`,
      repairs: ["reasoning block"],
    },
    {
      name: "reasoning whose beginning was swallowed",
      text: `[B8]?\n</think>${json}`.replace("[B8]", "B8"),
      repairs: ["reasoning block"],
    },
    {
      name: "reasoning after prose",
      text: `Well. <thinking>{}</thinking> ${json}`,
      repairs: ["reasoning block", "surrounding text"],
    },
    {
      name: "what looks like reasoning inside a value",
      text: '{"orderId":"<think>A7</think>"}',
      value: { orderId: "<think>A7</think>" },
      repairs: [],
    },
    {
      name: "several repairs",
      text: "<think>hm</think>\n```\n{'orderId': 'A7',}\n```",
      repairs: ["reasoning block", "quotes", "trailing comma", "code fence"],
    },
  ];
  for (const { name, text, value = order, repairs } of cases) {
    test(name, () => {
      const read = readJson(text);
      expect(read).toEqual({ ok: true, value, repairs: expect.arrayContaining([...repairs]) });
      expect(read.ok && read.repairs).toHaveLength(repairs.length);
    });
  }
});

describe("refused", () => {
  const cases: readonly { readonly name: string; readonly text: string; readonly why: RegExp }[] = [
    { name: "nothing", text: " ", why: /^it is empty$/ },
    { name: "prose", text: "I would pay.", why: /^there is no JSON in it$/ },
    {
      name: "text that is cut off",
      text: '{"cmd":"delete only the fi',
      why: /^it ends inside quotes: it is cut off, or a quote is missing$/,
    },
    {
      name: "an object that is cut off",
      text: '{"a":1',
      why: /^it is cut off: "," or "}" is missing at its end$/,
    },
    {
      name: "a list that is cut off after a comma",
      text: "[1,",
      why: /^it is cut off: a value is missing at its end$/,
    },
    { name: "a member that is cut off", text: '{"a":', why: /^it is cut off: a value is missing/ },
    { name: "a fence around cut-off JSON", text: '```json\n{"a":[1\n```', why: /missing before "```"$/ },
    { name: "reasoning that never ends", text: `<think>${json}`, why: /^its reasoning block never ends$/ },
    { name: "two values", text: `${json}${json}`, why: /^there is more than one JSON value in it/ },
    {
      name: "two values in prose",
      text: `Either ${json} or ${json}.`,
      why: /^there is more than one JSON value in it/,
    },
    {
      name: "two fences",
      text: `\`\`\`\n${json}\n\`\`\`\n\`\`\`\nls\n\`\`\``,
      why: /^there is more than one code fence in it$/,
    },
    { name: "an object that goes on", text: '{"a":1},"b":2', why: /^there is more than one JSON value/ },
    { name: "a bracket too many", text: '{"a":1}}', why: /or a bracket too many$/ },
    { name: "brackets of two kinds", text: '{"a":[1}', why: /^"," or "]" is missing before "}"$/ },
    { name: "a key twice", text: '{"a":1,"a":1}', why: /^"a" is given twice in one object$/ },
    { name: "a key twice, once escaped", text: '{"a":1,"\\u0061":2}', why: /^"a" is given twice/ },
    { name: "__proto__ twice", text: '{"__proto__":1,"__proto__":2}', why: /^"__proto__" is given twice/ },
    { name: "a value without quotes", text: "{city: London}", why: /^a value is missing before "London}"$/ },
    { name: "an ellipsis", text: "[1, 2, ...]", why: /^a value is missing before "\.\.\.\]"$/ },
    { name: "two commas", text: "[1,,2]", why: /^a value is missing before ",2\]"$/ },
    { name: "a missing comma", text: '{"a":1 "b":2}', why: /^"," or "}" is missing before "\\"b\\":2}"$/ },
    { name: "strings joined by +", text: '["a" + "b"]', why: /^"," or "]" is missing/ },
    { name: "an apostrophe in single quotes", text: "['it's']", why: /^"," or "]" is missing/ },
    { name: "a quote within text", text: '{"a":"say "hi" now"}', why: /^"," or "}" is missing/ },
    { name: "an unknown escape", text: '["C:\\dir"]', why: /^an escape such as/ },
    { name: "half a Unicode escape", text: '["\\u12"]', why: /^an escape such as/ },
    {
      name: "a bare control character",
      text: '{"a":"b\u0000"}',
      why: /^there is a control character "\\u0000" in its text$/,
    },
    { name: "a key with a line break", text: '{"a\n":1}', why: /has a line break in it$/ },
    { name: "a leading zero", text: "[01]", why: /missing before "1\]"$/ },
    { name: "NaN", text: "[NaN]", why: /^a value is missing/ },
    { name: "undefined", text: "[undefined]", why: /^a value is missing/ },
    { name: "a number that no number holds", text: "[1e999]", why: /^"1e999" is too large a number$/ },
    {
      name: "a whole number that would lose digits",
      text: '{"id":12345678901234567890}',
      why: /^"12345678901234567890" has more digits than a number keeps$/,
    },
    { name: "the same, alone", text: "12345678901234567890", why: /has more digits/ },
    { name: "a comment that never ends", text: '{"a":1 /* }', why: /missing before/ },
    {
      name: "nesting too deep",
      text: `${"[".repeat(201)}${"]".repeat(201)}`,
      why: /^it nests deeper than 200 levels$/,
    },
    { name: "too much", text: " ".repeat(1_000_001), why: /^it is longer than 1000000 characters$/ },
  ];
  for (const { name, text, why } of cases) {
    test(name, () => expect(readJson(text)).toEqual({ ok: false, why: expect.stringMatching(why) }));
  }
});
