import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { localDispatcher } from "../dispatch/local.ts";
import type { Store } from "../ports/store.ts";
import { faultPoints, ProcessStopped } from "./fault-points.ts";
import { manualClock } from "./manual-clock.ts";

/** Only what these tests call; it counts what got through. */
function countingStore(): { readonly store: Store; readonly ran: string[] } {
  const ran: string[] = [];
  const method = (name: string, result: unknown) => async () => {
    ran.push(name);
    return result;
  };
  const page = { rows: [], nextCursor: null };
  const store = {
    append: method("append", 1),
    read: method("read", []),
    lease: method("lease", null),
    release: method("release", undefined),
    due: method("due", { threadIds: [], nextDueAt: null }),
    threads: method("threads", page),
    requests: method("requests", page),
    artifact: method("artifact", "null"),
    verify: method("verify", { threads: 0, events: 0, problems: [] }),
    close: method("close", undefined),
  };
  return { store: store as unknown as Store, ran }; // the results have the shapes that the port promises
}

async function callAll(store: Store): Promise<void> {
  await store.lease({ threadId: "t", owner: "o", ttlMs: 1, now: 0 });
  await store.read("t");
  await store.append({ threadId: "t", expectedSeq: 0, events: [] });
  await store.artifact("d");
  await store.threads({});
  await store.requests({});
  await store.due({ now: 0, limit: 1 });
  await store.verify({});
  await store.release({ threadId: "t", owner: "o", number: 1, until: 0, crashes: 0 }, { now: 0 });
  await store.close();
}

const methods = [
  "lease",
  "read",
  "append",
  "artifact",
  "threads",
  "requests",
  "due",
  "verify",
  "release",
  "close",
];

describe("faultPoints", () => {
  const dispatchers: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const dispatcher of dispatchers.splice(0)) await dispatcher.close();
  });

  function dispatcher() {
    const made = localDispatcher({ clock: manualClock() });
    dispatchers.push(made);
    return made;
  }

  test("without faults every call goes through, and is numbered", async () => {
    const { store, ran } = countingStore();
    const points = faultPoints(store);
    await callAll(points.store);
    expect(ran).toEqual(methods);
    expect(points.calls()).toEqual(methods.map((method, index) => ({ index: index + 1, method })));
    expect(points.stopped.aborted).toBe(false);
  });

  for (const [index, method] of methods.entries()) {
    for (const when of ["before", "after"] as const) {
      test(`stopped ${when} ${method}: that call rejects, what follows too, and nothing more gets through`, async () => {
        const { store, ran } = countingStore();
        const points = faultPoints(store, { stopAt: { call: index + 1, when } });
        await expect(callAll(points.store)).rejects.toBeInstanceOf(ProcessStopped);
        await expect(callAll(points.store)).rejects.toBeInstanceOf(ProcessStopped);
        expect(ran).toEqual(methods.slice(0, when === "before" ? index : index + 1));
        expect(points.calls().at(-1)).toEqual({ index: index + 1, method });
        expect(points.stopped.aborted).toBe(true);
      });
    }
  }

  test("a call that is under way when the process stops gets no answer", async () => {
    const { store } = countingStore();
    const points = faultPoints(store, {
      holdAt: { call: 1, when: "after" },
      stopAt: { call: ({ method }) => method === "append", when: "before" },
    });
    const reading = points.store.read("t");
    await points.held;
    await expect(points.store.append({ threadId: "t", expectedSeq: 0, events: [] })).rejects.toBeInstanceOf(
      ProcessStopped,
    );
    await expect(reading).rejects.toBeInstanceOf(ProcessStopped);
  });

  test("an error of the store itself passes, and counts as a call", async () => {
    const { store } = countingStore();
    const broken: Store = { ...store, read: () => Promise.reject(new Error("disk")) };
    const points = faultPoints(broken, { stopAt: { call: 2, when: "after" } });
    await expect(points.store.read("t")).rejects.toThrow("disk");
    await expect(points.store.read("t")).rejects.toBeInstanceOf(ProcessStopped);
  });

  test("a thrown fault hits its call only; after the call, the effect has taken place", async () => {
    const { store, ran } = countingStore();
    const points = faultPoints(store, { throwAt: { call: 3, when: "after" } });
    await expect(callAll(points.store)).rejects.toMatchObject({ code: "store_unavailable", retryable: true });
    await callAll(points.store);
    expect(ran).toEqual(["lease", "read", "append", ...methods]);
  });

  test("a fault can be chosen by what the call is, and be any error", async () => {
    const { store, ran } = countingStore();
    const error = new Error("no");
    const points = faultPoints(store, {
      throwAt: { call: ({ method }, args) => method === "read" && args[0] === "t2", when: "before", error },
    });
    await points.store.read("t1");
    await expect(points.store.read("t2")).rejects.toBe(error);
    expect(ran).toEqual(["read"]);
  });

  test("a held call waits until it is released, and others pass it", async () => {
    const { store, ran } = countingStore();
    const points = faultPoints(store, { holdAt: { call: 1, when: "before" } });
    const appending = points.store.append({ threadId: "t", expectedSeq: 0, events: [] });
    expect(await points.held).toEqual({ index: 1, method: "append" });
    await points.store.read("t");
    expect(ran).toEqual(["read"]);
    points.release();
    await appending;
    expect(ran).toEqual(["read", "append"]);
  });

  test("the dispatcher shares the numbering and the end", async () => {
    const points = faultPoints(countingStore().store, { stopAt: { call: 3, when: "after" } });
    const mailbox = points.wrapDispatcher(dispatcher());
    mailbox.consume(async () => {});
    await points.store.read("t");
    await expect(mailbox.send("t", { id: "m" })).rejects.toBeInstanceOf(ProcessStopped);
    await expect(points.store.read("t")).rejects.toBeInstanceOf(ProcessStopped);
    expect(points.calls().map(({ method }) => method)).toEqual([
      "dispatcher.consume",
      "read",
      "dispatcher.send",
    ]);
  });

  test("a stopped process handles no message, and settles none that it has", async () => {
    const real = dispatcher();
    const points = faultPoints(countingStore().store, {
      stopAt: { call: ({ method }) => method === "read", when: "before" },
    });
    const handled: string[] = [];
    const results: Promise<unknown>[] = [];
    points
      .wrapDispatcher({
        ...real,
        consume: (handler) => real.consume((...message) => track(results, handler(...message))),
      })
      .consume(async (threadId) => {
        handled.push(threadId);
        await points.store.read(threadId).catch(() => {}); // even if the runtime made nothing of it
      });
    await real.send("a", { id: "m" });
    await setImmediate();
    await expect(results[0]).rejects.toBeInstanceOf(ProcessStopped);
    await real.send("b", { id: "m" });
    await setImmediate();
    await expect(results[1]).rejects.toBeInstanceOf(ProcessStopped);
    expect(handled).toEqual(["a"]);
  });
});

function track(results: Promise<unknown>[], result: Promise<void>): Promise<void> {
  results.push(result);
  return result;
}
