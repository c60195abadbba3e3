/** `2026-11-24 13:42:56 UTC`, of an ISO time: what people need of it, the same on every machine. */
export function utcTime(at: string): string {
  return `${at.slice(0, 19).replace("T", " ")} UTC`;
}
