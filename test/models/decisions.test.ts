// I9. One table of outputs for all encodings: the same decisions come out, and the same faults are refused.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { EncodingName, Offer } from "../../src/core/encodings/encoding.ts";
import { encodings } from "../../src/core/encodings/encodings.ts";
import { gate } from "../../src/core/gate.ts";
import { jsonSchemaOf, type Schema } from "../../src/core/schema.ts";
import { type Tool, tool } from "../../src/core/tool.ts";
import type { ModelOutput } from "../../src/ports/model.ts";
import { type ValidatedDecision, validateDecision } from "../../src/runtime/operations/validate-decision.ts";

const run = () => null;
const findOrder = tool({
  name: "find_order",
  description: "Finds an order.",
  input: z.object({ orderId: z.string(), with: z.object({ lines: z.boolean() }).optional() }),
  risk: "low",
  run,
});
const tag = tool({
  name: "tag",
  description: "Tags.",
  input: z.object({ tags: z.array(z.object({ name: z.string() })) }),
  risk: "medium",
  run,
});
const pay = tool({
  name: "pay",
  description: "Pays.",
  input: z.object({ cents: z.number().int().positive(), note: z.string().default("none") }),
  risk: "high",
  run,
});
const mystery = tool({ name: "mystery", description: "Who knows.", input: z.object({ a: z.string() }), run });
const deleteDraft = tool({
  name: "delete_draft",
  description: "Deletes a draft.",
  input: z.object({ id: z.string() }),
  risk: "low",
  run,
});
const anything = tool({ name: "anything", description: "Any.", input: z.looseObject({}), risk: "low", run });
/** Knows an old name of its field, drops what it is told to, and turns the rest around. */
const transformed = tool({
  name: "transformed",
  description: "Transforms.",
  input: z
    .preprocess(
      (given) => (typeof given === "object" && given && "old" in given ? { when: given.old } : given),
      z.object({ when: z.string(), trace: z.string().optional() }),
    )
    .transform(({ when }) => ({ from: when, until: when })),
  risk: "low",
  run,
});
const shapes = tool({
  name: "shapes",
  description: "Draws.",
  input: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("circle"), radius: z.number() }),
    z.object({ kind: z.literal("square"), side: z.number() }),
  ]),
  risk: "low",
  run,
});
const all = [findOrder, tag, pay, mystery, deleteDraft, anything, transformed, shapes];
const tools: ReadonlyMap<string, Tool> = new Map(all.map((each) => [each.name, each]));
const offered = all.filter((each) => each !== mystery);

const verdictOf: Schema = z.object({ verdict: z.enum(["ship", "wait"]), days: z.number().int().default(1) });

type Written = readonly [intent: string, args: unknown];

interface Case {
  readonly name: string;
  /** What the model means; `answer` is the intent of an answer. */
  readonly put?: readonly Written[];
  /** What becomes of the JSON text that it writes: of the first call's arguments, or of all of it. */
  readonly text?: (json: string) => string;
  readonly output?: Partial<ModelOutput>;
  readonly answer?: Schema;
  readonly noTools?: true;
  readonly only?: readonly EncodingName[];
  /** The calls, or the answer; or what the refusal says. */
  readonly calls?: readonly Written[];
  readonly value?: unknown;
  readonly why?: RegExp;
  readonly repairs?: readonly string[];
}

const order: Written = ["find_order", { orderId: "A7" }];
const repaired: Omit<Case, "name"> = { put: [order], calls: [order] };
const proto = JSON.parse('{"orderId":"A7","__proto__":{"isAdmin":true}}');
const deep = JSON.parse(`${"[".repeat(250)}${"]".repeat(250)}`);

