import { setTimeout as sleep } from "node:timers/promises";
import { isBusy, storeBusy } from "./sqlite-error.ts";

/**
 * How long to wait before the next try, in milliseconds. A busy writer frees the file for microseconds between its
 * commits, so waiting longer each time starves: with four processes appending without pause, delays that grew to 50 ms
 * cost waits of up to 2.7 s and shares of 1 to 26; these cost 0.3 s at most, and even shares of the same total.
 */
export function busyDelayMs(): number {
  return 1 + Math.random() * 3;
}

/**
 * Runs `action` again while another process has the file locked. The event loop is free in between.
 *
 * @throws `store_busy` after `patienceMs`.
 */
export async function retryWhileBusy<T>(path: string, patienceMs: number, action: () => T): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (performance.now() > giveUpAt) throw storeBusy(path, error);
    }
    await sleep(busyDelayMs());
  }
}
