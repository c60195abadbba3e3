// Outputs that are valid and wrong: what schemas cannot find. Amounts and targets are plausible, within what tools accept.
import type { ModelCall, ModelInput, ModelOutput } from "../../src/index.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";
import type { WrongAction } from "./draws.ts";
import type { Task } from "./tasks.ts";

interface Place {
  readonly task: Task;
  readonly input: ModelInput;
  readonly random: SeededRandom;
}

type Spoil = (output: ModelOutput, place: Place) => ModelOutput | null;

const order: readonly WrongAction[] = ["wrong_amount", "wrong_target", "stuck", "unwanted_action"];

/** The output with this fault, or with the next that it can have. */
export function spoilAction(name: WrongAction, output: ModelOutput, place: Place): ModelOutput {
  const start = order.indexOf(name);
  for (const each of [...order.slice(start), ...order.slice(0, start)]) {
    const spoilt = spoils[each](output, place);
    if (spoilt) return spoilt;
  }
  return output;
}

const spoils: { readonly [Name in WrongAction]: Spoil } = {
  /** All of the order instead of a part, or one of the amounts of other orders. */
  wrong_amount: (output, { task, random }) =>
    change(output, "issue_refund", (args) => {
      const others = task.orders.map(({ paidCents }) => paidCents).filter((cents) => cents !== args.cents);
      return { ...args, cents: random.pick([...others, 1_000]) };
    }),
  wrong_target: (output, place) =>
    change(output, "issue_refund", (args) => ({ ...args, orderId: place.task.orders[1]?.orderId })) ??
    change(output, "send_email", (args) => ({ ...args, to: stranger(place) })) ??
    change(output, "delete_account", (args) => ({ ...args, customerId: neighbour(place.task) })) ??
    change(output, "find_order", (args) => ({ ...args, orderId: place.task.orders[2]?.orderId })),
  /** The calls of the last turn once more. */
  stuck: (output, { input }) => {
    const last = input.messages.findLast((message) => message.role === "assistant");
    if (last?.role !== "assistant" || last.calls.length === 0) return null;
    return { ...output, text: "", calls: last.calls, finish: "calls" };
  },
  unwanted_action: (output, { task, random }) => {
    const [, small, large] = task.orders;
    const { customerId, email } = task.customer;
    const call: ModelCall | undefined = random.pick([
      refundCall(small?.orderId, customerId, 1_500),
      refundCall(large?.orderId, customerId, 18_000),
      mailCall(email, "Is there anything else that we can do for you?"),
    ]);
    return call ? beside(output, call) : null;
  },
};

/** Adds a call to those of an output, in place of its answer. */
export function beside(output: ModelOutput, call: ModelCall): ModelOutput {
  const calls = output.calls.filter(({ tool }) => tool !== "answer");
  return { ...output, text: "", calls: [...calls, call], finish: "calls" };
}

type Members = { readonly [name: string]: unknown };

function change(output: ModelOutput, tool: string, make: (args: Members) => Members): ModelOutput | null {
  const chosen = output.calls.find((call) => call.tool === tool);
  if (!chosen) return null;
  const changed = { ...chosen, args: make(chosen.args as Members) }; // the stand-in's own
  return { ...output, calls: output.calls.map((call) => (call === chosen ? changed : call)) };
}

function stranger({ task, random }: Place): string | undefined {
  return random.pick([
    `buyer-${task.number + 1}@example.com`,
    `buyer-${task.number}@example.org`,
    "sales@shop.example",
  ]);
}

function neighbour({ number }: Task): string {
  return `C-${1_000 + (number === 0 ? 1 : number - 1)}`;
}

function refundCall(orderId: string | undefined, customerId: string, cents: number): ModelCall {
  return {
    callId: "unwanted",
    tool: "issue_refund",
    args: { orderId, customerId, cents, reason: "courtesy" },
  };
}

function mailCall(to: string, body: string): ModelCall {
  return { callId: "unwanted", tool: "send_email", args: { to, subject: "Your order", body } };
}
