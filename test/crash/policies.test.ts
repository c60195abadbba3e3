// The process ends at every call of the store in turn, while an action is counted and another starts by a standing
// approval. A fresh process goes on: nothing is counted twice, no second use is spent, each action has one effect.
import { join } from "node:path";
import { expect, it } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { cumulative } from "../../src/core/cumulative.ts";
import { gate } from "../../src/core/gate.ts";
import { rule } from "../../src/core/rule.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { grantStanding, listStanding } from "../../src/runtime/standing.ts";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import { type FaultPoint, faultPoints } from "../../src/testing/fault-points.ts";
import { eventsOf } from "../kit/one-agent.ts";
import { type Folder, openTestRuntime, payTool, tempFolder } from "../kit/runtime.ts";

const threadId = "th_paying";

function agents(ledger: Set<string>) {
  const pay = payTool({
    effect: "repeatable",
    run: (_args, { idempotencyKey }) => void ledger.add(idempotencyKey),
  });
  const over50 = rule({ tool: pay, when: ({ args }) => args.cents > 50, outcome: "hold", reason: "over 50" });
  const limit = cumulative({ name: "paid", tool: pay, amount: ({ cents }) => cents, per: "day", max: 100 });
  const paying = agent({
    name: "a",
    tools: [pay],
    gate: gate({ rules: [over50], cumulative: [limit] }),
    flow: async (t) => {
      const calls = [40, 60].map((cents, index) => ({ callId: `c${index}`, tool: "pay", args: { cents } }));
      return (await t.act(calls)).map(({ status }) => status);
    },
  });
  return [paying];
}

/** @returns the number of the store's calls, while the process lived. */
async function firstProcess(folder: Folder, ledger: Set<string>, stopAt?: FaultPoint): Promise<number> {
  const setUp = await openTestRuntime({ folder, agents: agents(ledger) });
  const expiresAt = new Date(setUp.clock.now() + 3_600_000).toISOString();
  const grant = {
    agent: "a",
    tool: "pay",
    where: [{ path: "$.cents", max: 60 }],
    uses: 5,
    expiresAt,
    why: "test",
  };
  await grantStanding(setUp.runtime, grant, { by: "dana@example.com" });
  await startThread(setUp.runtime, "a", null, { by: "test", threadId });
  await setUp.close();
  const store = await openSqliteStore({ path: join(folder.path, "holdpoint.db") });
  const faults = faultPoints(store, stopAt ? { stopAt } : {});
  const opened = await openTestRuntime({ folder, agents: agents(ledger), store: faults.store });
  await opened.settle(threadId).catch((error: Error) => {
    if (error.name !== "ProcessStopped") throw error;
  });
  await store.close();
  return faults.calls().length;
}

async function nextProcess(folder: Folder, ledger: Set<string>): Promise<void> {
  const opened = await openTestRuntime({ folder, agents: agents(ledger) });
  opened.clock.set(opened.clock.now() + 60_000); // the lease of the one before runs out
  await opened.settle(threadId);
  await opened.settle(threadId);
  expect((await opened.events(threadId)).at(-1)).toMatchObject({
    type: "thread_completed",
    output: { value: ["completed", "completed"] },
  });
  expect([...ledger]).toEqual([`${threadId}/act:pay#1`, `${threadId}/act:pay#2`]);
  const started = await eventsOf(opened, threadId, "action_started");
  expect(started.flatMap(({ counts = [] }) => counts.map(({ amount }) => amount))).toEqual([40, 60]);
  const [standing] = await listStanding(opened.runtime);
  expect(standing?.uses).toHaveLength(1);
  expect(await opened.runtime.store.verify({})).toMatchObject({ problems: [] });
  await opened.close();
}

it("I3, I5: a crash at any call counts, spends and does nothing twice", async () => {
  const whole = tempFolder();
  const calls = await firstProcess(whole, new Set());
  whole.remove();
  expect(calls).toBeGreaterThan(8);
  for (let call = 1; call <= calls; call++) {
    for (const when of ["before", "after"] as const) {
      const folder = tempFolder();
      const ledger = new Set<string>();
      await firstProcess(folder, ledger, { call, when });
      await nextProcess(folder, ledger);
      folder.remove();
    }
  }
}, 120_000);
