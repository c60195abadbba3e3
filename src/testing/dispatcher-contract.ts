// What every dispatcher must do, as cases for any test framework:
//   for (const { name, run } of dispatcherCases) test(name, () => run(open));
// No case waits for the wall clock: one that does not end has failed, by the framework's time limit.
import assert from "node:assert/strict";
import type { Dispatcher, Message, MessageHandler } from "../ports/dispatcher.ts";

/** A dispatcher with nothing in it, and its time. */
export interface OpenedDispatcher {
  readonly dispatcher: Dispatcher;
  /** Lets this much of the dispatcher's time pass, and what is due be delivered. */
  advance(ms: number): Promise<void>;
  /** A message whose handler threw is delivered again within this time. */
  readonly retryWithinMs: number;
}

export type OpenDispatcher = () => OpenedDispatcher | Promise<OpenedDispatcher>;

export interface DispatcherCase {
  readonly name: string;
  run(open: OpenDispatcher): Promise<void>;
}

export const dispatcherCases: readonly DispatcherCase[] = [
  rule(
    "a message is delivered, also when it was sent before anyone consumed",
    async ({ dispatcher }, seen) => {
      await dispatcher.send("before", { id: "m" });
      dispatcher.consume(seen.handler());
      await dispatcher.send("after", { id: "m" });
      await seen.until(() => seen.count("before", "m") >= 1 && seen.count("after", "m") >= 1);
    },
  ),

  rule("a thread gets one message at a time", async ({ dispatcher, advance }, seen) => {
    const gate = seen.gate();
    for (const id of ["a", "a", "b"]) await dispatcher.send("t", { id }); // a duplicate must not open a second lane
    dispatcher.consume(seen.handler(() => gate.passed));
    await seen.until(() => seen.running() === 1);
    for (const id of ["c", "d"]) await dispatcher.send("t", { id });
    await advance(50);
    assert.equal(seen.running(), 1);
    gate.open();
    await seen.until(() => ["a", "b", "c", "d"].every((id) => seen.count("t", id) >= 1));
    assert.equal(seen.mostAtOnce("t"), 1);
  }),

  rule("threads do not wait for each other", async ({ dispatcher }, seen) => {
    const gate = seen.gate();
    dispatcher.consume(seen.handler(() => gate.passed));
    for (const threadId of ["t1", "t2", "t3"]) await dispatcher.send(threadId, { id: "m" });
    await seen.until(() => seen.running() === 3);
  }),

  rule(
    "a message whose handler throws is delivered again, until it succeeds",
    async ({ dispatcher, advance, retryWithinMs }, seen) => {
      dispatcher.consume(
        seen.handler(() => {
          if (seen.count("t", "m") < 3) throw new Error("not yet");
        }),
      );
      await dispatcher.send("t", { id: "m" });
      for (let waits = 0; seen.count("t", "m") < 3; waits += 1) {
        assert.ok(waits < 20, "it was given up");
        await advance(retryWithinMs);
      }
      await advance(retryWithinMs);
      assert.equal(seen.count("t", "m"), 3);
    },
  ),

  rule(
    "a handler that throws holds up neither its thread's other messages nor other threads",
    async ({ dispatcher }, seen) => {
      dispatcher.consume(
        seen.handler((_threadId, message) => {
          if (message.id === "bad") throw new Error("always");
        }),
      );
      await dispatcher.send("t", { id: "bad" });
      await dispatcher.send("t", { id: "good" });
      await dispatcher.send("other", { id: "good" });
      await seen.until(() => seen.count("t", "good") >= 1 && seen.count("other", "good") >= 1);
    },
  ),

  rule("a delayed message comes after its delay, not before", async ({ dispatcher, advance }, seen) => {
    dispatcher.consume(seen.handler());
    await dispatcher.send("t", { id: "later" }, { delayMs: 2_000 });
    await dispatcher.send("t", { id: "sooner" }, { delayMs: 1_000 });
    await advance(500);
    assert.deepEqual(seen.ids("t"), []);
    await advance(1_000);
    assert.deepEqual(seen.ids("t"), ["sooner"]);
    await advance(1_000);
    await seen.until(() => seen.count("t", "later") >= 1);
  }),

  // Whoever sends may know of an event that a running handler has not read: that message is news, whatever its id.
  rule(
    "a message that is sent while one of its id is handled is delivered after it",
    async ({ dispatcher, advance }, seen) => {
      const first = seen.gate();
      dispatcher.consume(seen.handler(() => first.passed));
      await dispatcher.send("t", { id: "m" });
      await seen.until(() => seen.running() === 1);
      await dispatcher.send("t", { id: "m" });
      await dispatcher.send("t", { id: "m" });
      first.open();
      await seen.until(() => seen.count("t", "m") >= 2);
      await advance(50);
      assert.ok(seen.count("t", "m") <= 3);
    },
  ),

  rule("what a handler sends to its own thread is delivered after it", async ({ dispatcher }, seen) => {
    dispatcher.consume(
      seen.handler(async (threadId, message) => {
        if (message.id === "first") await dispatcher.send(threadId, { id: "second" });
      }),
    );
    await dispatcher.send("t", { id: "first" });
    await seen.until(() => seen.count("t", "second") >= 1);
    assert.deepEqual(seen.ids("t"), ["first", "second"]);
    assert.equal(seen.mostAtOnce("t"), 1);
  }),

  rule(
    "close aborts the signals of running handlers, and waits for them",
    async ({ dispatcher, advance }, seen) => {
      const gate = seen.gate();
      const aborted = Promise.withResolvers<void>();
      let isClosed = false;
      dispatcher.consume(
        seen.handler(async (_threadId, _message, signal) => {
          signal.addEventListener("abort", () => aborted.resolve(), { once: true });
          await gate.passed;
        }),
      );
      await dispatcher.send("t", { id: "m" });
      await seen.until(() => seen.running() === 1);
      const closing = dispatcher.close().then(() => {
        isClosed = true;
      });
      await aborted.promise;
      await advance(50);
      assert.equal(isClosed, false);
      gate.open();
      await closing;
      assert.equal(seen.running(), 0);
    },
  ),

  rule("nothing is delivered after close", async ({ dispatcher, advance, retryWithinMs }, seen) => {
    const gate = seen.gate();
    dispatcher.consume(
      seen.handler(async (threadId) => {
        if (threadId === "failing") throw new Error("always");
        if (threadId === "busy") await gate.passed;
      }),
    );
    await dispatcher.send("failing", { id: "m" });
    await dispatcher.send("busy", { id: "m" });
    await seen.until(() => seen.count("failing", "m") >= 1 && seen.running() === 1);
    await dispatcher.send("delayed", { id: "m" }, { delayMs: 10 });
    await dispatcher.send("busy", { id: "next" });
    const closing = dispatcher.close();
    gate.open();
    await closing;
    const delivered = seen.total();
    await Promise.allSettled([dispatcher.send("late", { id: "m" })]); // it may refuse, or forget
    await advance(retryWithinMs);
    assert.equal(seen.total(), delivered);
  }),

  rule("ten thousand threads each get theirs", async ({ dispatcher }, seen) => {
    const threadIds = Array.from({ length: 10_000 }, (_, index) => `t${index}`);
    dispatcher.consume(seen.handler());
    await Promise.all(threadIds.map((threadId) => dispatcher.send(threadId, { id: "m" })));
    await seen.until(() => seen.threads() === 10_000);
    assert.ok(threadIds.every((threadId) => seen.mostAtOnce(threadId) === 1));
  }),
];

