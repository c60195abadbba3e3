import { setTimeout as sleep } from "node:timers/promises";
import { isBusy, storeBusy } from "./sqlite-error.ts";

/** How long to wait before try number `attempt` (from 0), in milliseconds: short at first, at most 50, jittered. */
export function busyDelayMs(attempt: number): number {
  return 1 + Math.random() * Math.min(2 ** attempt, 50);
}

/**
 * Runs `action` again while another process has the file locked. The event loop is free in between.
 *
 * @throws `store_busy` after `patienceMs`.
 */
export async function retryWhileBusy<T>(path: string, patienceMs: number, action: () => T): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return action();
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (performance.now() > giveUpAt) throw storeBusy(path, error);
    }
    await sleep(busyDelayMs(attempt));
  }
}
