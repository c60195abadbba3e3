import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Json } from "./json.ts";
import { formatPath, memberAt, undeclaredMembers, withoutMember } from "./undeclared-members.ts";

const text = { type: "string" };
const recursive = z.object({
  name: z.string(),
  get children() {
    return z.array(recursive).optional();
  },
});
const node = z.toJSONSchema(recursive, { io: "input" }) as Json; // of plain data

describe("undeclared members", () => {
  const cases: readonly (readonly [name: string, schema: Json, value: Json, found: readonly string[]])[] = [
    ["none where all are declared", { properties: { a: text } }, { a: "x" }, []],
    ["one that is not", { properties: { a: text } }, { a: "x", b: 1 }, ["b"]],
    ["any, of a tool without parameters", { type: "object", properties: {} }, { b: 1 }, ["b"]],
    ["none where the schema says nothing", { type: "object" }, { b: { c: 1 } }, []],
    ["none where it is empty", {}, { b: { c: 1 } }, []],
    ["none where it is true", true, { b: 1 }, []],
    ["none where others are welcome", { properties: { a: text }, additionalProperties: true }, { b: 1 }, []],
    [
      "those inside of others",
      { additionalProperties: { properties: { x: text } } },
      { b: { y: 1 } },
      ["b.y"],
    ],
    ["all where others are refused", { additionalProperties: false }, { b: 1 }, ["b"]],
    ["what no pattern names", { patternProperties: { "^x-": text } }, { "x-a": "", y: 1 }, ["y"]],
    ["none where a pattern is none", { patternProperties: { "(": text } }, { y: 1 }, []],
    ["in items", { items: { properties: { a: text } } }, [{ a: "" }, { b: 1 }], ["[1].b"]],
    [
      "in the items of a tuple",
      { prefixItems: [true, { properties: { a: text } }] },
      [{ b: 1 }, { b: 1 }],
      ["[1].b"],
    ],
    [
      "after the items of a tuple",
      { prefixItems: [text], items: { properties: {} } },
      ["", { b: 1 }],
      ["[1].b"],
    ],
    ["in an old tuple", { items: [text], additionalItems: { properties: {} } }, ["", { b: 1 }], ["[1].b"]],
    [
      "none of what a part declares",
      { allOf: [{ properties: { a: text } }, { properties: { b: text } }] },
      { a: "", b: "" },
      [],
    ],
    [
      "what no part declares",
      { allOf: [{ properties: { a: text } }, { required: ["a"] }] },
      { a: "", c: 1 },
      ["c"],
    ],
    ["none where parts only require", { type: "object", allOf: [{ required: ["c"] }] }, { c: 1 }, []],
    [
      "none of what an alternative declares",
      { anyOf: [{ properties: { a: text } }, { properties: { b: text } }] },
      { b: "" },
      [],
    ],
    [
      "none where an alternative takes any",
      { oneOf: [{ properties: { a: text } }, { type: "object" }] },
      { b: "" },
      [],
    ],
    [
      "what another variant declares",
      {
        oneOf: [
          { properties: { kind: { const: "a" }, a: text } },
          { properties: { kind: { const: "b" }, b: text } },
        ],
      },
      { kind: "a", b: "" },
      ["b"],
    ],
    [
      "what only a condition declares: none",
      { properties: { a: text }, if: {}, else: { properties: { b: text } } },
      { b: "" },
      [],
    ],
    [
      "through a reference",
      { $defs: { d: { properties: { a: text } } }, properties: { x: { $ref: "#/$defs/d" } } },
      { x: { b: 1 } },
      ["x.b"],
    ],
    [
      "through an escaped one",
      { $defs: { "d/e f": { properties: {} } }, items: { $ref: "#/$defs/d~1e%20f" } },
      [{ b: 1 }],
      ["[0].b"],
    ],
    [
      "through a reference to itself",
      node,
      { name: "", children: [{ name: "", children: [{ nam: "" }] }] },
      ["children[0].children[0].nam"],
    ],
    ["none through a reference elsewhere", { $ref: "https://example.com/a" }, { b: 1 }, []],
    ["none through a broken one", { $ref: "#/%zz" }, { b: 1 }, []],
    ["none through a dynamic one", { $dynamicRef: "#node" }, { b: 1 }, []],
    ["through a circle of references", { $ref: "#/$defs/a", $defs: { a: { $ref: "#" } } }, { b: 1 }, ["b"]],
    [
      "a prototype's",
      { properties: { a: text } },
      JSON.parse('{"__proto__":{},"constructor":1}'),
      ["__proto__", "constructor"],
    ],
  ];
  for (const [name, schema, value, found] of cases) {
    test(name, () => expect(undeclaredMembers(schema, value).map(formatPath)).toEqual(found));
  }

  test("are so many at most", () => {
    const value = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, index]));
    expect(undeclaredMembers({ properties: {} }, value)).toHaveLength(20);
  });

  test("are found without unfolding what repeats itself", () => {
    const schema = {
      $defs: { n: { anyOf: [1, 2, 3].map(() => ({ properties: { n: { $ref: "#/$defs/n" } } })) } },
      $ref: "#/$defs/n",
    };
    let value: Json = { m: 1 };
    for (let depth = 0; depth < 100; depth += 1) value = { n: value };
    expect(undeclaredMembers(schema, value).map((path) => path.length)).toEqual([101]); // 3^100 ways to get there
  });
});

test("a member can be looked up and taken away by its path", () => {
  const value: Json = { a: [{ b: 1, c: 2 }], d: null };
  expect(memberAt(value, ["a", 0, "b"])).toBe(1);
  expect(memberAt(value, ["a", 1, "b"])).toBe(undefined);
  expect(memberAt(value, ["d", "toString"])).toBe(undefined);
  expect(withoutMember(value, ["a", 0, "b"])).toEqual({ a: [{ c: 2 }], d: null });
  expect(withoutMember(value, ["d"])).toEqual({ a: [{ b: 1, c: 2 }] });
});
