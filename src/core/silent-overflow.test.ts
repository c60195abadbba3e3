import { describe, expect, test } from "vitest";
import { type SilentOverflowCase, silentOverflow } from "./silent-overflow.ts";

const fine: SilentOverflowCase = { finish: "stop", text: "Paris", calls: [] };
const call = { callId: "1", tool: "weather", args: {} };

describe("silentOverflow", () => {
  const cases: readonly {
    name: string;
    given: Partial<SilentOverflowCase>;
    is: number | true | undefined;
  }[] = [
    { name: "nothing is known", given: {}, is: undefined },
    {
      name: "a usual call",
      given: {
        usage: { inputTokens: 900, outputTokens: 9 },
        facts: { contextTokens: 1_000 },
        sentTokens: 1_000,
        maxOutputTokens: 100,
      },
      is: undefined,
    },
    {
      name: "more input than the context holds (z.ai)",
      given: { usage: { inputTokens: 1_001, outputTokens: 9 }, facts: { contextTokens: 1_000 } },
      is: 1_000,
    },
    {
      name: "input at the context's limit is no more",
      given: { usage: { inputTokens: 1_000, outputTokens: 9 }, facts: { contextTokens: 1_000 } },
      is: undefined,
    },
    {
      name: "far less than was sent, at the context's limit",
      given: {
        usage: { inputTokens: 4_000, outputTokens: 9 },
        facts: { contextTokens: 4_096 },
        sentTokens: 12_000,
      },
      is: 4_096,
    },
    {
      name: "far less than was sent, at a power of two (Ollama)",
      given: { usage: { inputTokens: 2_050, outputTokens: 9 }, sentTokens: 9_000 },
      is: 2_048,
    },
    {
      name: "far less than was sent, and nowhere near a limit: the count is off",
      given: { usage: { inputTokens: 3_000, outputTokens: 9 }, sentTokens: 9_000 },
      is: undefined,
    },
    {
      name: "less than was sent by as much as counts may be off",
      given: { usage: { inputTokens: 2_048, outputTokens: 9 }, sentTokens: 3_000 },
      is: undefined,
    },
    {
      name: "no input at all is a provider that counts none",
      given: { usage: { inputTokens: 0, outputTokens: 9 }, sentTokens: 9_000 },
      is: undefined,
    },
    { name: "stopped for length, and nothing written", given: { finish: "length", text: " \n" }, is: true },
    {
      name: "stopped for length after a few tokens of reasoning",
      given: {
        finish: "length",
        text: "",
        usage: { inputTokens: 9, outputTokens: 40, reasoningTokens: 40 },
        maxOutputTokens: 4_096,
      },
      is: true,
    },
    {
      name: "reasoned to the output's own limit",
      given: {
        finish: "length",
        text: "",
        usage: { inputTokens: 9, outputTokens: 4_096, reasoningTokens: 4_096 },
        maxOutputTokens: 4_096,
      },
      is: undefined,
    },
    {
      name: "wrote something that did not arrive, with a limit that is not known",
      given: { finish: "length", text: "", usage: { inputTokens: 9, outputTokens: 50 } },
      is: undefined,
    },
    { name: "stopped for length within an answer", given: { finish: "length" }, is: undefined },
    {
      name: "stopped for length within a call",
      given: { finish: "length", text: "", calls: [call] },
      is: undefined,
    },
    { name: "nothing written, and not for length", given: { text: "" }, is: undefined },
  ];
  for (const { name, given, is } of cases) {
    test(name, () => {
      const found = silentOverflow({ ...fine, ...given });
      if (is === undefined) expect(found).toBeUndefined();
      else expect(found).toEqual({ reason: expect.any(String), ...(is !== true && { limitTokens: is }) });
    });
  }
});
