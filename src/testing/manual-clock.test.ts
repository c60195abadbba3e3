import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { manualClock } from "./manual-clock.ts";

const never = new AbortController().signal;

test("wakes sleepers at their times, soonest first, of equals the one that came first", async () => {
  const clock = manualClock(1_000);
  const woken: string[] = [];
  const sleep = (name: string, ms: number): Promise<void> =>
    clock.sleep(ms, never).then(() => void woken.push(`${name}@${clock.now()}`));
  const all = [sleep("late", 300), sleep("soon", 100), sleep("soon too", 100), sleep("last", 301)];
  expect(clock.pending).toBe(4);
  await clock.advance(99);
  expect(woken).toEqual([]);
  await clock.advance(201);
  expect(woken).toEqual(["soon@1100", "soon too@1100", "late@1300"]);
  await clock.advance(1);
  await Promise.all(all);
  expect(clock.pending).toBe(0);
});

test("one advance carries a loop that sleeps again and again", async () => {
  const clock = manualClock(0);
  const at: number[] = [];
  const loop = (async () => {
    for (let index = 0; index < 4; index += 1) {
      await clock.sleep(250, never);
      at.push(clock.now());
    }
  })();
  await clock.advance(1_000);
  await loop;
  expect(at).toEqual([250, 500, 750, 1_000]);
});

test("setting the clock changes the time, and wakes nobody", async () => {
  const clock = manualClock(10_000);
  let awake = false;
  const sleeping = clock.sleep(100, never).then(() => {
    awake = true;
  });
  clock.set(5_000);
  await clock.advance(99);
  expect([clock.now(), awake]).toEqual([5_099, false]);
  clock.set(1_000_000);
  await clock.advance(0);
  expect(awake).toBe(false);
  await clock.advance(1);
  await sleeping;
  expect(clock.now()).toBe(1_000_001);
});

test("an abort ends a sleep, and no listener is left on its signal", async () => {
  const clock = manualClock();
  const controller = new AbortController();
  const listeners = (): number => getEventListeners(controller.signal, "abort").length;
  const aborted = clock.sleep(1_000, controller.signal);
  const slept = clock.sleep(10, controller.signal);
  await clock.advance(10);
  await slept;
  expect(listeners()).toBe(1);
  controller.abort();
  await aborted;
  expect([clock.pending, listeners()]).toEqual([0, 0]);
  await clock.sleep(1_000, controller.signal);
});

test("no time to sleep is no sleep", async () => {
  const clock = manualClock();
  await clock.sleep(0, never);
  await clock.sleep(-5, never);
  expect(clock.pending).toBe(0);
});
