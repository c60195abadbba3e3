import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Json } from "./json.ts";
import { shownResult } from "./shown-result.ts";
import { tool } from "./tool.ts";

const value: Json = { id: "A7", total: 5, log: ["x".repeat(5_000)] };
const args: Json = { id: "A7" };

function showing(show?: (value: { id: string }, args: { id: string }) => unknown) {
  return tool({
    name: "find",
    description: "Finds.",
    input: z.object({ id: z.string() }),
    run: () => ({ id: "A7" }),
    ...(show && { show }),
  });
}

describe("what is shown of a result", () => {
  it("is the value itself, when the tool does not say", () => {
    expect(shownResult(showing(), value, args)).toEqual({ text: JSON.stringify(value), byTool: false });
    expect(shownResult(undefined, value, args)).toEqual({ text: JSON.stringify(value), byTool: false });
  });

  it("is what the tool says: text as text, anything else as JSON", () => {
    expect(
      shownResult(
        showing(({ id }, asked) => `order ${id} for ${asked.id}`),
        value,
        args,
      ),
    ).toEqual({
      text: "order A7 for A7",
      byTool: true,
    });
    const members = showing(({ id }) => ({ id, at: new Date(0) }));
    expect(shownResult(members, value, args).text).toBe('{"id":"A7","at":"1970-01-01T00:00:00.000Z"}');
    expect(
      shownResult(
        showing(() => null),
        value,
        args,
      ),
    ).toEqual({ text: "null", byTool: true });
  });

  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const unshowable = {
    toString: () => {
      throw new Error("no");
    },
  };
  it.each<{ name: string; show: () => unknown; problem: string }>([
    {
      name: "throws",
      show: () => fail(new Error("no\nlines \u001b[2J")),
      problem: "show: no lines \\u001b[2J",
    },
    { name: "throws what cannot be shown", show: () => fail(unshowable), problem: "show: {}" },
    { name: "returns nothing", show: () => undefined, problem: "show: it returns nothing" },
    { name: "is asynchronous", show: async () => fail("later"), problem: "show: it returns a promise" },
    { name: "returns a cycle", show: () => cyclic, problem: "show: $.self" },
    { name: "returns binary", show: () => new Uint8Array(3), problem: "show: $ is binary" },
    {
      name: "returns too much",
      show: () => "x".repeat(100_000),
      problem: "show: it gives 100000 characters",
    },
    {
      name: "returns too much JSON",
      show: () => Array.from({ length: 50_000 }, () => 1),
      problem: "show: it gives",
    },
  ])("is the value itself, with the reason, when show $name", ({ show, problem }) => {
    const shown = shownResult(showing(show), value, args);
    expect(shown).toMatchObject({ text: JSON.stringify(value), byTool: false });
    expect(shown.problem).toContain(problem);
  });

  it("cannot be used to change the log", () => {
    const own = structuredClone(value);
    const careless = showing((order) => {
      order.id = "B8";
      return order;
    });
    expect(shownResult(careless, own, args)).toMatchObject({
      byTool: false,
      problem: expect.stringContaining("read only"),
    });
    expect(own).toEqual(value);
  });
});

function fail(error: unknown): never {
  throw error;
}
