import { HoldpointError } from "./errors.ts";

/** Milliseconds, or a number with a unit: `250ms`, `30s`, `10m`, `4h`, `7d`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const unitMs: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A duration in milliseconds. @throws `usage` for anything else, or a negative one. */
export function durationMs(duration: Duration): number {
  const match = typeof duration === "string" ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) : null;
  const ms = match ? Number(match[1]) * (unitMs[match[2] ?? ""] ?? Number.NaN) : Number(duration);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw new HoldpointError("usage", `"${duration}" is not a duration`, {
    fix: "Write 250ms, 30s, 10m, 4h, 7d, or milliseconds.",
  });
}
