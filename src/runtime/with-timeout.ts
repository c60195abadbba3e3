import type { Clock } from "../ports/clock.ts";

/** How a piece of foreign code ended. */
export type Ended<T> =
  | { readonly kind: "returned"; readonly value: T }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "timeout" }
  /** It was told to stop, and either threw or did not come back. */
  | { readonly kind: "aborted" };

/** How long code may take to come back after it was told to stop. */
const abandonAfterMs = 1_000;

/**
 * Runs foreign code under a deadline and a signal. It never rejects and never hangs: code that heeds neither is left
 * behind, and whatever it does later is ignored.
 */
export async function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
  run: (signal: AbortSignal) => T | Promise<T>,
): Promise<Ended<T>> {
  if (signal.aborted) return { kind: "aborted" };
  const inner = new AbortController();
  try {
    const returned = run(inner.signal);
    if (!isThenable(returned)) return { kind: "returned", value: returned }; // it has ended: no deadline to keep
    return await race(clock, timeoutMs, signal, inner, returned);
  } catch (error) {
    return { kind: "threw", error };
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function race<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
  inner: AbortController,
  running: PromiseLike<T>,
): Promise<Ended<T>> {
  return new Promise((resolve) => {
    const timers = new AbortController();
    let over = false;

    const finish = (ended: Ended<T>): void => {
      if (over) return;
      over = true;
      signal.removeEventListener("abort", onAbort);
      timers.abort(ended.kind); // a reason of its own: the default one is an error with a stack, made anew each time
      resolve(ended);
    };
    const onAbort = (): void => {
      inner.abort(signal.reason);
      void clock.sleep(abandonAfterMs, timers.signal).then(() => finish({ kind: "aborted" }));
    };
    const onDeadline = (): void => {
      if (over) return;
      finish({ kind: "timeout" });
      inner.abort(new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError"));
    };

    signal.addEventListener("abort", onAbort, { once: true });
    void clock.sleep(timeoutMs, timers.signal).then(onDeadline);
    running.then(
      (value) => finish({ kind: "returned", value }),
      (error: unknown) => finish(inner.signal.aborted ? { kind: "aborted" } : { kind: "threw", error }),
    );
  });
}
