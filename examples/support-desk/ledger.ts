import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** What a tool says of one run. Nobody but tests reads it: they count effects that no log could hide. */
export interface LedgerLine {
  readonly tool: string;
  readonly idempotencyKey: string;
  /** `begun` before the effect; then `happened`, or `absorbed` when its key had made it before. */
  readonly phase: "begun" | "happened" | "absorbed";
}

export type Ledger = (line: LedgerLine) => void;

/** A ledger that appends JSON lines to a file; a line is on disk when the call returns. */
export function fileLedger(path: string): Ledger {
  mkdirSync(dirname(path), { recursive: true });
  return (line) => {
    const file = openSync(path, "a");
    try {
      writeSync(file, `${JSON.stringify({ ...line, pid: process.pid })}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  };
}
