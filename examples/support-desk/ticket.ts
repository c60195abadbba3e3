import { z } from "zod";
import type { Call } from "../../src/index.ts";
import type { Mail } from "./parse-email.ts";
import type { Shop } from "./shop.ts";

/** What code knows about an e-mail before a model reads it. All of it is verified; nothing comes from the mail's text. */
export interface Ticket {
  /** `null` for strangers, and for senders for whom nobody vouches. */
  readonly customer: { readonly customerId: string; readonly name: string } | null;
  readonly orders: readonly {
    readonly orderId: string;
    readonly orderedOn: string;
    readonly state: string;
    readonly refundableCents: number;
    /** The e-mail names it. */
    readonly mentioned: boolean;
  }[];
  /** Order numbers in the e-mail that are no order of this sender. Whether they are someone else's is not told. */
  readonly notTheirs: readonly string[];
}

export function lookUp(shop: Shop, mail: Mail): Ticket {
  const customer = mail.authenticated ? shop.customerByEmail(mail.from) : null;
  const orders = customer === null ? [] : shop.ordersOf(customer.customerId);
  const owned = new Set(orders.map((order) => order.orderId));
  return {
    customer: customer && { customerId: customer.customerId, name: customer.name },
    orders: orders.map(({ orderId, orderedOn, state, refundableCents }) => ({
      orderId,
      orderedOn,
      state,
      refundableCents,
      mentioned: mail.orderNumbers.includes(orderId),
    })),
    notTheirs: mail.orderNumbers.filter((orderId) => !owned.has(orderId)),
  };
}

const bound = z.object({
  orderId: z.string().optional(),
  customerId: z.string().optional(),
  to: z.string().optional(),
  cents: z.number().optional(),
});

/**
 * Why this call may not be made for this e-mail, whatever the model was talked into; `null` when it may.
 * A sender can only be helped with what is the sender's own.
 */
export function reasonAgainst(call: Call, mail: Mail, ticket: Ticket): string | null {
  const { orderId, customerId, to, cents } = bound.parse(call.args);
  const order = ticket.orders.find((candidate) => candidate.orderId === orderId);
  if (orderId !== undefined && !order) return `${call.tool} refused: ${orderId} is no order of the sender`;
  if (customerId !== undefined && customerId !== ticket.customer?.customerId)
    return `${call.tool} refused: ${customerId} is not the sender`;
  if (to !== undefined && to.toLowerCase() !== mail.from)
    return `${call.tool} refused: ${to} is not the sender's address`;
  if (order && cents !== undefined && cents > order.refundableCents) {
    return `${call.tool} refused: of ${orderId}, ${order.refundableCents} cents can be refunded, not ${cents}`;
  }
  return null;
}
