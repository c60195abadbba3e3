// The hash chain. link(0) = SHA-256(threadId); link(n) = SHA-256(link(n-1) ‖ newline ‖ n ‖ newline ‖ text of event n),
// each link as 64 hex digits. A changed, moved, removed or inserted event breaks the chain at its place.
// Strings, not bytes: one call of `hash` per event costs half of what a Hash object does, and any tool can check it.
import { hash } from "node:crypto";

/** The link before the first event. */
export function chainStart(threadId: string): string {
  return hash("sha256", threadId);
}

export function chainNext(previous: string, seq: number, text: string): string {
  return hash("sha256", `${previous}\n${seq}\n${text}`);
}
