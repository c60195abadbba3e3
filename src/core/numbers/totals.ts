// What is counted of all threads that there are, by agent: for metrics, which are asked for often.
import type { FactKind } from "./facts.ts";

/** How many values were at most as long as each bound of its kind, and all of them. */
export interface TimeTotals {
  readonly counts: readonly number[];
  readonly count: number;
  /** Milliseconds. */
  readonly sumMs: number;
}

/** Upper bounds in milliseconds. Work is short; waiting for people takes hours, and threads days. */
export const timeBounds = {
  activeMs: [500, 1_000, 5_000, 15_000, 60_000, 300_000, 1_800_000],
  wallMs: [1_000, 10_000, 60_000, 600_000, 3_600_000, 14_400_000, 86_400_000, 604_800_000],
  waitingMs: [1_000, 10_000, 60_000, 600_000, 3_600_000, 14_400_000, 86_400_000, 604_800_000],
  answerMs: [60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000, 604_800_000],
} as const;

export type TimeName = keyof typeof timeBounds;

/** Of threads that ended. Times, calls, tokens and cost are those of their whole life. */
export interface EndedTotals {
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Of the completed ones: not accepted by the agent's own check. */
  readonly notAccepted: number;
  readonly modelCalls: number;
  readonly unpricedCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number;
}

export interface AgentTotals {
  readonly agent: string;
  /** `null` when none has ended. */
  readonly ended: EndedTotals | null;
  readonly facts: ReadonlyMap<FactKind, number>;
  readonly times: ReadonlyMap<TimeName, TimeTotals>;
  readonly openRequests: number;
  /** ISO 8601, UTC; `null` when none is open. */
  readonly oldestOpenAt: string | null;
}
