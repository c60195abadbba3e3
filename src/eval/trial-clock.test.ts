import { expect, it } from "vitest";
import { manualClock } from "../testing/manual-clock.ts";
import { trialClock } from "./trial-clock.ts";

const { signal } = new AbortController();

it("goes on in real time from where it starts, and passes over waits", async () => {
  const real = manualClock();
  const clock = trialClock(real, Date.UTC(2020, 0, 1));
  const woken: string[] = [];
  void clock.sleep(1_000, signal).then(() => woken.push("a second"));
  void clock.sleep(7 * 86_400_000, signal).then(() => woken.push("a week"));
  await real.advance(1_000);
  expect(woken).toEqual(["a second"]);
  expect(clock.now()).toBe(Date.UTC(2020, 0, 1, 0, 0, 1));
  clock.skipTo(Date.UTC(2020, 0, 8));
  await real.advance(0);
  expect(woken).toEqual(["a second", "a week"]);
  clock.skipTo(Date.UTC(2020, 0, 1));
  expect(clock.now()).toBe(Date.UTC(2020, 0, 8)); // never backwards
  expect(real.pending).toBe(0);
});