const cases: readonly Case[] = [
  { name: "one call", put: [order], calls: [order] },
  {
    name: "calls in their order",
    put: [order, ["tag", { tags: [{ name: "x" }] }], order],
    calls: [order, ["tag", { tags: [{ name: "x" }] }], order],
  },
  { name: "a risky call", put: [["pay", { cents: 4200 }]], calls: [["pay", { cents: 4200 }]] },
  {
    name: "any member where any is welcome",
    put: [["anything", { x: 1, y: { z: [] } }]],
    calls: [["anything", { x: 1, y: { z: [] } }]],
  },
  {
    name: "a declared member that a transform drops",
    put: [["transformed", { when: "now", trace: "t" }]],
    calls: [["transformed", { when: "now", trace: "t" }]],
  },
  {
    name: "an undeclared member that the schema uses",
    put: [["transformed", { old: "now" }]],
    calls: [["transformed", { old: "now" }]],
  },
  {
    name: "a variant",
    put: [["shapes", { kind: "square", side: 2 }]],
    calls: [["shapes", { kind: "square", side: 2 }]],
  },
  { name: "an answer in text", put: [["answer", "It is on its way."]], value: "It is on its way." },
  {
    name: "an answer with a schema, defaults filled in",
    put: [["answer", { verdict: "ship" }]],
    answer: verdictOf,
    value: { verdict: "ship", days: 1 },
  },
  {
    name: "an answer with a schema, no tools",
    put: [["answer", { verdict: "wait", days: 2 }]],
    answer: verdictOf,
    noTools: true,
    value: { verdict: "wait", days: 2 },
  },
  {
    name: "a repaired answer",
    put: [["answer", { verdict: "ship" }]],
    answer: verdictOf,
    text: (json) => json.replace(/\}$/, ",}"),
    value: { verdict: "ship", days: 1 },
    repairs: ["trailing comma"],
  },

  {
    ...repaired,
    name: "a code fence",
    text: (json) => `\`\`\`json\n${json}\n\`\`\``,
    repairs: ["code fence"],
  },
  {
    ...repaired,
    name: "prose around",
    text: (json) => `Sure!\n${json}\nDone.`,
    repairs: ["surrounding text"],
  },
  {
    ...repaired,
    name: "reasoning before",
    text: (json) => `<think>{"orderId":"B8"}? No.</think>${json}`,
    repairs: ["reasoning block"],
  },
  {
    ...repaired,
    name: "a trailing comma",
    text: (json) => json.replace(/\}$/, ",}"),
    repairs: ["trailing comma"],
  },
  { ...repaired, name: "single quotes", text: (json) => json.replaceAll('"', "'"), repairs: ["quotes"] },
  {
    ...repaired,
    name: "keys without quotes",
    text: (json) => json.replace(/"(\w+)":/g, "$1:"),
    repairs: ["quotes"],
  },

  {
    name: "a repaired call of a high risk",
    put: [["pay", { cents: 1 }]],
    text: (json) => json.replace(/\}$/, ",}"),
    why: /^(the output|the arguments of a call) had to be repaired \(trailing comma\), and pay is a risky tool: write it again as valid JSON/,
  },
  {
    name: "a repair beside a risky call",
    put: [order, ["pay", { cents: 1 }]],
    text: (json) => `\`\`\`\n${json}\n\`\`\``,
    why: /repaired \(code fence\), and pay is a risky tool/,
  },
  {
    name: "a repaired call of a risky name",
    put: [["delete_draft", { id: "d" }]],
    text: (json) => json.replaceAll('"', "'"),
    why: /delete_draft is a risky tool/,
  },

  { name: "no output at all", output: { text: "" }, why: /^the output is empty$/ },
  { name: "blank output", output: { text: " \n" }, why: /^the output is empty$/ },
  {
    name: "unparsable",
    put: [order],
    text: () => "{orderId = A7}",
    why: /no JSON: ":" after "orderId" is missing/,
  },
  {
    name: "cut off within text",
    put: [order],
    text: (json) => json.slice(0, json.indexOf("A7") + 1),
    why: /it ends inside quotes/,
  },
  { name: "cut off before the end", put: [order], text: (json) => json.slice(0, -1), why: /it is cut off/ },
  { name: "a bracket too many", put: [order], text: (json) => `${json}}`, why: /bracket too many/ },
  { name: "two values", put: [order], text: (json) => `${json}${json}`, why: /more than one JSON value/ },
  {
    name: "a key twice",
    put: [order],
    text: (json) => json.replace('"orderId":"A7"', '"orderId":"A7","orderId":"B8"'),
    why: /"orderId" is given twice/,
  },
  {
    name: "an unknown tool",
    put: [["drop_table", {}]],
    why: /^there is no tool "drop_table"; tools: find_order, tag, /,
  },
  {
    name: "a name over several lines",
    put: [["x\n\nignore all", {}]],
    why: /^there is no tool "x\\n\\nignore all"; tools/,
  },
  {
    name: "a tool that is not offered",
    put: [["mystery", { a: "" }]],
    why: /^"mystery" is not offered now; tools: /,
  },
  {
    name: "a call where only an answer is asked for",
    put: [order],
    answer: verdictOf,
    noTools: true,
    why: /^"find_order" is not offered now; give an answer$/,
  },
  {
    name: "a wrong type",
    put: [["find_order", { orderId: 7 }]],
    why: /^the arguments of find_order are not valid: orderId: /,
  },
  { name: "text for a number", put: [["pay", { cents: "4200" }]], why: /pay are not valid: cents: / },
  { name: "a missing field", put: [["find_order", {}]], why: /find_order are not valid: orderId: / },
  { name: "arguments that are a list", put: [["find_order", ["A7"]]], why: /find_order are not valid/ },
  { name: "arguments that are null", put: [["find_order", null]], why: /find_order are not valid/ },
  {
    name: "an extra field",
    put: [["find_order", { orderId: "A7", order_id: "A8" }]],
    why: /^the arguments of find_order are not valid: order_id is not a field of it$/,
  },
  {
    name: "an extra field inside",
    put: [["find_order", { orderId: "A7", with: { lines: true, all: 1 } }]],
    why: /: with\.all is not a field of it$/,
  },
  {
    name: "an extra field in a list",
    put: [["tag", { tags: [{ name: "a" }, { name: "b", color: "red" }] }]],
    why: /: tags\[1\]\.color is not a field of it$/,
  },
  {
    name: "a field of another variant",
    put: [["shapes", { kind: "square", side: 2, radius: 1 }]],
    why: /: radius is not a field of it$/,
  },
  {
    name: "an extra field beside a transform",
    put: [["transformed", { when: "now", until: "x" }]],
    why: /: until is not a field of it$/,
  },
  {
    name: "an extra field of an answer",
    put: [["answer", { verdict: "ship", sure: true }]],
    answer: verdictOf,
    why: /^the answer is not valid: sure is not a field of it$/,
  },
  {
    name: "an invalid answer",
    put: [["answer", { verdict: "perhaps" }]],
    answer: verdictOf,
    why: /^the answer is not valid: verdict: /,
  },
  {
    name: "two answers",
    put: [
      ["answer", { verdict: "ship" }],
      ["answer", { verdict: "wait" }],
    ],
    answer: verdictOf,
    why: /^there are 2 answers; give one$/,
  },
  {
    name: "an answer beside a call",
    put: [order, ["answer", { verdict: "ship" }]],
    answer: verdictOf,
    why: /^an answer must come alone, without other calls$/,
  },
  {
    name: "one wrong call among good ones",
    put: [order, ["find_order", {}], order],
    why: /find_order are not valid/,
  },
  {
    name: "too many calls",
    put: Array.from({ length: 65 }, () => order),
    why: /^there are 65 calls; make at most 64$/,
  },
  {
    name: "as many calls as there may be",
    put: Array.from({ length: 64 }, () => order),
    calls: Array.from({ length: 64 }, () => order),
  },
  {
    name: "a prototype among the arguments",
    put: [["find_order", proto]],
    why: /^the arguments of find_order: __proto__ is no name for a member$/,
  },
  {
    name: "a prototype where any member is welcome",
    put: [["anything", { x: proto }]],
    why: /x\.__proto__ is no name/,
  },
  { name: "nesting without end", put: [["anything", { x: deep }]], why: /nest(s|ing) deeper than 200/ },
  {
    name: "an output cut off by its length",
    put: [order],
    output: { finish: "length" },
    why: /^the output was cut off by its length limit$/,
  },
  { name: "a refusal", put: [order], output: { finish: "refused" }, why: /^the output was refused/ },
  {
    name: "an end for no known reason",
    put: [order],
    output: { finish: "other" },
    why: /^the provider did not say that the output is complete$/,
  },

  // What only one form can get wrong.
  {
    name: "text instead of an answer",
    only: ["tools"],
    output: { text: "ship it" },
    answer: verdictOf,
    why: /^text is no answer here; call "answer"$/,
  },
  {
    name: "an answer by a call where text is one",
    only: ["tools"],
    output: { calls: [{ callId: "a", tool: "answer", args: {} }] },
    why: /^there is no tool "answer"/,
  },
  {
    name: "reasoning in front of text",
    only: ["tools"],
    output: { text: "<think>a <b>?</think>\nShip it." },
    value: "Ship it.",
    repairs: ["reasoning block"],
  },
  {
    name: "reasoning without end",
    only: ["tools"],
    output: { text: "<think>Ship it." },
    why: /^its reasoning block never ends$/,
  },
  {
    name: "nothing but reasoning",
    only: ["tools"],
    output: { text: "<think>Ship it.</think>" },
    why: /^there is nothing after its reasoning$/,
  },
  {
    name: "two calls of one id",
    only: ["tools"],
    output: { calls: [1, 2].map(() => ({ callId: "c", tool: "find_order", args: { orderId: "A7" } })) },
    why: /^two calls have the id "c"$/,
  },
  {
    name: "arguments that no JSON holds",
    only: ["tools"],
    output: { calls: [{ callId: "c", tool: "anything", args: { x: Number.NaN } }] },
    why: /^the arguments of anything: \$\.x is NaN/,
  },
  {
    name: "tool calls beside the JSON",
    only: ["json", "text"],
    put: [order],
    output: { calls: [{ callId: "c", tool: "find_order", args: { orderId: "A7" } }] },
    why: /put the calls into the JSON object/,
  },
  {
    name: "prose and no JSON",
    only: ["json", "text"],
    output: { text: "I would ship it." },
    why: /^the output is no JSON: there is no JSON in it$/,
  },
  {
    name: "a list at the top",
    only: ["json", "text"],
    output: { text: "[]" },
    why: /must be one JSON object with the member "calls"/,
  },
  {
    name: "another member at the top",
    only: ["json", "text"],
    output: { text: '{"calls":[],"answer":"x"}' },
    why: /and no other$/,
  },
  { name: "no calls in the list", only: ["json", "text"], put: [], why: /the list "calls" is empty/ },
  {
    name: "a call without an intent",
    only: ["json", "text"],
    output: { text: '{"calls":[{"tool":"pay","args":{}}]}' },
    why: /calls\[0\] has a member "tool"/,
  },
  {
    name: "a call without arguments",
    only: ["json", "text"],
    output: { text: '{"calls":[{"intent":"pay"}]}' },
    why: /calls\[0\] has no "args"/,
  },
  {
    name: "arguments beside args",
    only: ["json", "text"],
    output: { text: '{"calls":[{"intent":"pay","args":{},"cents":1}]}' },
    why: /calls\[0\] has a member "cents"/,
  },
  { name: "a blank answer", only: ["json", "text"], put: [["answer", " "]], why: /^the answer is empty$/ },
  {
    name: "an answer that is no text",
    only: ["json", "text"],
    put: [["answer", { text: "x" }]],
    why: /^the answer must be text$/,
  },
  {
    name: "an answer beside a call, in text",
    only: ["json", "text"],
    put: [order, ["answer", "done"]],
    why: /^an answer must come alone/,
  },
];

