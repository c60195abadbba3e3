import { type HoldpointError, isHoldpointError } from "../core/errors.ts";

/** An error, or the cause of it that others have wrapped, that `is` one: the SDK wraps what its `fetch` throws. */
export function findCause<T>(error: unknown, is: (error: unknown) => error is T): T | undefined {
  let cause = error;
  for (let depth = 0; depth < 8; depth += 1) {
    if (is(cause)) return cause;
    if (!(cause instanceof Error)) return undefined;
    cause = cause.cause;
  }
  return undefined;
}

export function isOurs(error: unknown): error is HoldpointError {
  return isHoldpointError(error);
}
