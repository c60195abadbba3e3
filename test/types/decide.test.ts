// What must compile, and what must not: the compiler reads this file (`npm run check`); a directive without an error
// under it is an error too.
import { expect, it } from "vitest";
import { z } from "zod";
import { agent, type FlowContext, tool } from "../../src/index.ts";

const findOrder = tool({
  name: "find_order",
  description: "Finds an order.",
  input: z.object({ orderId: z.string(), deep: z.boolean().default(false) }),
  risk: "low",
  run: ({ orderId, deep }) => ({ orderId, deep }),
});
const refund = tool({
  name: "refund",
  description: "Pays back.",
  input: z.object({ cents: z.number() }),
  run: ({ cents }) => cents,
});

const typed = agent({
  name: "typed",
  tools: [findOrder, refund],
  async flow(t) {
    const next = await t.decide();
    if (next.kind === "answer") return "answered";
    for (const call of next.calls) {
      switch (call.tool) {
        case "find_order": {
          const orderId: string = call.args.orderId;
          // @ts-expect-error as the model wrote it: the default is not in it
          const deep: boolean = call.args.deep;
          // @ts-expect-error another tool's argument
          call.args.cents;
          await t.act(findOrder, { orderId, deep });
          break;
        }
        case "refund":
          await t.act(refund, { cents: call.args.cents + 1 });
          // @ts-expect-error not what it takes
          await t.act(refund, { cents: "many" });
          break;
        default:
          call satisfies never;
      }
      // @ts-expect-error no such tool
      if (call.tool === "find_orders") return "never";
    }
    await t.act(next.calls);
    // @ts-expect-error no such tool
    await t.decide({ tools: ["find_orders"] });
    await t.decide({ tools: ["find_order"] });
    const { mood } = await t.decide({ output: z.object({ mood: z.enum(["glad", "cross"]) }) });
    const known: "glad" | "cross" = mood;
    // @ts-expect-error not in the schema
    mood.length === 4 && mood === "sad";
    return known;
  },
});

/** A flow's parts may take any context. */
async function part(t: FlowContext): Promise<void> {
  const next = await t.decide();
  if (next.kind === "calls") await t.act(next.calls);
}

it("compiles as it says", () => {
  agent({ name: "parts", tools: [refund], flow: async (t) => part(t) });
  expect(typed.tools.size).toBe(2);
});
