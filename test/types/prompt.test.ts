// What must compile, and what must not: the compiler reads this file (`npm run check`); a directive without an error
// under it is an error too.
import { expect, it } from "vitest";
import { z } from "zod";
import { agent, parsePrompt, renderPrompt } from "../../src/index.ts";

const input = z.object({ order: z.string() });

it("a prompt's function gets the input as the agent's schema makes it", () => {
  const typed = agent({
    name: "a",
    input,
    prompt: ({ input: { order } }) => `For ${order satisfies string}.`,
  });
  // @ts-expect-error the input has no such member
  agent({ name: "a", input, prompt: (context) => `For ${context.input.oder}.` });
  // @ts-expect-error a prompt is no promise
  agent({ name: "a", input, prompt: async () => "Work." });
  expect(renderPrompt(typed.prompt, { input: { order: "A7" } }).text).toBe("For A7.");
});

it("a prompt file goes with any input", () => {
  const prompt = parsePrompt("For {{input.order}}.");
  expect(renderPrompt(agent({ name: "a", input, prompt }).prompt, { input: { order: "A7" } }).text).toBe(
    "For A7.",
  );
});
