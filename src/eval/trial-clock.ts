import type { Clock } from "../ports/clock.ts";

/** Time as a trial sees it: real, but for waits that nothing happens in, which are passed over. */
export interface TrialClock extends Clock {
  /** Goes on to a time (milliseconds since the epoch) at once, and wakes who sleeps until then. Never backwards. */
  skipTo(ms: number): void;
}

/** @param base - passes real time. @param startMs - what the clock says now. */
export function trialClock(base: Clock, startMs: number): TrialClock {
  const began = base.now();
  const sleepers = new Map<AbortController, number>();
  let skipped = 0;
  const now = (): number => startMs + (base.now() - began) + skipped;
  return {
    now,
    async sleep(ms, signal) {
      if (signal.aborted || ms <= 0) return;
      const woken = new AbortController();
      const onAbort = (): void => woken.abort("the sleeper's own signal");
      signal.addEventListener("abort", onAbort, { once: true });
      sleepers.set(woken, now() + ms);
      await base.sleep(ms, woken.signal);
      sleepers.delete(woken);
      signal.removeEventListener("abort", onAbort);
    },
    skipTo(ms) {
      skipped += Math.max(0, ms - now());
      for (const [woken, dueAt] of sleepers) if (dueAt <= now()) woken.abort("its time was passed over");
    },
  };
}
