// The shop's own database: what the desk looks up and changes. It knows nothing of agents; what makes it a good
// partner for them is that each change takes an idempotency key, is made once per key, and can be looked up by it.
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

interface Customer {
  readonly customerId: string;
  readonly name: string;
  readonly email: string;
}

interface Order {
  readonly orderId: string;
  readonly customerId: string;
  readonly orderedOn: string;
  readonly state: "open" | "sent" | "delivered" | "returned";
  readonly items: string;
  readonly tracking: string | null;
  readonly paidCents: number;
  /** 0 after a refund: a second one of the same order is not for a machine to make. */
  readonly refundableCents: number;
}

/** What a change gave. `created` is false when its key had made it before. */
export interface Change<Value> {
  readonly created: boolean;
  readonly value: Value;
}

interface Note {
  readonly customerId: string;
  readonly orderId?: string | undefined;
  readonly text: string;
}

interface Refund {
  readonly orderId: string;
  readonly customerId: string;
  readonly cents: number;
  readonly reason: string;
}

export interface Shop {
  customerByEmail(email: string): Customer | null;
  ordersOf(customerId: string): readonly Order[];
  findOrder(orderId: string): Order | null;
  addNote(key: string, note: Note): Change<{ readonly noteKey: string }>;
  /** @throws when the order is not this customer's, was refunded before, or was paid less. */
  refund(key: string, refund: Refund): Change<Refund>;
  findRefund(key: string): Refund | null;
  /** @throws when there is no such account, or it was closed before. */
  deleteAccount(key: string, customerId: string): Change<{ readonly customerId: string }>;
  findDeletion(key: string): { readonly customerId: string } | null;
  close(): void;
}

/** Opens the shop's database; the first time, with its customers and orders. */
export function openShop(path: string): Shop {
  mkdirSync(dirname(path), { recursive: true });
  const db = new DatabaseSync(path);
  db.exec(
    "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
  );
  inTransaction(db, () => db.exec(schema));

  const findRefund = (key: string): Refund | null => row<Refund>(db, sql.refund, key);
  const findDeletion = (key: string): { customerId: string } | null => row(db, sql.deletion, key);
  return {
    customerByEmail: (email) => row(db, sql.customer, email),
    ordersOf: (customerId) => rows(db, sql.ordersOf, customerId),
    findOrder: (orderId) => row(db, sql.order, orderId),
    addNote(key, note) {
      const { changes } = db
        .prepare(sql.addNote)
        .run(key, note.customerId, note.orderId ?? null, note.text, now());
      return { created: changes > 0, value: { noteKey: key } };
    },
    refund: (key, refund) =>
      once(
        db,
        () => findRefund(key),
        () => insertRefund(db, key, refund),
      ),
    findRefund,
    deleteAccount: (key, customerId) =>
      once(
        db,
        () => findDeletion(key),
        () => closeAccount(db, key, customerId),
      ),
    findDeletion,
    close: () => db.close(),
  };
}

/** Looks for what a key has done, and does it if it is not there, in one transaction. */
function once<Value>(db: DatabaseSync, find: () => Value | null, make: () => Value): Change<Value> {
  return inTransaction(db, () => {
    const known = find();
    return known === null ? { created: true, value: make() } : { created: false, value: known };
  });
}

function insertRefund(db: DatabaseSync, key: string, refund: Refund): Refund {
  const order = row<Order>(db, sql.order, refund.orderId);
  if (order?.customerId !== refund.customerId)
    throw new Error(`${refund.orderId} is no order of customer ${refund.customerId}`);
  if (order.refundableCents === 0) throw new Error(`${refund.orderId} was refunded before`);
  if (refund.cents > order.refundableCents) {
    throw new Error(`${refund.orderId}: ${order.refundableCents} cents can be refunded, not ${refund.cents}`);
  }
  db.prepare(sql.addRefund).run(key, refund.orderId, refund.customerId, refund.cents, refund.reason, now());
  return refund;
}

function closeAccount(db: DatabaseSync, key: string, customerId: string): { customerId: string } {
  const { changes } = db.prepare(sql.closeAccount).run(now(), key, customerId);
  if (changes === 0) throw new Error(`customer ${customerId} has no open account`);
  return { customerId };
}