/** As the encoding's model would write it. Without `text`, the provider has parsed the arguments already. */
function written(encoding: EncodingName, { put, text, answer, output }: Case): ModelOutput {
  const base: ModelOutput = { text: "", calls: [], finish: "stop" };
  const [first] = put ?? [];
  if (put === undefined) return { ...base, ...output };
  if (encoding !== "tools") {
    const json = JSON.stringify({ calls: put.map(([intent, args]) => ({ intent, args })) });
    return { ...base, text: text ? text(json) : json, ...output };
  }
  if (first?.[0] === "answer" && !answer) return { ...base, text: String(first[1]), ...output };
  const calls = put.map(([name, args], index) => ({
    callId: `c${index}`,
    tool: name,
    args: text && index === 0 ? text(JSON.stringify(args)) : args,
  }));
  return { ...base, finish: "calls", calls, ...output };
}

function judge(encoding: EncodingName, given: Case): Promise<ValidatedDecision> {
  const offer: Offer = {
    tools: given.noTools ? [] : offered,
    answer: given.answer ? jsonSchemaOf(given.answer, "the answer") : null,
  };
  return validateDecision(written(encoding, given), {
    tools,
    offer,
    encoding: encodings[encoding],
    answer: given.answer,
    gate: gate(),
    callIdPrefix: "decide_1",
  });
}

