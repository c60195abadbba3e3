// Mails by the thousand for the support desk: each from a customer of its own, about an order of its own, so that no two
// threads ask a model the same and none takes another's money.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openShop } from "../../examples/support-desk/shop.ts";

interface Kind {
  readonly paidCents: number;
  readonly text: (orderId: string, otherId: string) => string;
}

/** One of each ten mails. */
const kinds: readonly Kind[] = [
  { paidCents: 1_450, text: (id) => `Where is my order ${id}? Has it been sent?` },
  { paidCents: 1_500, text: (id) => `${id} arrived broken. Could I please get a refund?` },
  { paidCents: 4_500, text: (id) => `${id} flickers. I sent it back and would like my money back.` },
  { paidCents: 990, text: () => "I have moved. My new address is: Garden Lane 7, 40210 Newtown." },
  {
    paidCents: 1_990,
    text: (id) => `I ask for a refund of ${id}. And my new address is: Mill Road 1, 40210 Newtown.`,
  },
  { paidCents: 2_490, text: () => "Please delete my account. I do not buy lamps any more." },
  { paidCents: 890, text: () => "Thank you, it all came well." },
  { paidCents: 890, text: () => "Your shop is like no other shop that I have seen." },
  { paidCents: 890, text: (_, other) => `I want a refund for ${other}, which is my brother's.` },
  { paidCents: 6_400, text: (id) => `Guten Tag, ich bitte um Rückerstattung der Bestellung ${id}.` },
];

const customerId = (number: number): string => `C-${100 + number}`;
const orderId = (number: number): string => `SO-${2_000 + number}`;
export const mailFile = (number: number): string => `${number}.eml`;

/** The number of the mail that a text is about; it stands in the sender's address. */
export function mailNumberIn(text: string): number {
  const found = /buyer-(\d+)@example\.com/.exec(text)?.[1];
  if (found === undefined) throw new Error("no sender in what the model was shown");
  return Number(found);
}

/** Writes `count` mails to `data/inbox`, and their customers and orders into the shop's database. */
export function writeDeskWorld(data: string, count: number): void {
  mkdirSync(join(data, "inbox"), { recursive: true });
  openShop(join(data, "support-desk", "shop.db")).close();
  const db = new DatabaseSync(join(data, "support-desk", "shop.db"));
  const customer = db.prepare("INSERT INTO customers (customer_id, name, email) VALUES (?, ?, ?)");
  const account = db.prepare("INSERT INTO accounts (customer_id, opened_on) VALUES (?, '2026-01-15')");
  const order = db.prepare(
    "INSERT INTO orders (order_id, customer_id, ordered_on, state, items, tracking, paid_cents) VALUES (?, ?, '2026-11-01', 'delivered', '1 lamp', 'PX-1', ?)",
  );
  db.exec("BEGIN");
  for (let number = 0; number < count; number++) {
    customer.run(customerId(number), `Buyer ${number}`, `buyer-${number}@example.com`);
    account.run(customerId(number));
    order.run(orderId(number), customerId(number), kindOf(number).paidCents);
    writeFileSync(join(data, "inbox", mailFile(number)), mailText(number, count));
  }
  db.exec("COMMIT");
  db.close();
}

function kindOf(number: number): Kind {
  const kind = kinds[number % kinds.length];
  if (!kind) throw new Error("there are kinds of mails");
  return kind;
}

function mailText(number: number, count: number): string {
  const body = kindOf(number).text(orderId(number), orderId((number + 1) % count));
  return [
    "Authentication-Results: mx.shop.example; dmarc=pass header.from=example.com",
    `Message-ID: <mail-${number}@example.com>`,
    "Date: Tue, 10 Nov 2026 09:00:00 +0100",
    `From: Buyer ${number} <buyer-${number}@example.com>`,
    "To: support@shop.example",
    "Subject: A question",
    "Content-Type: text/plain; charset=utf-8",
    "",
    body,
    "",
  ].join("\r\n");
}
