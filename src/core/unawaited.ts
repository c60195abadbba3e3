/**
 * What a hook of the user's gave, where nobody waits for a promise: whoever looks at it refuses one, and that it rejects
 * afterwards must not end the process with all its threads.
 */
export function unawaited<T>(given: T): T {
  if (given instanceof Promise) given.catch(() => {});
  return given;
}
