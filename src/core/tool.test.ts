import { describe, expect, it } from "vitest";
import { z } from "zod";
import { tool } from "./tool.ts";

describe("what a tool explains", () => {
  it("is kept as it was defined, and is nothing by default", () => {
    const explain = (error: { readonly message: string }, args: { readonly id: string }) =>
      `${args.id}: ${error.message}`;
    const definition = {
      name: "find",
      description: "",
      input: z.object({ id: z.string() }),
      run: () => null,
    };
    expect(
      tool({ ...definition, explain }).explain?.({ code: "tool_failed", message: "no" }, { id: "a" }),
    ).toBe("a: no");
    expect(tool(definition).explain).toBeUndefined();
  });
});

describe("a tool's name", () => {
  const named = (name: string) => tool({ name, description: "", input: z.object({}), run: () => null });

  it("is one that every provider takes", () => {
    for (const name of ["find_order", "a-1", "x".repeat(64)]) expect(named(name).name).toBe(name);
    for (const name of [
      "",
      "find order",
      "größe",
      "x".repeat(65),
      "answer",
      "toString",
      "constructor",
      "__proto__",
    ])
      expect(() => named(name)).toThrow(expect.objectContaining({ code: "tool_invalid" }));
  });
});

describe("what a tool declares", () => {
  const definition = { name: "pay", description: "", input: z.object({}), run: () => null };

  it.each([
    ["a risk that does not exist", { risk: "none" }, 'there is no risk "none"', "low, medium, high"],
    [
      "an effect that does not exist",
      { effect: "write" },
      'there is no effect "write"',
      "read, repeatable, once",
    ],
    ["a hook that is no function", { show: "all" }, "its show is no function", "leave it out"],
    ["nothing to run", { run: undefined }, "its run is no function", "a function"],
  ])("is refused with %s", (_name, wrong, message, fix) => {
    expect(() => tool({ ...definition, ...(wrong as object) })).toThrow(
      expect.objectContaining({
        code: "tool_invalid",
        message: expect.stringContaining(message),
        fix: expect.stringContaining(fix),
      }),
    );
  });
});
