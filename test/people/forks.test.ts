// What a fork copies of requests: one that is still to be decided is there once, and nothing that was decided is reopened.
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { gate } from "../../src/core/gate.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { forkThread } from "../../src/runtime/fork.ts";
import { payTool, runtimesOfEachTest } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();

function deployed(version: string, runs: unknown[]) {
  return agent({
    name: "a",
    tools: [payTool({ risk: "high", version, run: (args) => runs.push(args) })],
    gate: gate(),
    flow: async (t) => (await t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }])).length,
  });
}

it("forks a request that is asked again as one request", async () => {
  const runs: unknown[] = [];
  const first = await openRuntime({ agents: [deployed("1", runs)] });
  const { threadId } = await startThread(first.runtime, "a", null, { by: "test" });
  await first.settle(threadId);
  await first.decide((await first.openRequests())[0]?.requestId ?? "", { kind: "approve" });
  const opened = await openRuntime({ agents: [deployed("2", runs)] });
  await opened.settle(threadId); // its version is another: it is asked again
  const at = (await opened.events(threadId)).length;
  const forkId = await forkThread(opened.runtime, threadId, { at, by: "test" });

  const open = (await opened.openRequests()).filter((request) => request.threadId === forkId);

  expect(open.map((request) => request.opened.action?.toolVersion)).toEqual(["2"]);
  await opened.decide(open[0]?.requestId ?? "", { kind: "approve" });
  await opened.settle(forkId);
  expect((await opened.types(forkId)).at(-1)).toBe("thread_completed");
  expect(runs).toHaveLength(1);
});

it("refuses to give events that were changed a chain of their own, and forks what is sound before them", async () => {
  const { runtime, path, settle, events } = await openRuntime({
    agents: [agent({ name: "b", flow: async (t) => t.step("load", () => "paid 10") })],
  });
  const { threadId } = await startThread(runtime, "b", null, { by: "test" });
  await settle(threadId);
  const seq = (await events(threadId)).find(({ type }) => type === "step_completed")?.seq ?? 0;
  const database = new DatabaseSync(path);
  database.exec("UPDATE events SET body = replace(body, 'paid 10', 'paid 99')");
  database.close();

  await expect(forkThread(runtime, threadId, { at: seq, by: "test" })).rejects.toMatchObject({
    code: "store_corrupt",
    message: expect.stringMatching(new RegExp(`${threadId}.*event ${seq} is not what was appended`)),
  });
  expect((await runtime.store.threads({})).rows).toHaveLength(1);
  const forkId = await forkThread(runtime, threadId, { at: seq - 1, by: "test" });
  expect((await runtime.store.verify({ threadId: forkId })).problems).toEqual([]);
});
