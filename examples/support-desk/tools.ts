// What the model may ask for. Each tool says what a second run of it would do (`effect`), what it can break (`risk`),
// and, where a second run would do harm, how to find out whether the first one happened (`verify`).

import { z } from "zod";
import { type RunContext, type TypedTool, tool, type Verification } from "../../src/index.ts";
import type { Ledger } from "./ledger.ts";
import type { Outbox } from "./outbox.ts";
import type { Change, Shop } from "./shop.ts";

export interface ToolServices {
  readonly shop: () => Shop;
  readonly outbox: Outbox;
  /** Told of every effect when it happens; for tests. */
  readonly ledger?: Ledger | undefined;
}

const orderId = z
  .string()
  .regex(/^SO-\d{4}$/)
  .describe("an order number, such as SO-1234");
const customerId = z
  .string()
  .regex(/^C-\d{2,}$/)
  .describe("a customer's number, such as C-01");
const headerText = z
  .string()
  .min(1)
  .max(300)
  .regex(/^\P{Cc}*$/u, "control characters have no place in a header");

const findOrderInput = z.object({ orderId });
const addNoteInput = z.object({
  customerId,
  orderId: orderId.optional(),
  text: z.string().min(1).max(2_000),
});
export const issueRefundInput = z.object({
  orderId,
  customerId,
  cents: z.int().positive().describe("in euro cents: 1800 is EUR 18.00"),
  reason: z.string().min(1).max(500),
});
const sendEmailInput = z.object({
  to: headerText.regex(/^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/, "one plain address"),
  subject: headerText,
  body: z.string().min(1).max(5_000),
  inReplyTo: headerText
    .regex(/^<[^\s<>]+>$/, "a Message-ID")
    .optional()
    .describe("the messageId of the e-mail that this answers"),
});
const deleteAccountInput = z.object({ customerId });

export interface SupportTools {
  readonly findOrder: TypedTool<z.infer<typeof findOrderInput>>;
  readonly addNote: TypedTool<z.infer<typeof addNoteInput>>;
  readonly issueRefund: TypedTool<z.infer<typeof issueRefundInput>>;
  readonly sendEmail: TypedTool<z.infer<typeof sendEmailInput>>;
  readonly deleteAccount: TypedTool<z.infer<typeof deleteAccountInput>>;
}

export function supportTools({ shop, outbox, ledger = () => {} }: ToolServices): SupportTools {
  /** Makes a change under the action's idempotency key, and tells the ledger. */
  function change<Value>(
    name: string,
    { idempotencyKey, signal }: RunContext,
    make: (key: string) => Change<Value>,
  ): Value {
    signal.throwIfAborted();
    ledger({ tool: name, idempotencyKey, phase: "begun" });
    const { created, value } = make(idempotencyKey);
    ledger({ tool: name, idempotencyKey, phase: created ? "happened" : "absorbed" });
    return value;
  }

  return {
    findOrder: tool({
      name: "find_order",
      description:
        "Looks up one order of the sender: what was ordered, its state, its tracking number, what can be refunded.",
      input: findOrderInput,
      risk: "low",
      effect: "read",
      run: (args) => shop().findOrder(args.orderId) ?? { unknown: args.orderId },
    }),
    addNote: tool({
      name: "add_note",
      description:
        "Leaves a note for the shop's staff with a customer or an order, for instance about a new address.",
      input: addNoteInput,
      risk: "low",
      effect: "repeatable", // the shop keeps one note per key
      run: (args, context) => change("add_note", context, (key) => shop().addNote(key, args)),
    }),
    issueRefund: tool({
      name: "issue_refund",
      description:
        "Pays money back for an order of the sender. At most its refundableCents, and once per order.",
      input: issueRefundInput,
      risk: "high",
      effect: "once",
      run: (args, context) => change("issue_refund", context, (key) => shop().refund(key, args)),
      verify: (_args, { idempotencyKey }) => found(shop().findRefund(idempotencyKey)),
    }),
    sendEmail: tool({
      name: "send_email",
      description: "Sends a reply to the sender, in plain text.",
      input: sendEmailInput,
      // Its risk is left open on purpose: by its name it is held, so a person reads each reply before a customer does.
      effect: "once",
      run: (args, context) => change("send_email", context, (key) => outbox.send(key, args)),
      verify: (_args, { idempotencyKey }) => found(outbox.findSent(idempotencyKey)),
    }),
    deleteAccount: tool({
      name: "delete_account",
      description: "Deletes the sender's account for good.",
      input: deleteAccountInput,
      risk: "high",
      effect: "once",
      run: (args, context) =>
        change("delete_account", context, (key) => shop().deleteAccount(key, args.customerId)),
      verify: (_args, { idempotencyKey }) => found(shop().findDeletion(idempotencyKey)),
    }),
  };
}

function found(value: unknown): Verification {
  return value === null ? { happened: false } : { happened: true, value };
}
