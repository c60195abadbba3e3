import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "./json.ts";
import { followPath, formatNode, parsePath } from "./json-path.ts";

const shop: Json = {
  orders: [
    { id: "A7", total: 5, "first name": "Ada" },
    { id: "B8", total: 7 },
    { id: "C9", lines: [{ sku: "x" }] },
  ],
  "a.b": 1,
  answer: '{"rows":[{"n":1},{"n":2}]}',
  __proto__: null,
};

function found(path: string, value: Json = shop): unknown {
  const parsed = parsePath(path);
  if (!parsed.ok) return parsed.why;
  const result = followPath(value, parsed.steps);
  return result.ok ? result.nodes.map((node) => node.value) : result;
}

describe("a path", () => {
  it.each<{ path: string; values: Json }>([
    { path: "$", values: [shop] },
    { path: "", values: [shop] },
    { path: "$.orders[0].id", values: ["A7"] },
    { path: "orders[0].id", values: ["A7"] },
    { path: "$.orders[-1].id", values: ["C9"] },
    { path: "$.orders[*].id", values: ["A7", "B8", "C9"] },
    { path: "$.orders.[1].total", values: [7] },
    { path: "$.orders[1:].id", values: ["B8", "C9"] },
    { path: "$.orders[-2:-1].id", values: ["B8"] },
    { path: "$['orders'][0]['first name']", values: ["Ada"] },
    { path: '$["a.b"]', values: [1] },
    { path: "$.orders[*].lines[*].sku", values: ["x"] },
    { path: "$.answer.rows[1].n", values: [2] },
    { path: "$.orders[0].*", values: ["A7", 5, "Ada"] },
  ])("$path", ({ path, values }) => {
    expect(found(path)).toEqual(values);
  });

  it.each([
    { path: "$..id", why: "cannot be read" },
    { path: "$.orders[?(@.total > 5)]", why: "cannot be read" },
    { path: "$.orders[0", why: "cannot be read" },
    { path: "$.orders['x]", why: "cannot be read" },
    { path: "$.", why: "cannot be read" },
  ])("is refused with what can be written: $path", ({ path, why }) => {
    expect(found(path)).toMatch(why);
    expect(found(path)).toMatch("$.orders[0].id");
  });

  it.each<{ path: string; why: string; has?: readonly string[] }>([
    {
      path: "$.order",
      why: '$ is an object with 3 members: orders, a.b, answer; it has no "order"',
      has: ["orders", "a.b", "answer"],
    },
    { path: "$.orders.id", why: "its elements are at [0] to [2], or [*]" },
    { path: "$.orders[3]", why: "$.orders is an array of 3 objects" },
    { path: "$.orders[0].id.x", why: "$.orders[0].id is text of 2 characters; nothing is inside it" },
    { path: "$.orders[*].nothing", why: "$.orders[0] is an object", has: ["id", "total", "first name"] },
    { path: "$.constructor", why: "it has no" },
    { path: "$.orders.length", why: "is an array" },
    { path: "$['__proto__']", why: "it has no" },
  ])("that leads nowhere says what there is: $path", ({ path, why, has }) => {
    expect(found(path)).toMatchObject({ ok: false, why: expect.stringContaining(why), ...(has && { has }) });
  });

  it("leads to at most 100,000 values", () => {
    const wide = Array.from({ length: 400 }, () => Array.from({ length: 400 }, () => 1));
    expect(found("$[*][*]", wide)).toMatchObject({ ok: false, why: expect.stringContaining("slice") });
  });

  it("as it is formatted leads back to its value, whatever the names", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: "binary", minLength: 1 }), fc.nat(3)), { maxLength: 5 }),
        (keys) => {
          let value: Json = "the end";
          for (const key of [...keys].reverse())
            value =
              typeof key === "number"
                ? Array.from({ length: key + 1 }, () => value)
                : JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(value)}}`);
          const steps = keys.map((key) =>
            typeof key === "number"
              ? ({ kind: "index", index: key } as const)
              : ({ kind: "member", name: key } as const),
          );
          const result = followPath(value, steps);
          const [node] = result.ok ? result.nodes : [];
          expect(node && found(formatNode(node), value)).toEqual(["the end"]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
