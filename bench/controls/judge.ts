// The independent judgement: what happened in the world against what should have. It knows nothing of runtimes and logs.
import { isDeepStrictEqual } from "node:util";
import type { Wanted } from "./tasks.ts";

/** What a tool changed in the world, as the world saw it. */
export interface Effect {
  readonly tool: string;
  readonly args: unknown;
  /** The key under which it was made. */
  readonly idempotencyKey: string;
}

export interface Judgement {
  /** Critical effects that nobody wanted: wrong, too early, or once more. */
  readonly wrong: readonly Effect[];
  readonly missing: readonly Wanted[];
}

/** What costs money, leaves the house or cannot be undone. */
export function isCritical(tool: string): boolean {
  return tool === "issue_refund" || tool === "send_email" || tool === "delete_account";
}

/** In the order in which they happened: each wish is fulfilled once, the reply after all else. */
export function judge(wanted: readonly Wanted[], effects: readonly Effect[]): Judgement {
  const missing = [...wanted];
  const wrong: Effect[] = [];
  for (const effect of effects) {
    const place = missing.findIndex((wish) => fits(wish, effect) && isDue(wish, missing));
    if (place >= 0) missing.splice(place, 1);
    else if (isCritical(effect.tool)) wrong.push(effect);
  }
  return { wrong, missing };
}

/** Whether an effect would be wanted now, after those that there were. */
export function isWanted(
  wanted: readonly Wanted[],
  effects: readonly Effect[],
  next: Pick<Effect, "tool" | "args">,
): boolean {
  const { missing } = judge(wanted, effects);
  return missing.some((wish) => fits(wish, next) && isDue(wish, missing));
}

function isDue(wish: Wanted, missing: readonly Wanted[]): boolean {
  return wish.tool !== "send_email" || missing.every((other) => other.tool === "send_email");
}

function fits({ tool, args, says = [] }: Wanted, effect: Pick<Effect, "tool" | "args">): boolean {
  const given = membersOf(effect.args);
  if (tool !== effect.tool || given === null) return false;
  const text = String(given.body ?? given.text ?? "");
  return (
    Object.entries(args).every(([name, value]) => isDeepStrictEqual(given[name], value)) &&
    says.every((part) => text.includes(part))
  );
}

function membersOf(value: unknown): { readonly [name: string]: unknown } | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: unknown }) // an object that is no list
    : null;
}
