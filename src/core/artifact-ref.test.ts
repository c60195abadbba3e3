import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { artifactRefOf, refOf, refOfDigest, refOfText, renderReference } from "./artifact-ref.ts";
import { describeValue } from "./describe-value.ts";
import { sha256 } from "./digest.ts";
import type { Json } from "./json.ts";
import { previewOf } from "./preview.ts";
import { shownJson, shownLength } from "./shown-length.ts";

const orders = Array.from({ length: 120 }, (_, id) => ({ id, name: `order ${id}`, total: id * 100 }));
const anyText = fc.string({ unit: "binary" });
const anyJson: fc.Arbitrary<Json> = fc.jsonValue({ stringUnit: "binary" }).map((value) => value as Json);

function nested(levels: number): Json {
  let value: Json = "the bottom";
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { inner: value };
  return value;
}

describe("describeValue", () => {
  it.each<{ value: Json; kind: string }>([
    { value: orders, kind: "array of 120 objects (id, name, total)" },
    { value: [1, "two", null], kind: "array of 3 values" },
    { value: ["a"], kind: "array of 1 text" },
    { value: [], kind: "empty array" },
    { value: {}, kind: "empty object" },
    { value: { id: 1, name: "x" }, kind: "object with 2 members: id, name" },
    {
      value: Object.fromEntries(Array.from("abcdefghij").map((key) => [key, 1])),
      kind: "object with 10 members: a, b, c, d, e, f, g, h, …",
    },
    { value: "line\n".repeat(88), kind: "text of 440 characters, 89 lines" },
    { value: "x".repeat(1_234_567), kind: "text of 1,234,567 characters" },
    { value: `{"a":${"1".repeat(10)}}`, kind: "text of 16 characters, JSON inside" },
    { value: "caf\uFFFD \uFFFD", kind: "text of 6 characters, 2 of them undecodable" },
    {
      value: Buffer.from(Array.from({ length: 20_480 }, (_, index) => (index * 7) % 251)).toString("base64"),
      kind: "base64 of 20 KB",
    },
    { value: "", kind: "empty text" },
    { value: 4.5, kind: "number" },
    { value: true, kind: "boolean" },
    { value: null, kind: "null" },
  ])("says $kind", ({ value, kind }) => {
    expect(describeValue(value)).toBe(kind);
  });

  it("takes no plain text for base64, and is short whatever the keys", () => {
    expect(describeValue("x".repeat(4_000))).toBe("text of 4,000 characters");
    expect(
      describeValue({ ["k".repeat(100_000)]: 1, ["\u001b[2J".repeat(50)]: 2 }).length,
    ).toBeLessThanOrEqual(200);
  });
});

describe("previewOf", () => {
  it("shows the first elements of an array, and how many more there are", () => {
    const preview = previewOf(orders, 200) as Json[];
    expect(preview[0]).toEqual(orders[0]);
    expect(preview.at(-1)).toBe(`… ${120 - (preview.length - 1)} more`);
    expect(preview.length).toBeGreaterThan(3);
  });

  it("shows an object's small members whole and cuts the large ones", () => {
    const preview = previewOf({ status: "paid", body: "x".repeat(50_000), id: "A7", rows: orders }, 300);
    expect(preview).toMatchObject({ status: "paid", id: "A7" });
    expect(preview).toMatchObject({
      body: expect.stringContaining("50,000 characters"),
      rows: expect.anything(),
    });
  });

  it("shows the start and the end of a text", () => {
    const preview = String(previewOf(`BEGIN ${"log line\n".repeat(500)} fatal: disk full`, 300));
    expect(preview).toMatch(/^BEGIN log line/);
    expect(preview).toMatch(/characters in all … .*fatal: disk full$/s);
  });

  it("stays in its room, is valid JSON and hides nothing that a terminal obeys, whatever the value", () => {
    fc.assert(
      fc.property(
        fc.oneof(anyJson, anyText, fc.array(anyJson), fc.dictionary(anyText, anyJson)),
        fc.integer({ min: 16, max: 400 }),
        (value, most) => {
          const text = shownJson(previewOf(value, most));
          expect(text.length).toBeLessThanOrEqual(most);
          expect(text).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u);
          JSON.parse(text);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("never splits a character in two", () => {
    const text = "🙂".repeat(2_000);
    for (let most = 16; most < 300; most++) expect(String(previewOf(text, most))).not.toMatch(/\p{Cs}/u);
  });

  it("counts what a preview of a preview leaves out as well", () => {
    const smaller = previewOf(previewOf(orders, 1_000), 120) as Json[];
    expect(smaller.at(-1)).toBe(`… ${120 - (smaller.length - 1)} more`);
    const wide = Object.fromEntries(orders.map(({ name }) => [name, 1]));
    const less = previewOf(previewOf(wide, 600), 200) as { readonly [key: string]: Json };
    expect(less["…"]).toBe(`… ${120 - (Object.keys(less).length - 1)} more`);
  });

  it("bears 10,000 levels, and keys that are another object's prototype to careless code", () => {
    const deep = nested(10_000);
    expect(shownLength(deep, 1_000_000)).toBeNull();
    expect(shownJson(previewOf(deep, 300)).length).toBeLessThanOrEqual(300);
    expect(describeValue(deep)).toBe("object with 1 member: inner");
    const hostile = JSON.parse(`{"__proto__":{"polluted":true},"constructor":"${"x".repeat(500)}"}`) as Json;
    expect(shownJson(previewOf(hostile, 200))).toContain('"__proto__"');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("a reference", () => {
  const text = JSON.stringify(orders);
  const inline = { value: orders } as const;
  const stored = { artifact: artifactRefOf(orders, text, text.length) } as const;

  it("is the same for a value in an event and one in the store", () => {
    expect(refOf(inline)).toBe(`art_${sha256(text).slice(0, 16)}`);
    expect(refOf(stored)).toBe(refOf(inline));
    expect(refOfText(text)).toBe(refOfDigest(sha256(text)));
  });

  it("stays the same when the value comes back from its JSON text", () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const written = JSON.stringify([value, "x".repeat(1_000)]);
        expect(refOf({ value: JSON.parse(written) as Json })).toBe(refOfText(written));
      }),
    );
  });

  it("is for large values only", () => {
    expect(refOf({ value: "x".repeat(198) })).toBeNull();
    expect(refOf({ value: "x".repeat(199) })).not.toBeNull();
    expect(refOf({})).toBeNull();
  });

  it("is shown with size, kind and preview, within the room there is", () => {
    const shown = JSON.parse(renderReference(inline, 400));
    expect(shown).toMatchObject({
      artifact: refOf(inline),
      bytes: text.length,
      kind: "array of 120 objects (id, name, total)",
    });
    expect(shown.preview[0]).toEqual(orders[0]);
    for (let most = 60; most < 1_500; most += 7) {
      for (const one of [inline, stored, { value: "\u0000🙂".repeat(3_000) }]) {
        const line = renderReference(one, most);
        expect(line.length).toBeLessThanOrEqual(most);
        expect(JSON.parse(line)).toMatchObject({ artifact: refOf(one) });
      }
    }
    expect(JSON.parse(renderReference(inline, 0))).toEqual({ artifact: refOf(inline), bytes: text.length });
  });

  it("shows what older logs keep of a value: the start of its JSON text", () => {
    const old = { artifact: { digest: sha256(text), bytes: text.length, preview: text.slice(0, 400) } };
    expect(JSON.parse(renderReference(old, 300))).toMatchObject({
      artifact: refOf(inline),
      kind: "array",
      preview: expect.stringMatching(/^\[\{"id":0/),
    });
  });
});
