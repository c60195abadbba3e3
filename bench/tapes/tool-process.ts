import { fork } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Recording } from "./recordings.ts";
import type { LedgerLine } from "./tool-server.ts";

/** Code that is compiled already halves the time of a process's start; tests keep theirs there as well. */
export const compiled: string = join(tmpdir(), "holdpoint-test-compiled");

const script = fileURLToPath(new URL("./tool-server.ts", import.meta.url));

export interface ToolProcess {
  readonly url: string;
  /** What took place so far, read from the file. */
  ledger(): readonly LedgerLine[];
  close(): Promise<void>;
}

/** Starts the tools' process, with its ledger in this folder. */
export async function startTools(folder: string, recordings: readonly Recording[]): Promise<ToolProcess> {
  const recordingsPath = join(folder, "recordings.json");
  const ledgerPath = join(folder, "ledger.jsonl");
  writeFileSync(recordingsPath, JSON.stringify(recordings));
  const child = fork(script, [recordingsPath, ledgerPath], {
    execPath: process.execPath,
    execArgv: ["--disable-warning=ExperimentalWarning"],
    env: { NODE_COMPILE_CACHE: compiled }, // and no settings of whoever runs it
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.once("message", (message) => resolve((message as { readonly url: string }).url)); // the only one it sends
    child.once("exit", (code) => reject(new Error(`the tools' process ended with ${code}`)));
  });
  return {
    url,
    ledger: () => readLedger(ledgerPath),
    async close() {
      child.disconnect();
      await ended;
    },
  };
}

function readLedger(path: string): readonly LedgerLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as LedgerLine); // whole lines of our own
}