function rule(
  name: string,
  body: (opened: OpenedDispatcher, seen: Deliveries) => Promise<void>,
): DispatcherCase {
  return {
    name,
    async run(open) {
      const opened = await open();
      const seen = deliveries();
      try {
        await body(opened, seen);
      } finally {
        seen.openGates();
        await opened.dispatcher.close();
      }
    },
  };
}

interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

type Deliveries = ReturnType<typeof deliveries>;

/** Keeps what was delivered, and wakes who waits for it. */
function deliveries() {
  const byThread = new Map<string, { readonly ids: string[]; running: number; most: number }>();
  const gates: Gate[] = [];
  const waiting = new Set<() => void>();
  let running = 0;
  let total = 0;

  function change(threadId: string, by: 1 | -1): void {
    const thread = byThread.get(threadId) ?? { ids: [], running: 0, most: 0 };
    byThread.set(threadId, thread);
    thread.running += by;
    thread.most = Math.max(thread.most, thread.running);
    running += by;
  }

  return {
    /** A handler that keeps a record, then does what `body` does. */
    handler(
      body: (threadId: string, message: Message, signal: AbortSignal) => void | Promise<void> = () => {},
    ): MessageHandler {
      return async (threadId, message, signal) => {
        change(threadId, 1);
        byThread.get(threadId)?.ids.push(message.id);
        total += 1;
        for (const check of waiting) check();
        try {
          await body(threadId, message, signal);
        } finally {
          change(threadId, -1);
        }
      };
    },
    until(condition: () => boolean): Promise<void> {
      if (condition()) return Promise.resolve();
      return new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
      });
    },
    gate(): Gate {
      const { promise, resolve } = Promise.withResolvers<void>();
      const gate = { passed: promise, open: resolve };
      gates.push(gate);
      return gate;
    },
    openGates: () => gates.forEach((gate) => void gate.open()),
    ids: (threadId: string): readonly string[] => byThread.get(threadId)?.ids ?? [],
    count: (threadId: string, id: string) =>
      byThread.get(threadId)?.ids.filter((seen) => seen === id).length ?? 0,
    mostAtOnce: (threadId: string) => byThread.get(threadId)?.most ?? 0,
    threads: () => byThread.size,
    running: () => running,
    total: () => total,
  };
}
