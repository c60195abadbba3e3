import type { FactKind, ThreadNumbers } from "../core/numbers/facts.ts";
import type { AgentTotals } from "../core/numbers/totals.ts";

/** Times in milliseconds since the epoch: what counted from `from` on, and before `until`. */
export interface NumbersQuery {
  readonly from: number;
  readonly until: number;
  readonly agent?: string;
}

/** Whose thread it was. */
export interface CountedAgent {
  readonly agent: string;
  readonly agentVersion: string;
}

export interface CountedThread extends CountedAgent, ThreadNumbers {}

/** How many facts of a kind there were on a day. */
export interface FactCount extends CountedAgent {
  /** Days since the epoch, in UTC. */
  readonly day: number;
  readonly kind: FactKind;
  readonly count: number;
}

/** How long one request was open until a person decided it. */
export interface CountedAnswer extends CountedAgent {
  readonly day: number;
  readonly openMs: number;
}

export interface CountedNumbers {
  /** Those that ended in the period. */
  readonly threads: readonly CountedThread[];
  readonly facts: readonly FactCount[];
  readonly answers: readonly CountedAnswer[];
}

/**
 * What the statistics are made of: a projection, equal to a recount of all logs (I2). What leaks through: as with `Store`,
 * it may reject with `store_busy` or `store_unavailable`.
 */
export interface NumbersStore {
  /** One state of the store, whatever others append meanwhile. */
  read(query: NumbersQuery): Promise<CountedNumbers>;
  /** Sums over all threads that the store has, each agent by itself. */
  totals(): Promise<readonly AgentTotals[]>;
}
