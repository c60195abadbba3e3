// After a failed model call: the next model of the list at once, and all of them again after a wait, a bounded number
// of times. What is next follows from the log alone, so it survives the worker.

/** Which of `models` is asked, when so many calls of this decision have failed: in order, round after round. */
export function modelIndex(failures: number, models: number): number {
  return failures % models;
}

export type NextTry =
  /** Another model is next, and need not wait for this one's trouble. */
  | { readonly kind: "now" }
  /** Every model failed once more, for the `round`-th time (from 1). */
  | { readonly kind: "later"; readonly round: number }
  | { readonly kind: "never" };

export interface ModelFailures {
  /** Failed calls of this decision so far, with this one. */
  readonly failures: number;
  readonly models: number;
  /** How often the whole list is tried again. */
  readonly mostRounds: number;
  /** One of the last round's failures may be gone at another time. */
  readonly anyRetryable: boolean;
}

export function afterModelFailure({ failures, models, mostRounds, anyRetryable }: ModelFailures): NextTry {
  if (failures % models !== 0) return { kind: "now" };
  const round = failures / models;
  return anyRetryable && round <= mostRounds ? { kind: "later", round } : { kind: "never" };
}
