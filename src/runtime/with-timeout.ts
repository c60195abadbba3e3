import type { Clock } from "../ports/clock.ts";

/** How a piece of foreign code ended. */
export type Ended<T> =
  | { readonly kind: "returned"; readonly value: T }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "timeout" }
  /** It was told to stop, and either threw or did not come back. */
  | { readonly kind: "aborted" };

/** For code that waits for its turn before it starts: that time does not count. */
export interface Deadline {
  stop(): void;
  /** Gives the whole time again. */
  start(): void;
}

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
  run: (signal: AbortSignal, deadline: Deadline) => T | Promise<T>,
): Promise<Ended<T>> {
  if (signal.aborted) return { kind: "aborted" };
  const inner = new AbortController();
  const timer = createTimer(clock, timeoutMs);
  try {
    const returned = run(inner.signal, timer);
    if (!isThenable(returned)) return { kind: "returned", value: returned }; // it has ended: no deadline to keep
    return await race(clock, timer, signal, inner, returned);
  } catch (error) {
    return { kind: "threw", error };
  } finally {
    timer.end();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

interface Timer extends Deadline {
  readonly timeoutMs: number;
  /** From here on the deadline is kept, unless it was stopped before. */
  begin(onDeadline: () => void): void;
  /** What it was for has ended: nothing starts it again. */
  end(): void;
}

function createTimer(clock: Clock, timeoutMs: number): Timer {
  let running: AbortController | null = null;
  let isStopped = false;
  let isOver = false;
  let onDeadline: () => void = () => {};

  function start(): void {
    if (isOver) return;
    isStopped = false;
    running?.abort("again");
    const timer = new AbortController();
    running = timer;
    void clock.sleep(timeoutMs, timer.signal).then(() => {
      if (!timer.signal.aborted) onDeadline();
    });
  }

  function stop(): void {
    isStopped = true;
    running?.abort("stopped"); // a reason of its own: the default one is an error with a stack, made anew each time
  }

  return {
    timeoutMs,
    start,
    stop,
    begin(call) {
      onDeadline = call;
      if (!isStopped && running === null) start();
    },
    end() {
      isOver = true;
      stop();
    },
  };
}

function race<T>(
  clock: Clock,
  timer: Timer,
  signal: AbortSignal,
  inner: AbortController,
  running: PromiseLike<T>,
): Promise<Ended<T>> {
  return new Promise((resolve) => {
    let grace: AbortController | null = null;
    let over = false;

    const finish = (ended: Ended<T>): void => {
      if (over) return;
      over = true;
      signal.removeEventListener("abort", onAbort);
      grace?.abort("over");
      resolve(ended);
    };
    const onAbort = (): void => {
      inner.abort(signal.reason);
      grace = new AbortController();
      void clock.sleep(abandonAfterMs, grace.signal).then(() => finish({ kind: "aborted" }));
    };
    const onDeadline = (): void => {
      if (over) return;
      finish({ kind: "timeout" });
      inner.abort(new DOMException(`no answer within ${timer.timeoutMs} ms`, "TimeoutError"));
    };

    signal.addEventListener("abort", onAbort, { once: true });
    timer.begin(onDeadline);
    running.then(
      (value) => finish({ kind: "returned", value }),
      (error: unknown) => finish(inner.signal.aborted ? { kind: "aborted" } : { kind: "threw", error }),
    );
  });
}
