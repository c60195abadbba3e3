// How a child process tells its test what it does: JSON lines on descriptor 3, written before the code goes on. What was
// reported before a SIGKILL is therefore with the test, and what was not may not have happened.
import { writeSync } from "node:fs";
import type { Hint, ThreadEvent } from "../../src/index.ts";

export type Report =
  | { readonly kind: "ready"; readonly pid: number; readonly owner: string }
  /** The store said that these are on the disk. */
  | { readonly kind: "appended"; readonly threadId: string; readonly events: readonly ThreadEvent[] }
  | { readonly kind: "performing"; readonly threadId: string; readonly key: string }
  | { readonly kind: "problem"; readonly threadId: string; readonly code: string; readonly message: string }
  /** It stopped or waits at this place. */
  | { readonly kind: "at"; readonly place: string }
  /** What became of a command. */
  | { readonly kind: "result"; readonly id: number; readonly value: unknown };

const descriptor = 3;

/** Returns when the other side, or its buffer in the kernel, has all of it. */
export function report(value: Report): void {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let sent = 0; sent < bytes.length; ) sent += writeSync(descriptor, bytes, sent);
}

/** The runtime's hints as reports. */
export function reportHint(hint: Hint): void {
  if (hint.kind === "problem") report({ kind: "problem", threadId: hint.threadId, ...describe(hint.error) });
  else if (hint.kind !== "progress") report(hint);
}

/** Of an error, or of what the runtime made of one. */
export function describe(error: unknown): { readonly code: string; readonly message: string } {
  const {
    code = "none",
    message = String(error),
    stack,
  } = error as Partial<Record<"code" | "message" | "stack", string>>;
  return { code, message: code === "none" ? (stack ?? message) : message };
}
