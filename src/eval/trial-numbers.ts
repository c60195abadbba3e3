// What one trial took: the counts of its logs as `stats` takes them, those of called agents' threads added.
import type { ThreadEvent } from "../core/events.ts";
import type { FactKind, ThreadNumbers } from "../core/numbers/facts.ts";
import { recount } from "../core/numbers/thread-numbers.ts";

/** Times in milliseconds by the trial's clock; waits that were passed over are in `wallMs` and `waitingMs`. */
export interface TrialNumbers
  extends Pick<
    ThreadNumbers,
    | "wallMs"
    | "waitingMs"
    | "activeMs"
    | "asked"
    | "modelCalls"
    | "unpricedCalls"
    | "inputTokens"
    | "outputTokens"
  > {
  readonly usd: number;
  readonly overflows: number;
  readonly overflowsPrevented: number;
  /** Critical actions that started; of these, those without approval or flagged, and those without approval. */
  readonly critical: number;
  readonly misoperations: number;
  readonly unapproved: number;
  readonly invalidOutputs: number;
}

/** @param logs - the trial's own thread first, then those it called; one that has not ended adds its facts alone. */
export function trialNumbers(logs: readonly (readonly ThreadEvent[])[]): TrialNumbers {
  const counted = logs.map(recount);
  const facts = counted.flatMap((counts) => counts.facts);
  const count = (kind: FactKind): number => facts.filter((fact) => fact.kind === kind).length;
  const sum = (of: (numbers: ThreadNumbers) => number): number =>
    counted.reduce((total, { ended }) => total + (ended ? of(ended) : 0), 0);
  return {
    wallMs: counted[0]?.ended?.wallMs ?? 0,
    waitingMs: counted[0]?.ended?.waitingMs ?? 0,
    activeMs: sum(({ activeMs }) => activeMs),
    asked: sum(({ asked }) => asked),
    modelCalls: sum(({ modelCalls }) => modelCalls),
    unpricedCalls: sum(({ unpricedCalls }) => unpricedCalls),
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    usd: sum(({ nanoUsd }) => nanoUsd) / 1e9,
    overflows: count("overflow"),
    overflowsPrevented: count("overflow_prevented"),
    critical: count("critical"),
    misoperations: count("misoperation"),
    unapproved: count("critical_unapproved"),
    invalidOutputs: count("invalid_output"),
  };
}
