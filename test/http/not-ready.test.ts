// An agent whose check failed starts nothing, on any way; what is there goes on.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { agent, startThread } from "../../src/index.ts";
import { settleThreads } from "../../src/runtime/worker.ts";
import { servicesOfEachTest } from "../kit/http.ts";

const asker = agent({
  name: "asker",
  flow: async (t) => t.ask("Who?", { answer: z.string() }),
});
const parent = agent({ name: "parent", flow: async (t) => t.call("asker", null) });
const unready = new Map([["asker", ["approver_unreachable"]]]);

describe("an agent that is not ready", () => {
  const open = servicesOfEachTest();

  it("is refused by the service, which says so and works", async () => {
    const service = await open({ agents: [asker, parent], unready });
    const refused = await service.json("/v1/threads", { body: { agent: "asker" } });
    expect(refused).toMatchObject({
      status: 409,
      body: {
        code: "check_failed",
        detail: expect.stringContaining("approver_unreachable"),
        retryable: false,
      },
    });
    expect((await service.json("/v1/threads")).body.threads).toEqual([]);
    expect((await service.json("/v1/threads", { body: { agent: "parent" } })).status).toBe(201);
    expect(await service.json("/readyz")).toMatchObject({
      status: 200,
      body: { status: "ok", agentsNotReady: 1 },
    });
    expect((await service.json("/v1/agents")).body.agents).toMatchObject([
      { name: "asker", checkErrors: ["approver_unreachable"] },
      { name: "parent", checkErrors: [] },
    ]);
  });

  it("goes on with its threads, and answers a start that is repeated", async () => {
    const headers = { "idempotency-key": "first" };
    const before = await open({ agents: [asker] });
    const { body: started } = await before.json("/v1/threads", { body: { agent: "asker" }, headers });
    const signal = new AbortController().signal;
    await settleThreads(before.runtime, [started.threadId], { signal, patienceMs: 0 });

    const service = await open({ agents: [asker], unready });
    const again = await service.json("/v1/threads", { body: { agent: "asker" }, headers });
    expect(again.body).toEqual({ threadId: started.threadId, created: false });
    const [request] = (await service.json("/v1/requests?status=open")).body.requests;
    const verdict = { kind: "answer", value: "Ada" };
    const decided = await service.json(`/v1/requests/${request.requestId}/verdict`, { body: { verdict } });
    expect(decided.status).toBe(200);
    await settleThreads(service.runtime, [started.threadId], { signal, patienceMs: 0 });
    expect((await service.json(`/v1/threads/${started.threadId}`)).body.status).toBe("completed");
  });

  it("is not forked either: that starts a thread, too", async () => {
    const before = await open({ agents: [asker] });
    const { threadId } = (await before.json("/v1/threads", { body: { agent: "asker" } })).body;
    const service = await open({ agents: [asker], unready });
    const refused = await service.json(`/v1/threads/${threadId}/fork`, { body: { at: 1 } });
    expect(refused).toMatchObject({ status: 409, body: { code: "check_failed" } });
    expect((await service.json("/v1/threads")).body.threads).toHaveLength(1);
  });

  it("is no child: its parent waits, and loses nothing, until it is ready", async () => {
    const signal = new AbortController().signal;
    const service = await open({ agents: [asker, parent], unready });
    const { threadId } = await startThread(service.runtime, "parent", null, { by: "test" });
    await expect(settleThreads(service.runtime, [threadId], { signal, patienceMs: 0 })).rejects.toMatchObject(
      {
        code: "check_failed",
      },
    );
    const later = await open({ agents: [asker, parent] });
    await later.clock.advance(60_000);
    await settleThreads(later.runtime, [threadId], { signal, patienceMs: 0 });
    const { rows } = await later.runtime.store.threads({});
    expect(rows.map(({ agent: name, status }) => [name, status]).sort()).toEqual([
      ["asker", "waiting"],
      ["parent", "waiting"],
    ]);
  });
});
