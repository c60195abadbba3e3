import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { tool } from "../../src/core/tool.ts";

describe("show", () => {
  it("is given what run returns, waited for, and the arguments", () => {
    const input = z.object({ id: z.string() });
    const shared = { description: "Finds.", input, risk: "low", effect: "read" } as const;
    tool({
      ...shared,
      name: "at_once",
      run: ({ id }) => ({ id, lines: [1, 2] }),
      show: (order, args) => {
        expectTypeOf(order).toEqualTypeOf<{ id: string; lines: number[] }>();
        expectTypeOf(args).toEqualTypeOf<{ id: string }>();
        return order.lines.length;
      },
    });
    tool({
      ...shared,
      name: "later",
      run: async ({ id }, context) => ({ id, list: await context.artifact<number[]>(id) }),
      show: (order) => {
        expectTypeOf(order).toEqualTypeOf<{ id: string; list: number[] }>();
        return order.id;
      },
    });
  });
});
