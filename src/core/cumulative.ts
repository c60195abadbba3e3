// I5. Limits over several actions. What an action adds is fixed when it starts, in its `action_started`, so that the sums
// follow from the log alone (I2): of one thread from its state, of a day from a projection over all threads.
//
// C1. What has started counts, whatever became of it: an action that failed, or is in doubt, may have happened.
// C2. What a person approved counts, too, and starts also above the limit.
import type { Count, GateOutcome } from "./events.ts";
import type { GatedAction } from "./gate.ts";
import type { Json } from "./json.ts";
import { checkNames, invalidRule, type ToolPattern, toolMatcher } from "./rule.ts";

/** A limit on the sum of an amount over actions, counted from the log. */
export interface CumulativeLimit<Args = Json> {
  /** Names the sum: limits per day of the same name, also of other agents in the store, count together. */
  readonly name: string;
  readonly tool: ToolPattern<Args>;
  /** Over one thread, or over all threads of the store on one day (UTC, by the time of the start). */
  readonly per: "thread" | "day";
  /** The largest sum that needs nobody. In the unit of `amount`. */
  readonly max: number;
  /** What becomes of an action that would go beyond it. Default `hold`. */
  readonly outcome?: "hold" | "deny";
  /**
   * What an action adds: a whole number from 0 to 10^12, in a unit that has no fractions (cents). Anything else holds the
   * action. Pure. A method, so that it may name the arguments that its tool takes.
   */
  amount(args: Args): number;
}

/** A limit whose `amount` knows the arguments of its tool: `cumulative({ tool: issueRefund, amount: (args) => args.cents, … })`. */
export function cumulative<Args = Json>(limit: CumulativeLimit<Args>): CumulativeLimit {
  return limit as unknown as CumulativeLimit; // a tool's limit is asked about this tool only, whose input validated the arguments
}

/** What an action would add to one limit; `amount` is `null` where that is no number that can be counted. */
export interface Counted {
  readonly limit: CumulativeLimit;
  readonly amount: number | null;
}

/** Sums of such amounts stay exact in a store, which has 64 bits for them, for millions of actions a day. */
const maxAmount = 1e12;

export function isAmount(amount: unknown): amount is number {
  return Number.isSafeInteger(amount) && (amount as number) >= 0 && (amount as number) <= maxAmount;
}

/** @returns what an action adds to each limit that it is of. @throws `agent_invalid` for a limit that cannot be one. */
export function readLimits(limits: readonly CumulativeLimit[]): (action: GatedAction) => readonly Counted[] {
  if (!Array.isArray(limits)) throw invalidRule("cumulative", "is no list");
  const read = limits.map((limit, index) => {
    checkLimit(limit, `limit ${index + 1}`);
    return { limit, isItsTool: toolMatcher(limit.tool) };
  });
  const twice = limits.find(({ name }, index) => limits.findIndex((other) => other.name === name) !== index);
  if (twice) throw invalidRule(`limit "${twice.name}"`, "is there twice; give each a name of its own");
  return ({ tool, args }) =>
    read.flatMap(({ limit, isItsTool }) =>
      isItsTool(tool) ? [{ limit, amount: amountOf(limit, args) }] : [],
    );
}

function amountOf(limit: CumulativeLimit, args: Json): number | null {
  try {
    const amount: unknown = limit.amount(args);
    if (amount instanceof Promise) amount.catch(() => {}); // nobody waits for it
    return isAmount(amount) ? amount : null;
  } catch {
    return null;
  }
}

/**
 * What the limits say of an action that the rest of the gate allows.
 *
 * @param totalOf - the sum so far.
 */
export function judgeCounted(
  counted: readonly Counted[],
  totalOf: (limit: CumulativeLimit) => number,
): GateOutcome {
  const refusals = counted.flatMap(({ limit, amount }) => refusalBy(limit, amount, totalOf(limit)));
  return refusals.find(({ kind }) => kind === "deny") ?? refusals[0] ?? { kind: "allow" };
}

function refusalBy(limit: CumulativeLimit, amount: number | null, total: number): readonly GateOutcome[] {
  const { name, per, max, outcome = "hold" } = limit;
  if (amount === null)
    return [{ kind: "hold", reason: `its amount for "${name}" is no whole number from 0 to ${maxAmount}` }];
  if (amount === 0 || total + amount <= max) return [];
  const when = per === "day" ? "today" : "in this thread";
  const reason = `${amount} more would bring "${name}" to ${total + amount} ${when}, over ${max}`;
  return [{ kind: outcome, reason }];
}

/** What `action_started` records of it. */
export function countsOf(counted: readonly Counted[]): readonly Count[] {
  return counted.flatMap(({ limit: { name, per }, amount }) => (amount ? [{ name, per, amount }] : []));
}

/** The day that something counts on, of a time in ISO 8601, UTC. */
export function dayOf(at: string): string {
  return at.slice(0, 10);
}

const members = new Set(["name", "tool", "per", "max", "outcome", "amount"]);

function checkLimit(limit: CumulativeLimit, place: string): void {
  if (typeof limit !== "object" || limit === null) throw invalidRule(place, "is no object");
  const { name, per, max, outcome = "hold" } = limit;
  const stray = Object.keys(limit).find((member) => !members.has(member));
  if (stray !== undefined) throw invalidRule(place, `has an unknown member ${JSON.stringify(stray)}`);
  if (typeof name !== "string" || !/^[\w .-]{1,64}$/.test(name))
    throw invalidRule(place, "needs a name of 1 to 64 letters, digits, spaces, dots, _ and -");
  if (limit.tool === undefined) throw invalidRule(place, "names no tool");
  checkNames(place, "tool", limit.tool);
  if (per !== "thread" && per !== "day") throw invalidRule(place, "is neither per thread nor per day");
  if (!Number.isFinite(max) || max < 0) throw invalidRule(place, "has no max from 0");
  if (outcome !== "hold" && outcome !== "deny") throw invalidRule(place, "neither holds nor denies");
  if (typeof limit.amount !== "function") throw invalidRule(place, "has an amount that is no function");
}
