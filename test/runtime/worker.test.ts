import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Agent, agent } from "../../src/core/agent.ts";
import { sendSignal, startThread } from "../../src/runtime/commands.ts";
import type { Hint } from "../../src/runtime/runtime.ts";
import { startWorker, type Worker } from "../../src/runtime/worker.ts";
import { type Folder, openTestRuntime, payTool, type TestRuntime, tempFolder } from "../kit/runtime.ts";

let folder: Folder;
let open: TestRuntime[] = [];
let workers: Worker[] = [];
beforeEach(() => {
  folder = tempFolder();
});
afterEach(async () => {
  for (const worker of workers) await worker.close();
  for (const runtime of open) await runtime.close();
  [open, workers] = [[], []];
  folder.remove();
});

async function openWith(...agents: readonly Agent[]): Promise<TestRuntime> {
  const opened = await openTestRuntime({ folder, agents, ...(open[0] ? { clock: open[0].clock } : {}) });
  open.push(opened);
  return opened;
}

async function work(...agents: readonly Agent[]): Promise<TestRuntime> {
  const opened = await openWith(...agents);
  workers.push(startWorker(opened.runtime));
  return opened;
}

/** Lets time pass in small steps until `isSo`; the store's own turns of the event loop pass with it. */
async function until(opened: TestRuntime, isSo: () => Promise<boolean>): Promise<void> {
  for (let step = 0; step < 500; step++) {
    if (await isSo()) return;
    await opened.clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("it did not come about within 50 seconds of the test's time");
}

const ended = (opened: TestRuntime, threadId: string) => async () => {
  const row = (await opened.runtime.store.threads({ threadId })).rows[0];
  return row?.status === "completed";
};

describe("a worker", () => {
  it("runs threads that another process started, and goes on when it answers and signals", async () => {
    const pay = payTool({ risk: "high" });
    const a = agent({
      name: "a",
      tools: [pay],
      flow: async (t) => [await t.act(pay, { cents: 1, note: "" }), await t.wait("go")],
    });
    const worker = await work(a);
    const other = await openWith(a);
    const { threadId } = await startThread(other.runtime, "a", null, { by: "test" });
    await until(worker, async () => (await other.openRequests()).length === 1);
    await other.decide((await other.openRequests())[0]?.requestId ?? "", { kind: "approve" });
    await sendSignal(other.runtime, threadId, { signal: "go", value: 1, by: "test" });
    await until(worker, ended(other, threadId));
    expect(pay.runs).toHaveLength(1);
  });

  it("wakes threads when their timers are due", async () => {
    const worker = await work(agent({ name: "a", flow: async (t) => t.sleep("20s") }));
    const { threadId } = await startThread(worker.runtime, "a", null, { by: "test" });
    await until(worker, ended(worker, threadId));
  });

  it("expires requests that nobody answered", async () => {
    const worker = await work(
      agent({ name: "a", flow: async (t) => t.ask("Anyone?", { expiresIn: "20s" }) }),
    );
    const { threadId } = await startThread(worker.runtime, "a", null, { by: "test" });
    await until(worker, ended(worker, threadId));
    expect(await worker.types(threadId)).toContain("request_expired");
  });

  it("runs a parent on when its child ends", async () => {
    const worker = await work(
      agent({ name: "a", flow: async (t) => t.call("child", 1) }),
      agent({ name: "child", flow: async (t) => t.sleep("5s") }),
    );
    const { threadId } = await startThread(worker.runtime, "a", null, { by: "test" });
    await until(worker, ended(worker, threadId));
  });

  it("runs many threads, each to its end", async () => {
    const worker = await work(agent({ name: "a", flow: async (t, input) => t.step("echo", () => input) }));
    const started = await Promise.all(
      Array.from({ length: 300 }, (_, n) => startThread(worker.runtime, "a", n, { by: "test" })),
    );
    const isDone = async () =>
      (await worker.runtime.store.threads({ status: "completed", limit: 1_000 })).rows.length ===
      started.length;
    await until(worker, isDone);
  });

  it("keeps what it runs while the lists are made anew, whether they differ or not: nothing runs twice", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const pay = payTool({
      effect: "once",
      run: async () => {
        runs += 1;
        await promise;
        return { receipt: runs };
      },
    });
    let runs = 0;
    const a = agent({ name: "a", tools: [pay], flow: async (t) => t.act(pay, { cents: 1, note: "" }) });
    const worker = await work(a);
    const other = await work(a);
    const { threadId } = await startThread(worker.runtime, "a", null, { by: "test" });
    await until(worker, async () => runs > 0);
    await other.runtime.store.verify({ rebuild: true });
    const database = new DatabaseSync(worker.path);
    database.exec("UPDATE threads SET decisions = 99");
    database.close();
    expect((await other.runtime.store.verify({ rebuild: true })).problems).toHaveLength(1);
    const later = worker.clock.now() + 10_000;
    await until(worker, async () => worker.clock.now() >= later);
    resolve();
    await until(worker, ended(worker, threadId));
    expect(runs).toBe(1);
    expect(await worker.types(threadId)).toEqual([
      "thread_started",
      "action_proposed",
      "action_started",
      "action_completed",
      "thread_completed",
    ]);
    expect((await other.runtime.store.verify({})).problems).toEqual([]);
  });

  it("leaves alone what it has no code for, and keeps on working", async () => {
    const stranger = await openWith(agent({ name: "stranger", flow: async () => 1 }));
    const foreign = await startThread(stranger.runtime, "stranger", null, { by: "test" });
    const worker = await work(agent({ name: "a", flow: async () => 1 }));
    const own = await startThread(worker.runtime, "a", null, { by: "test" });
    await until(worker, ended(worker, own.threadId));
    expect(await worker.types(foreign.threadId)).toEqual(["thread_started"]);
    expect(
      (await worker.runtime.store.threads({ threadId: foreign.threadId })).rows[0]?.dueAt,
    ).not.toBeNull();
  });

  it("takes no thread that is another worker's, and puts none off", async () => {
    const stranger = await openWith(agent({ name: "stranger", flow: async () => 1 }));
    const { threadId } = await startThread(stranger.runtime, "stranger", null, { by: "test" });
    const worker = await work(agent({ name: "a", flow: async () => 1 }));
    const before = (await worker.runtime.store.threads({ threadId })).rows[0];
    await worker.runtime.dispatcher.send(threadId, { id: "verdict" }); // as one that is given in this process
    await worker.clock.advance(2_000);
    const own = await startThread(worker.runtime, "a", null, { by: "test" });
    await until(worker, ended(worker, own.threadId));
    expect((await worker.runtime.store.threads({ threadId })).rows[0]).toEqual(before);
    await stranger.settle(threadId); // at once
    expect(await ended(stranger, threadId)()).toBe(true);
  });

  it("reaches its own threads behind more due ones of others than it looks at", async () => {
    const stranger = await openWith(agent({ name: "stranger", flow: async () => 1 }));
    const starts = Array.from({ length: 600 }, () =>
      startThread(stranger.runtime, "stranger", null, { by: "test" }),
    );
    await Promise.all(starts);
    const a = agent({ name: "a", flow: async () => 1 });
    const { threadId } = await startThread((await openWith(a)).runtime, "a", null, { by: "test" });
    const worker = await work(a);
    await until(worker, ended(worker, threadId));
  });

  it("tells once of an agent whose threads nobody takes", async () => {
    const stranger = await openWith(agent({ name: "stranger", flow: async () => 1 }));
    const foreign = [];
    for (let count = 0; count < 2; count++)
      foreign.push((await startThread(stranger.runtime, "stranger", null, { by: "test" })).threadId);
    const told: Hint[] = [];
    const opened = await openTestRuntime({
      folder,
      clock: stranger.clock,
      agents: [agent({ name: "a", flow: async () => 1 })],
      observe: (hint) => told.push(hint),
    });
    open.push(opened);
    workers.push(startWorker(opened.runtime));
    for (let step = 0; step < 20; step++) await opened.clock.advance(1_000);
    expect(told).toEqual([]); // another worker may have just started
    await until(opened, async () => told.length > 0);
    for (let step = 0; step < 100; step++) await opened.clock.advance(1_000);
    expect(told).toMatchObject([
      {
        kind: "problem",
        threadId: foreign[0],
        error: { code: "agent_not_found", fix: expect.stringContaining("--agent <file>") },
      },
    ]);
  });

  it("lets effects end when it is closed, records them, and hands its threads over at once", async () => {
    const gate = Promise.withResolvers<string>();
    const a = agent({
      name: "a",
      flow: async (t) => [await t.step("slow", () => gate.promise), await t.step("next", () => 2)],
    });
    const first = await work(a);
    const { threadId } = await startThread(first.runtime, "a", null, { by: "test" });
    while (first.clock.pending < 3) await new Promise((resolve) => setImmediate(resolve)); // the sweep, the heartbeat, the step's deadline
    const closing = workers.pop()?.close();
    gate.resolve("done");
    await closing;
    const types = await first.types(threadId);
    expect(types).toEqual(["thread_started", "step_completed"]);
    const second = await openWith(a);
    await second.settle(threadId); // no lease to wait for
    expect(await ended(second, threadId)()).toBe(true);
  });

  it("stops effects that outlast the time it gives them, and hands their threads over", async () => {
    const a = agent({
      name: "a",
      flow: async (t) =>
        t.step(
          "endless",
          ({ signal }) =>
            new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped")))),
        ),
    });
    const first = await work(a);
    const { threadId } = await startThread(first.runtime, "a", null, { by: "test" });
    while (first.clock.pending < 3) await new Promise((resolve) => setImmediate(resolve)); // the sweep, the heartbeat, the step's deadline
    const closing = workers.pop()?.close();
    await until(
      first,
      async () =>
        (await first.runtime.store.due({ now: first.clock.now(), limit: 1 })).threadIds.length === 1,
    );
    await closing;
    expect(await first.types(threadId)).toEqual(["thread_started"]);
  });

  it("asks a person when workers die on a thread again and again", async () => {
    const a = agent({ name: "a", flow: async (t) => t.step("kills", () => new Promise(() => {})) });
    let last: TestRuntime | null = null;
    let threadId = "";
    for (let death = 1; death <= 4; death++) {
      last = await openWith(a);
      if (death === 1) threadId = (await startThread(last.runtime, "a", null, { by: "test" })).threadId;
      void last.settle(threadId).catch(() => {});
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      last.clock.set(last.clock.now() + 31_000); // dead: its lease runs out unrenewed
    }
    expect(await last?.openRequests()).toMatchObject([{ opened: { reason: "crash_loop" } }]);
  });
});