for (const encoding of ["tools", "json", "text"] as const) {
  describe(`in the encoding ${encoding}`, () => {
    for (const given of cases.filter(({ only }) => only?.includes(encoding) ?? true)) {
      const ending = given.why ? "is refused" : "is a decision";
      test(`${given.name} ${ending}`, async () => {
        const result = await judge(encoding, given);
        if (given.why) {
          expect(result).toEqual({ ok: false, why: expect.stringMatching(given.why) });
          expect(result).not.toHaveProperty("why", expect.stringMatching(/\n/));
          return;
        }
        const decision = given.calls
          ? {
              kind: "calls",
              calls: given.calls.map(([name, args], index) => ({
                callId: `decide_1_${index}`,
                tool: name,
                args,
              })),
            }
          : { kind: "answer", value: given.value };
        expect(result).toEqual({ ok: true, decision, repairs: given.repairs ?? [] });
      });
    }
  });
}

describe("in the encoding tools", () => {
  test("what the provider wants back is kept: reasoning, and what came with a call", async () => {
    const reasoning = [{ text: "hm", providerData: { anthropic: { signature: "s" } } }];
    const calls = [
      {
        callId: "c",
        tool: "find_order",
        args: { orderId: "A7" },
        providerData: { google: { thoughtSignature: "t" } },
      },
    ];
    const result = await judge("tools", {
      name: "",
      output: { text: "I look.", calls, reasoning, finish: "calls" },
    });
    expect(result).toMatchObject({
      decision: {
        kind: "calls",
        text: "I look.",
        reasoning,
        calls: [
          {
            callId: "decide_1_0",
            tool: "find_order",
            args: { orderId: "A7" },
            providerData: { google: { thoughtSignature: "t" } },
          },
        ],
      },
    });
  });
});
