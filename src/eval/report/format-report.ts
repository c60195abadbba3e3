import { visible } from "../../core/visible.ts";

/** Text from outside, with nothing in it that would not be seen, or would turn what follows around. */
export function shownText(text: string): string {
  return visible(text);
}

export function formatShare(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function formatUsd(usd: number): string {
  return `$${usd === 0 || usd >= 1 ? usd.toFixed(2) : usd.toPrecision(2)}`;
}

/** `12 ms`, `3.2 s`, `4.0 min`, `3.3 h`, `7.0 d`. */
export function formatMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${(ms / 60_000).toFixed(1)} min`;
  return ms < 86_400_000 ? `${(ms / 3_600_000).toFixed(1)} h` : `${(ms / 86_400_000).toFixed(1)} d`;
}

/** A whole number with its sign. */
export function signed(value: number): string {
  const whole = Math.round(value);
  if (whole === 0) return "0";
  return `${whole > 0 ? "+" : "−"}${Math.abs(whole).toLocaleString("en")}`;
}
