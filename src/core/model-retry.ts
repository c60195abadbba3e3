// After a failed model call: the next model of the list at once, and all of them again after a wait, a bounded number
// of times. What is next follows from the log alone, so it survives the worker.

import type { Comeback } from "./state.ts";

/** Which of `models` is asked, when so many calls of this decision have failed: in order, round after round. */
export function modelIndex(failures: number, models: number): number {
  return failures % models;
}

export type NextTry =
  /** Another model is next, and need not wait for this one's trouble. */
  | { readonly kind: "now" }
  /** Every model failed once more, for the `round`-th time (from 1). */
  | {
      readonly kind: "later";
      readonly round: number;
      /** The earliest time at which one of them comes back; `null` when one may any moment. */
      readonly at: string | null;
    }
  | { readonly kind: "never" };

export interface ModelFailures {
  /** Failed calls of this decision so far, with this one. */
  readonly failures: number;
  readonly models: number;
  /** How often the whole list is tried again. */
  readonly mostRounds: number;
  /** Of this decision's failures, those that may be gone at another time, with when. */
  readonly comebacks: readonly Comeback[];
}

export function afterModelFailure({ failures, models, mostRounds, comebacks }: ModelFailures): NextTry {
  if (failures % models !== 0) return { kind: "now" };
  const round = failures / models;
  const ofRound = comebacks.filter(({ failure }) => failure > failures - models).map(({ at }) => at);
  if (ofRound.length === 0 || round > mostRounds) return { kind: "never" };
  const times = ofRound.filter((at) => at !== null);
  return { kind: "later", round, at: times.length < ofRound.length ? null : (times.sort()[0] ?? null) };
}
