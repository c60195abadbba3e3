import { type Schema, type Validation, validate } from "../core/schema.ts";
import type { Clock } from "../ports/clock.ts";
import { withTimeout } from "./with-timeout.ts";

/** A schema may look things up (`refine` with a promise); one that takes longer than this hangs. */
export const validationTimeoutMs = 10_000;

/** Validates a value, for a tool, an answer, an input. */
export type Validate = (schema: Schema, value: unknown) => Promise<Validation>;

/**
 * `validate` under a deadline and a signal (I12), since a schema may run any code. A schema that gives no answer in time
 * refuses the value. What ends it is no matter of the schema: its promise is left behind.
 *
 * @throws the signal's reason, when it is aborted first.
 */
export function validateWithin(clock: Clock, signal: AbortSignal): Validate {
  return async (schema, value) => {
    const ended = await withTimeout(clock, validationTimeoutMs, signal, () => validate(schema, value));
    switch (ended.kind) {
      case "returned":
        return ended.value;
      case "threw":
        throw ended.error;
      case "timeout":
        return { ok: false, why: `its schema gave no verdict within ${validationTimeoutMs} ms` };
      case "aborted":
        throw signal.reason;
      default:
        return ended satisfies never;
    }
  };
}
