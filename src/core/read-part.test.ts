import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Json, toJson } from "./json.ts";
import { type Part, type PartRequest, readPart } from "./read-part.ts";
import { shownLength } from "./shown-length.ts";

const room = { usual: 2_000, most: 8_000 };
const orders = Array.from({ length: 120 }, (_, id) => ({
  id,
  customer: `customer ${id % 7}`,
  total: id * 10,
}));
const logLines = Array.from({ length: 500 }, (_, line) =>
  line === 321 ? "ERROR disk full" : `line ${line} is fine`,
);
const text = logLines.join("\n");

function read(value: Json, request: PartRequest = {}): Part {
  return readPart(value, request, room);
}

/** Follows `next` to the end, as a model would. */
function pages(value: Json, request: PartRequest = {}): readonly Part[] {
  const all: Part[] = [];
  for (let from: Json | undefined = request.from ?? 0; typeof from === "number"; ) {
    const part: Part = read(value, { ...request, from });
    all.push(part);
    const next = part.next as { readonly from: number } | undefined;
    if (next && next.from <= from) throw new Error(`stuck at ${from}`);
    from = next?.from;
  }
  return all;
}

describe("reading a part", () => {
  it("shows the start and says how to go on", () => {
    expect(read(text)).toMatchObject({
      kind: "text of 8,388 characters, 500 lines",
      from: 0,
      of: text.length,
      text: expect.stringMatching(/^line 0/),
    });
    const part = read(orders);
    expect(part).toMatchObject({ kind: "array of 120 objects (id, customer, total)", from: 0, of: 120 });
    expect(part.next).toEqual({ from: (part.items as Json[]).length });
  });

  it("gives the whole in pages: text, elements, members", () => {
    expect(
      pages(text)
        .map((page) => page.text)
        .join(""),
    ).toBe(text);
    expect(pages(orders).flatMap((page) => page.items as Json[])).toEqual(orders);
    const members = Object.fromEntries(orders.map((order) => [`order ${order.id}`, order]));
    const read = pages(members, { limit: 20 }).map((page) => page.value);
    expect(Object.assign({}, ...read)).toEqual(members);
  });

  it("gives the range that is asked for, also from the end", () => {
    expect(read(orders, { from: 3, limit: 2 })).toMatchObject({ from: 3, to: 5, items: orders.slice(3, 5) });
    expect(read(orders, { from: -2 })).toMatchObject({ from: 118, to: 120, items: orders.slice(-2) });
    expect(read(text, { from: 10, limit: 5 })).toMatchObject({
      text: text.slice(10, 15),
      next: { from: 15 },
    });
    expect(read(orders, { from: 500 })).toMatchObject({ problem: "it ends at 120" });
  });

  it("follows a path", () => {
    expect(read({ orders }, { path: "$.orders[119].total" })).toEqual({ kind: "number", value: 1_190 });
    expect(read({ orders }, { path: "$.orders[-3:].id" })).toMatchObject({
      kind: "3 values",
      items: [117, 118, 119],
    });
    expect(read({ orders }, { path: "$.order" })).toMatchObject({
      problem: expect.stringContaining('no "order"'),
      has: ["orders"],
    });
    expect(read({ orders }, { path: "$..id" })).toMatchObject({
      problem: expect.stringContaining("cannot be read"),
    });
  });

  it("searches text by lines, whatever the case", () => {
    expect(read(text, { search: "error DISK" })).toMatchObject({
      of: 1,
      matches: [{ line: 322, at: text.indexOf("ERROR"), text: "ERROR disk full" }],
    });
    const many = read(text, { search: "line 1", limit: 2, from: 1 });
    expect(many).toMatchObject({
      of: 111,
      from: 1,
      to: 3,
      next: { from: 3 },
      matches: [{ text: "line 10 is fine" }, { text: "line 11 is fine" }],
    });
    expect(read(text, { search: "no such thing" })).toMatchObject({ of: 0, matches: [] });
  });

  it("searches elements and members, names and values, and tells their paths", () => {
    const value = { orders, "disk state": { note: `${"a".repeat(300)} Disk full ${"b".repeat(300)}` } };
    expect(read(value, { search: "disk" }).matches).toEqual([
      { path: "$['disk state']" },
      { path: "$['disk state'].note", at: 301, text: expect.stringMatching(/^…a+ Disk full b+…$/) },
    ]);
    expect(read(value, { search: "1190" }).matches).toEqual([{ path: "$.orders[119].total", value: 1_190 }]);
    expect(read(value, { path: "$.orders[5]", search: "customer" })).toMatchObject({
      of: 1,
      matches: [{ path: "$.customer", text: "customer 5" }],
    });
  });

  it("finds text at its place also beside characters whose lower case is longer", () => {
    const turkish = `${"İ".repeat(50)} Disk`;
    expect(read([turkish], { search: "disk" })).toMatchObject({ matches: [{ path: "$[0]", text: turkish }] });
    expect(read(turkish, { search: "disk" })).toMatchObject({ matches: [{ at: 51 }] });
    for (let code = 0; code < 0x10_000; code++) {
      const character = String.fromCharCode(code);
      if (character !== "İ" && character.toLowerCase().length !== 1)
        throw new Error(`U+${code.toString(16)}`);
    }
  });

  it("cuts an element that is too large by itself, and says so", () => {
    const value = [{ body: "x".repeat(50_000) }, "small"];
    const part = read(value);
    expect(part).toMatchObject({ from: 0, to: 1, note: expect.stringContaining("cut"), next: { from: 1 } });
    expect(read(value, { path: "$[0].body", from: 100, limit: 10 })).toMatchObject({ text: "xxxxxxxxxx" });
    expect(read({ head: 1, body: "x".repeat(50_000) })).toMatchObject({
      value: { head: 1, body: expect.stringContaining("50,000") },
    });
  });

  it("never splits a character in two, and gets through text that is one line of them", () => {
    const faces = "🙂".repeat(3_000);
    const all = pages(faces, { from: 1, limit: 7 });
    for (const page of all) expect(page.text).not.toMatch(/\p{Cs}/u);
    expect(all.map((page) => page.text).join("")).toBe(faces);
    expect(read("needle ".repeat(10_000), { search: "needle" })).toMatchObject({ of: expect.any(Number) });
  });

  it("stays in its room, whatever is read and asked for", () => {
    const request = fc.record(
      {
        path: fc.oneof(
          fc.constantFrom("$", "$[0]", "$.*", "$[*]", "$[*][*]", "$.a", "$[-1:]"),
          fc.string({ unit: "binary" }),
        ),
        search: fc.string({ unit: "binary", maxLength: 3 }),
        from: fc.integer({ min: -20, max: 20_000 }),
        limit: fc.integer({ min: 1, max: 10_000 }),
      },
      { requiredKeys: [] },
    );
    const value = fc.oneof(
      fc.jsonValue({ stringUnit: "binary" }),
      fc.array(fc.string({ unit: "binary", maxLength: 3_000 }), { maxLength: 60 }),
      fc.dictionary(fc.string({ unit: "binary", maxLength: 200 }), fc.jsonValue({ stringUnit: "binary" }), {
        maxKeys: 200,
      }),
      fc.string({ unit: "binary", maxLength: 20_000 }),
    );
    fc.assert(
      fc.property(value, request, fc.integer({ min: 300, max: 3_000 }), (read, asked, most) => {
        const part = readPart(toJson(read), asked, { usual: Math.min(most, 500), most });
        expect(shownLength(part, most)).not.toBeNull();
        expect(part.problem).not.toBe("there is no room to show this");
        expect(toJson(part)).toEqual(part);
      }),
      { numRuns: 1_000 },
    );
  });

  it("reads through JSON text of 10,000 levels without an overflow", () => {
    const deep = "[".repeat(10_000) + "]".repeat(10_000);
    expect(read(deep, { path: "$[0][0]" })).toMatchObject({ kind: "array of 1 array" });
    expect(read(deep, { path: "$[0]", search: "x" })).toMatchObject({ of: 0 });
  });
});
