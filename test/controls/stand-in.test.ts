import { describe, expect, test } from "vitest";
import { cutToFit, inputTokens } from "../../bench/controls/desk-model.ts";
import { stackTrace } from "../../bench/controls/stack-trace.ts";
import { decideByRules, instructions } from "../../bench/controls/stand-in.ts";
import { taskOf } from "../../bench/controls/tasks.ts";
import { spoilAction } from "../../bench/controls/wrong-actions.ts";
import type { ModelInput, ModelMessage } from "../../src/index.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const task = taskOf(2, 1_000); // a refund of EUR 64.90
const refundArgs = { orderId: "SO-2006", customerId: "C-1002", cents: 6_490, reason: "asked for by e-mail" };

const known: readonly ModelMessage[] = [
  { role: "system", content: instructions },
  {
    role: "user",
    content: JSON.stringify({
      mail: task.mail,
      ticket: {
        customer: { customerId: task.customer.customerId, name: task.customer.name },
        orders: task.orders.map(({ orderId, paidCents }) => ({ orderId, refundableCents: paidCents })),
      },
    }),
  },
];

function made(...contents: readonly string[]): readonly ModelMessage[] {
  return contents.flatMap((content, index): readonly ModelMessage[] => [
    {
      role: "assistant",
      content: "",
      calls: [{ callId: `call_${index}`, tool: "issue_refund", args: refundArgs }],
    },
    { role: "tool", callId: `call_${index}`, tool: "issue_refund", content },
  ]);
}

const shown = (messages: readonly ModelMessage[]): ModelInput => ({
  messages: [...known, ...messages],
  tools: [],
  maxOutputTokens: 4_096,
});
const next = (...contents: readonly string[]) => decideByRules(shown(made(...contents))).calls[0];
const raw = stackTrace("issue_refund", "503 Service Unavailable: upstream timed out", 1).stack ?? "";
const compact = "issue_refund failed after 1 attempt: unavailable 503\nCause: upstream timed out";

describe("the stand-in goes by what it is shown, in a loop's words as in a window's", () => {
  test("a refund, then the reply, then the answer", () => {
    expect(decideByRules(shown([])).calls[0]).toMatchObject({ tool: "issue_refund", args: refundArgs });
    expect(next(JSON.stringify(refundArgs))).toMatchObject({
      tool: "send_email",
      args: { to: "buyer-2@example.com", body: expect.stringContaining("EUR 64.90") },
    });
  });

  test.each([
    { name: "what failed for a passing reason is called again", contents: [raw], tool: "issue_refund" },
    { name: "the same, told in short", contents: [compact], tool: "issue_refund" },
    { name: "the same, as a result", contents: [JSON.stringify({ error: raw })], tool: "issue_refund" },
    { name: "not more than three times", contents: [raw, raw, raw], tool: "answer" },
    {
      name: "also when one line tells of three",
      contents: [compact.replace("1 attempt", "3 attempts")],
      tool: "answer",
    },
    {
      name: "what failed for good is left",
      contents: ["Error: issue_refund: 403 Forbidden"],
      tool: "answer",
    },
    {
      name: "what was denied is left",
      contents: [JSON.stringify({ status: "denied", by: "person", why: "no" })],
      tool: "answer",
    },
  ])("$name", ({ contents, tool }) => {
    expect(next(...contents)?.tool).toBe(tool);
  });

  test("without its instructions it asks for nothing any more", () => {
    const [, mail] = known;
    const output = decideByRules({ messages: mail ? [mail] : [], tools: [], maxOutputTokens: 1 });
    expect(output).toMatchObject({ calls: [], finish: "stop" });
  });
});

test("a server that cuts what is too long cuts the instructions first", () => {
  const long = shown(made(JSON.stringify(Array.from({ length: 30_000 }, (_, index) => index))));
  const cut = cutToFit(long);
  expect(inputTokens(long)).toBeGreaterThan(32_768);
  expect(cut.messages.some(({ role }) => role === "system")).toBe(false);
  expect(cutToFit(shown([])).messages).toEqual(known);
});

describe("wrong actions are what schemas and the shop accept", () => {
  const output = decideByRules(shown([]));
  const spoil = (name: Parameters<typeof spoilAction>[0]) =>
    spoilAction(name, output, { task, input: shown([]), random: seededRandom("1") });

  test("another amount, another order, one action more", () => {
    expect(spoil("wrong_amount").calls[0]?.args).toMatchObject({ orderId: "SO-2006" });
    expect(spoil("wrong_amount").calls[0]?.args).not.toMatchObject({ cents: 6_490 });
    expect(spoil("wrong_target").calls[0]?.args).toMatchObject({ orderId: "SO-2007", cents: 6_490 });
    expect(spoil("unwanted_action").calls).toHaveLength(2);
  });

  test("an output that cannot have a fault has the next: there is nothing yet to repeat", () => {
    expect(spoil("stuck").calls).toHaveLength(2);
  });
});
