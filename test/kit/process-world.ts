// What outlives processes: a folder with the log, the shop's books, the outbox and the ledger of effects. Processes are
// opened on it, one after another or several at a time.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { defaultInbox, supportDesk } from "../../examples/support-desk/agent.ts";
import { fileLedger } from "../../examples/support-desk/ledger.ts";
import { offlineModel } from "../../examples/support-desk/offline-model.ts";
import { openOutbox } from "../../examples/support-desk/outbox.ts";
import { openShop } from "../../examples/support-desk/shop.ts";
import {
  type Agent,
  type Hint,
  openEmbedded,
  openSqliteStore,
  type Runtime,
  systemClock,
} from "../../src/index.ts";
import { clerk, openPayments } from "./process-clerk.ts";
import { type AtPlace, agentWithPlaces, storeWithPlaces, visitHint } from "./process-places.ts";

export interface WorldOptions {
  readonly folder: string;
  readonly agent: "support-desk" | "clerk";
  readonly leaseMs?: number;
  readonly graceMs?: number;
  /** How far this process's clock is ahead of the machine's; negative: behind. */
  readonly clockOffsetMs?: number;
  readonly withoutVerify?: boolean;
}

export interface WorldHooks {
  readonly at?: AtPlace;
  readonly observe?: (hint: Hint) => void;
  /** Added to the clock's offset, and may change. */
  readonly clockShiftMs?: () => number;
}

export const storePath = (folder: string): string => join(folder, "holdpoint.db");
export const ledgerPath = (folder: string): string => join(folder, "ledger.jsonl");
const paymentsPath = (folder: string): string => join(folder, "payments");

/** A runtime on the world's file, as a process of its own would have it. */
export async function openWorld(options: WorldOptions, given: WorldHooks = {}): Promise<Runtime> {
  const { folder, leaseMs = 30_000, graceMs = 10_000, clockOffsetMs = 0, withoutVerify = false } = options;
  const { at = () => {}, observe = () => {}, clockShiftMs = () => 0 } = given;
  let commits = 0;
  const hooks = { beforeCommit: () => void at(`commit:${++commits}`) };
  const store = await openSqliteStore({ path: storePath(folder), hooks });
  return openEmbedded({
    path: storePath(folder),
    store: storeWithPlaces(store, at),
    agents: [agentWithPlaces(agentOf(options), { at, ledgerPath: ledgerPath(folder), withoutVerify })],
    clock: { ...systemClock, now: () => systemClock.now() + clockOffsetMs + clockShiftMs() },
    leaseMs,
    graceMs,
    observe(hint) {
      observe(hint);
      visitHint(hint, at);
    },
  });
}

export function agentOf({ agent, folder }: WorldOptions): Agent {
  if (agent === "clerk") return clerk(openPayments(paymentsPath(folder)), fileLedger(ledgerPath(folder)));
  return supportDesk({ data: folder, model: offlineModel(), ledger: ledgerPath(folder) });
}

/** The world's own records of what took place, whatever any log says: what a person looks up. */
export interface Books {
  has(tool: string, idempotencyKey: string): boolean;
  close(): void;
}

export function openBooks({ folder, agent }: WorldOptions): Books {
  if (agent === "clerk") {
    const payments = openPayments(paymentsPath(folder));
    return { has: (_tool, key) => payments.has(key), close: () => {} };
  }
  const shopPath = join(folder, "support-desk", "shop.db");
  const shop = openShop(shopPath);
  const notes = new DatabaseSync(shopPath);
  const note = notes.prepare("SELECT 1 FROM notes WHERE key = ?");
  const outbox = openOutbox(join(folder, "support-desk", "outbox"));
  return {
    has,
    close() {
      notes.close();
      shop.close();
    },
  };

  function has(tool: string, key: string): boolean {
    if (tool === "send_email") return outbox.findSent(key) !== null;
    if (tool === "issue_refund") return shop.findRefund(key) !== null;
    if (tool === "delete_account") return shop.findDeletion(key) !== null;
    if (tool === "add_note") return note.get(key) !== undefined; // in doubt only when every try of it was killed
    if (tool === "find_order") return false; // looking leaves nothing behind
    throw new Error(`the books know nothing of ${tool}`);
  }
}

export interface Mail {
  readonly file: string;
  readonly key: string;
}

/** The example's inbox, so many times over: each copy is a mail of its own. */
export function mailsOf(count: number): readonly Mail[] {
  const files = readdirSync(defaultInbox)
    .filter((name) => name.endsWith(".eml"))
    .sort();
  return Array.from({ length: count }, (_, index) => {
    const file = files[index % files.length] ?? "";
    return { file, key: `${file}#${Math.floor(index / files.length)}` };
  });
}
