import { describe, expect, test } from "vitest";
import { type LocalDispatcherOptions, localDispatcher } from "../../src/dispatch/local.ts";
import { dispatcherCases, type OpenedDispatcher } from "../../src/testing/dispatcher-contract.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";

function open(options: Omit<LocalDispatcherOptions, "clock"> = {}): OpenedDispatcher {
  const clock = manualClock();
  return {
    dispatcher: localDispatcher({ clock, ...options }),
    advance: clock.advance,
    retryWithinMs: 60_000,
  };
}

describe("the local dispatcher keeps the contract", () => {
  for (const { name, run } of dispatcherCases) test(name, () => run(open));
});

describe("the local dispatcher keeps the contract with few lanes", () => {
  for (const { name, run } of dispatcherCases) test(name, () => run(() => open({ concurrency: 3 })));
});

describe("the local dispatcher", () => {
  test("handles no more threads at a time than it may, also when handlers send", async () => {
    const { dispatcher } = open({ concurrency: 2 });
    let running = 0;
    let most = 0;
    const last = Promise.withResolvers<void>();
    dispatcher.consume(async (threadId) => {
      running += 1;
      most = Math.max(most, running);
      const next = Number(threadId) + 1;
      if (next < 5_000)
        void dispatcher.send(String(next), { id: "m" }); // on the stack of the handler
      else last.resolve();
      await Promise.resolve();
      running -= 1;
    });
    await dispatcher.send("0", { id: "m" });
    await last.promise;
    await dispatcher.close();
    expect(most).toBeLessThanOrEqual(2);
  });

  test("waits longer after each failure, a minute at most", async () => {
    const clock = manualClock();
    const dispatcher = localDispatcher({ clock, retryMs: 1_000 });
    const at: number[] = [];
    dispatcher.consume(() => {
      at.push(clock.now());
      throw new Error("always");
    });
    await dispatcher.send("t", { id: "m" });
    await clock.advance(200_000);
    const waits = at.map((time, index) => (time - (at[index - 1] ?? time)) / 1_000);
    expect(waits).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60]);
    await dispatcher.close();
  });

  test("leaves no timers behind when it is closed", async () => {
    const clock = manualClock();
    const dispatcher = localDispatcher({ clock });
    for (let index = 0; index < 10_000; index += 1)
      await dispatcher.send(`t${index}`, { id: "m" }, { delayMs: 1_000 + index });
    expect(clock.pending).toBe(10_000);
    await dispatcher.close();
    expect(clock.pending).toBe(0);
  });
});
