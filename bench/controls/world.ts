// The support desk's shop, its tools and its outgoing mail, with a ledger of what really happened. The tools are those of
// the example; what is added is a log of parcels, that tools fail and processes are killed, and that all takes time.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { Outbox } from "../../examples/support-desk/outbox.ts";
import { openShop, type Shop } from "../../examples/support-desk/shop.ts";
import { supportTools } from "../../examples/support-desk/tools.ts";
import { type RunContext, type Tool, tool } from "../../src/index.ts";
import { parcelLog } from "./parcel-log.ts";
import { stackTrace } from "./stack-trace.ts";
import { countUp, Killed, type TaskRun, working } from "./task-run.ts";
import type { Task } from "./tasks.ts";

export interface World {
  readonly tools: readonly Tool[];
  close(): void;
}

export interface WorldOptions {
  /** An empty folder. */
  readonly folder: string;
  readonly tasks: readonly Task[];
  /** The task that is being worked on. */
  readonly runOf: () => TaskRun;
  /** Ends the process of the task, in the middle of a tool's run. */
  readonly kill: () => void;
}

export function openWorld({ folder, tasks, runOf, kill }: WorldOptions): World {
  const path = join(folder, "shop.db");
  const shop = openShop(path);
  fillShop(path, tasks);
  let changed = false;
  const services = {
    shop: (): Shop => shop,
    outbox: outboxInMemory(),
    ledger: ({ phase }: { readonly phase: string }) => {
      if (phase === "happened") changed = true;
    },
  };
  const tools = [...Object.values(supportTools(services)), parcelTool(runOf)].map((each: Tool): Tool => {
    const run = async (args: Parameters<Tool["run"]>[0], context: RunContext): Promise<unknown> => {
      changed = false;
      const result = await each.run(args, context);
      if (changed) runOf().effects.push({ tool: each.name, args, idempotencyKey: context.idempotencyKey });
      return result;
    };
    // The example leaves this risk open, to be held by its name. Declared, it counts as critical in every variant.
    const risk = each.name === "send_email" ? "high" : each.risk;
    return { ...each, risk, run: (args, context) => troubled(runOf(), each, () => run(args, context), kill) };
  });
  return { tools, close: () => shop.close() };
}

/** Runs a tool in a world where tools fail and processes die. */
async function troubled(
  run: TaskRun,
  { name, effect }: Tool,
  act: () => Promise<unknown>,
  kill: () => void,
): Promise<unknown> {
  const { task, draws, time, toolRuns } = run;
  const count = countUp(toolRuns, name);
  return working(run, async () => {
    await time.advance(draws.takesMs(draws.key(task.number, `${name} ${count}`), 200, 0.8));
    const fault = draws.toolFault(task.number, name, count, effect !== "read");
    switch (fault) {
      case "fails once":
        throw stackTrace(name, "503 Service Unavailable: upstream timed out", task.number);
      case "fails for good":
        throw stackTrace(name, "403 Forbidden: this account is locked", task.number);
      case "killed before":
        kill();
        throw new Killed();
      case "killed after":
        await act().catch(() => {}); // nobody hears of it
        kill();
        throw new Killed();
      case null:
        return act().catch((error: unknown) => {
          throw stackTrace(name, error instanceof Error ? error.message : String(error), task.number);
        });
      default:
        return fault satisfies never;
    }
  });
}

function parcelTool(runOf: () => TaskRun): Tool {
  return tool({
    name: "read_parcel_log",
    description: "All scans of an order's parcels, from every depot and vehicle.",
    input: z.object({ orderId: z.string().regex(/^SO-\d{4}$/) }),
    risk: "low",
    effect: "read",
    run: ({ orderId }) => parcelLog(orderId, runOf().task),
  });
}

/** What was sent, under its key; a mail server takes plain addresses only. */
function outboxInMemory(): Outbox {
  const sent = new Map<string, { readonly messageId: string }>();
  return {
    send(key, { to }) {
      if (typeof to !== "string") throw new Error("550 the recipient is no address");
      const known = sent.get(key);
      if (known) return { created: false, value: known };
      const value = { messageId: `<${sent.size}@shop.example>` };
      sent.set(key, value);
      return { created: true, value };
    },
    findSent: (key) => sent.get(key) ?? null,
  };
}

function fillShop(path: string, tasks: readonly Task[]): void {
  const db = new DatabaseSync(path);
  const customers = db.prepare("INSERT INTO customers (customer_id, name, email) VALUES (?, ?, ?)");
  const accounts = db.prepare("INSERT INTO accounts (customer_id, opened_on) VALUES (?, '2026-01-15')");
  const orders = db.prepare(
    "INSERT INTO orders (order_id, customer_id, ordered_on, state, items, tracking, paid_cents) VALUES (?, ?, '2026-11-01', 'sent', ?, ?, ?)",
  );
  db.exec("BEGIN");
  for (const { customer, orders: own } of tasks) {
    customers.run(customer.customerId, customer.name, customer.email);
    accounts.run(customer.customerId);
    for (const { orderId, items, tracking, paidCents } of own)
      orders.run(orderId, customer.customerId, items, tracking, paidCents);
  }
  db.exec("COMMIT");
  db.close();
}
