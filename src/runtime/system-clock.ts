import type { Clock } from "../ports/clock.ts";

/** Longer timers overflow and fire at once (Node's limit). */
const maxTimerMs = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep(ms, signal) {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const onAbort = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
        Math.min(Math.max(0, ms), maxTimerMs),
      );
      signal.addEventListener("abort", onAbort, { once: true });
    });
  },
};
