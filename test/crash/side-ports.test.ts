// The process ends before and after every call of its ports, while requests are sent out, and while schedules start
// threads. A fresh process goes on: everybody is told, under ids that are the same at every try, and each tick starts once.
import { join } from "node:path";
import { expect, it } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { settleOutbox } from "../../src/runtime/outbox.ts";
import { openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/store.ts";
import { type FaultPoint, type FaultPoints, faultPoints } from "../../src/testing/fault-points.ts";
import { fireSchedules } from "../../src/triggers/fire-schedules.ts";
import { schedule } from "../../src/triggers/schedule.ts";
import { registerSchedules } from "../../src/triggers/start-schedules.ts";
import { dana, kim, noteChannel } from "../kit/channel-world.ts";
import { type Folder, openTestRuntime, type TestRuntime, tempFolder } from "../kit/runtime.ts";

const signal = new AbortController().signal;
const asking = agent({ name: "a", flow: async (t) => (await t.ask("Well?")).kind });

interface Process extends TestRuntime {
  readonly sqlite: SqliteStore;
  readonly faults: FaultPoints;
}

async function open(folder: Folder, stopAt?: FaultPoint): Promise<Process> {
  const sqlite = await openSqliteStore({ path: join(folder.path, "holdpoint.db") });
  const faults = faultPoints(sqlite, stopAt ? { stopAt } : {});
  const opened = await openTestRuntime({ folder, agents: [asking], store: faults.store });
  return { ...opened, sqlite, faults };
}

/** Runs `work` in a process that may end in the middle. @returns how many calls it came to. */
async function firstProcess(
  folder: Folder,
  work: (process: Process) => Promise<unknown>,
  stopAt?: FaultPoint,
): Promise<number> {
  const process = await open(folder, stopAt);
  await work(process).catch((error: Error) => {
    if (error.name !== "ProcessStopped") throw error;
  });
  await process.sqlite.close();
  return process.faults.calls().length;
}

/** Every place of a run in turn: `each` gets a new folder, and where its first process is to end. */
async function atEveryCall(
  prepare: (folder: Folder) => Promise<void>,
  work: (process: Process) => Promise<unknown>,
  each: (folder: Folder, place: string) => Promise<void>,
): Promise<void> {
  const visit = async (stopAt?: FaultPoint): Promise<number> => {
    const folder = tempFolder();
    await prepare(folder);
    const calls = await firstProcess(folder, work, stopAt);
    await each(folder, JSON.stringify(stopAt ?? "no end"));
    folder.remove();
    return calls;
  };
  const calls = await visit();
  expect(calls).toBeGreaterThan(5);
  for (let call = 1; call <= calls; call++)
    for (const when of ["before", "after"] as const) await visit({ call, when });
}

it("loses no message to people, and makes none twice", async () => {
  const channel = noteChannel(({ deliveryId }) => deliveryId);
  const send = async ({ runtime, sqlite, faults }: Process): Promise<number> => {
    const outbox = faults.wrap("outbox", sqlite.outbox);
    return settleOutbox(runtime, { outbox, channels: [channel], people: [dana, kim] }, signal);
  };
  const ask = async (folder: Folder): Promise<void> => {
    channel.notices.splice(0);
    const { runtime, settle, close } = await open(folder);
    const { threadId } = await startThread(runtime, "a", null, { by: "test" });
    await settle(threadId);
    await close();
  };
  await atEveryCall(ask, send, async (folder, place) => {
    const later = await open(folder);
    await later.clock.advance(90_000); // what the dead process held is free by then
    await send(later);
    const [request] = await later.openRequests();
    await later.decide(request?.requestId ?? "", { kind: "answer", value: "well" });
    await send(later);
    const ids = new Map(channel.notices.map((notice) => [notice.deliveryId, notice]));
    const told = [...ids.values()].map(({ kind, recipient }) => `${kind} ${recipient}`).toSorted();
    expect(told, place).toEqual([`ask ${dana.id}`, `ask ${kim.id}`, `close ${dana.id}`, `close ${kim.id}`]);
    const { rows } = await later.sqlite.outbox.deliveries({});
    expect(
      rows.map(({ status }) => status),
      place,
    ).toEqual(["sent", "sent", "sent", "sent"]);
    await later.close();
  });
});

it("starts each tick of a schedule once", async () => {
  const hourly = schedule({ name: "hourly", agent: "a", cron: "0 * * * *", missed: "all" });
  const options = ({ sqlite, faults }: Process) => ({
    ...{ schedules: [hourly], signal },
    store: faults.wrap("schedules", sqlite.schedules),
  });
  const register = async (folder: Folder): Promise<void> => {
    const process = await open(folder);
    await registerSchedules(process.runtime, options(process));
    await process.close();
  };
  const fire = async (process: Process) => {
    process.clock.set(Date.UTC(2026, 0, 1, 3, 30));
    const { problems } = await fireSchedules(process.runtime, options(process));
    const [problem] = problems;
    if (problem) throw problem.error;
  };
  await atEveryCall(register, fire, async (folder, place) => {
    const later = await open(folder);
    await fire(later);
    const { rows } = await later.runtime.store.threads({ agent: "a" });
    expect(rows, place).toHaveLength(3);
    expect(await later.sqlite.schedules.list(), place).toMatchObject([{ waiting: 0 }]);
    await later.close();
  });
});
