import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { BenchTool } from "./peer.ts";

const oneKilobyte = "x".repeat(1_000);

/** Reads: 1 KB at once, or as much as it is told. */
export function lookTool(text = oneKilobyte, seen: unknown[] = []): BenchTool {
  return {
    name: "look",
    description: "Looks at a page.",
    input: z.strictObject({ page: z.number() }),
    needsApproval: false,
    async run(args) {
      seen.push(args);
      return text;
    },
  };
}

/** What was done to the world, one line an effect, durable before the tool returns. */
export interface Ledger {
  write(entry: string): void;
  entries(): readonly string[];
}

export function openLedger(folder: string): Ledger {
  const path = join(folder, "effects.txt");
  return {
    write(entry) {
      const file = openSync(path, "a");
      writeSync(file, `${entry}\n`);
      fsyncSync(file);
      closeSync(file);
    },
    entries: () => (existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : []),
  };
}

/** Half the time before the effect, half after it: a kill falls on either side. */
const halfOfEffectMs = 8;

/** Writes the effect down, as a payment service would. Its arguments name run and number. */
export function payTool(ledger: Ledger): BenchTool {
  const entryOf = ({ run, number }: Readonly<Record<string, unknown>>) => `${run}:${number}`;
  return {
    name: "pay",
    description: "Pays.",
    input: z.strictObject({ run: z.string(), number: z.number() }),
    needsApproval: false,
    async run(args) {
      await sleep(halfOfEffectMs);
      ledger.write(entryOf(args));
      await sleep(halfOfEffectMs);
      return "paid";
    },
    happened: (args) => ledger.entries().includes(entryOf(args)),
  };
}

/** Sends, once a person has approved it. */
export function sendTool(onRun: () => void): BenchTool {
  return {
    name: "send",
    description: "Sends.",
    input: z.strictObject({ to: z.string() }),
    needsApproval: true,
    async run() {
      onRun();
      await sleep(20); // as a mail server takes: who comes meanwhile finds the action under way
      return "sent";
    },
  };
}