function inTransaction<Value>(db: DatabaseSync, work: () => Value): Value {
  db.exec("BEGIN IMMEDIATE");
  try {
    const value = work();
    db.exec("COMMIT");
    return value;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** The casts of `row` and `rows` hold because each statement below names its columns as the type's members. */
function row<Row>(db: DatabaseSync, statement: string, key: string): Row | null {
  return (db.prepare(statement).get(key) as Row | undefined) ?? null;
}

function rows<Row>(db: DatabaseSync, statement: string, key: string): readonly Row[] {
  return db.prepare(statement).all(key) as Row[];
}

function now(): string {
  return new Date().toISOString();
}

const orderColumns = `
  order_id AS orderId, customer_id AS customerId, ordered_on AS orderedOn, state, items, tracking, paid_cents AS paidCents,
  CASE WHEN order_id IN (SELECT order_id FROM refunds) THEN 0 ELSE paid_cents END AS refundableCents`;

const sql = {
  customer: "SELECT customer_id AS customerId, name, email FROM customers WHERE email = ?",
  order: `SELECT ${orderColumns} FROM orders WHERE order_id = ?`,
  ordersOf: `SELECT ${orderColumns} FROM orders WHERE customer_id = ? ORDER BY ordered_on DESC`,
  addNote:
    "INSERT INTO notes (key, customer_id, order_id, text, added_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
  refund: "SELECT order_id AS orderId, customer_id AS customerId, cents, reason FROM refunds WHERE key = ?",
  addRefund:
    "INSERT INTO refunds (key, order_id, customer_id, cents, reason, refunded_at) VALUES (?, ?, ?, ?, ?, ?)",
  deletion: "SELECT customer_id AS customerId FROM accounts WHERE closing_key = ?",
  closeAccount:
    "UPDATE accounts SET closed_at = ?, closing_key = ? WHERE customer_id = ? AND closed_at IS NULL",
};

const schema = `
CREATE TABLE IF NOT EXISTS customers (customer_id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE COLLATE NOCASE) STRICT;
CREATE TABLE IF NOT EXISTS accounts (
  customer_id TEXT PRIMARY KEY REFERENCES customers, opened_on TEXT NOT NULL, closed_at TEXT, closing_key TEXT UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS orders (
  order_id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers, ordered_on TEXT NOT NULL, state TEXT NOT NULL,
  items TEXT NOT NULL, tracking TEXT, paid_cents INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS notes (
  key TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers, order_id TEXT REFERENCES orders,
  text TEXT NOT NULL, added_at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS refunds (
  key TEXT PRIMARY KEY, order_id TEXT NOT NULL UNIQUE REFERENCES orders, customer_id TEXT NOT NULL REFERENCES customers,
  cents INTEGER NOT NULL CHECK (cents > 0), reason TEXT NOT NULL, refunded_at TEXT NOT NULL) STRICT;

INSERT OR IGNORE INTO customers (customer_id, name, email) VALUES
  ('C-01', 'Ada', 'ada@example.com'), ('C-02', 'Oskar', 'oskar@example.org'), ('C-03', 'Jörg', 'joerg@example.org'),
  ('C-04', 'はると', 'haruto@example.net'), ('C-05', 'Mira', 'mira@example.com'), ('C-06', 'Vera', 'vera@example.net'),
  ('C-07', 'Lea', 'lea@example.net'), ('C-08', 'Noor', 'noor@example.com'), ('C-09', 'Tomas', 'tomas@example.com');
INSERT OR IGNORE INTO accounts (customer_id, opened_on) SELECT customer_id, '2026-01-15' FROM customers;
INSERT OR IGNORE INTO orders (order_id, customer_id, ordered_on, state, items, tracking, paid_cents) VALUES
  ('SO-1001', 'C-01', '2026-09-20', 'delivered', '1 brass lamp',        'PX-50011', 8900),
  ('SO-1002', 'C-01', '2026-11-02', 'sent',      '2 bottles of lamp oil','PX-50102', 1450),
  ('SO-1003', 'C-03', '2026-10-28', 'returned',  '1 tea pot with warmer','PX-50077', 4500),
  ('SO-1004', 'C-04', '2026-11-03', 'sent',      '2 paper lanterns',     'PX-50110', 6400),
  ('SO-1005', 'C-05', '2026-10-19', 'returned',  '1 reading light',      'PX-50054', 6490),
  ('SO-1006', 'C-02', '2026-11-04', 'delivered', '1 set of candles',     'PX-50115', 1800),
  ('SO-1007', 'C-07', '2026-11-06', 'open',      '1 desk lamp',          NULL,       12000),
  ('SO-1008', 'C-08', '2026-10-30', 'delivered', '1 light bulb',         'PX-50081',  990),
  ('SO-1009', 'C-09', '2026-03-11', 'delivered', '1 night light',        'PX-40312', 2490),
  ('SO-1010', 'C-06', '2026-11-03', 'delivered', '2 lamp shades',        'PX-50108', 3000);
`;
