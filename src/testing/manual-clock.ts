import { setImmediate } from "node:timers/promises";
import type { Clock } from "../ports/clock.ts";

export interface ManualClock extends Clock {
  /**
   * Lets time pass, waking sleepers at their times and in their order. After each it lets code run that was waiting,
   * so that what goes back to sleep is woken again within the same `advance`. It waits for no I/O.
   */
  advance(ms: number): Promise<void>;
  /** Sets what `now` says, also backwards, as when a machine's clock is set: sleepers notice nothing. */
  set(ms: number): void;
  /** How many are asleep. */
  readonly pending: number;
}

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

/** A Clock that stands still until it is told to go on. It starts at `startMs` (default: 2026-01-01, UTC). */
export function manualClock(startMs: number = Date.UTC(2026, 0, 1)): ManualClock {
  const sleepers: Sleeper[] = []; // soonest first; of equals, the one that came first
  let elapsed = 0; // what sleepers go by: it never goes backwards
  let offset = startMs;

  function insert(sleeper: Sleeper): void {
    const later = sleepers.findLastIndex((other) => other.dueAt <= sleeper.dueAt) + 1;
    sleepers.splice(later, 0, sleeper);
  }

  function remove(sleeper: Sleeper): void {
    const index = sleepers.indexOf(sleeper);
    if (index >= 0) sleepers.splice(index, 1);
  }

  return {
    now: () => elapsed + offset,
    sleep(ms, signal) {
      if (signal.aborted || ms <= 0) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = (): void => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        };
        const sleeper: Sleeper = { dueAt: elapsed + ms, wake };
        const onAbort = (): void => {
          remove(sleeper);
          resolve();
        };
        signal.addEventListener("abort", onAbort, { once: true });
        insert(sleeper);
      });
    },
    async advance(ms) {
      const until = elapsed + ms;
      await setImmediate(); // what was just started may be on its way to sleep
      for (let next = sleepers[0]; next && next.dueAt <= until; next = sleepers[0]) {
        elapsed = Math.max(elapsed, next.dueAt);
        const due = sleepers.findIndex((sleeper) => sleeper.dueAt > elapsed);
        for (const sleeper of sleepers.splice(0, due < 0 ? sleepers.length : due)) sleeper.wake();
        await setImmediate();
      }
      elapsed = Math.max(elapsed, until);
    },
    set(ms) {
      offset = ms - elapsed;
    },
    get pending() {
      return sleepers.length;
    },
  };
}
