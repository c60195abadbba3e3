import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type AgentDefinition, agent } from "../../src/core/agent.ts";
import { sendSignal } from "../../src/runtime/commands.ts";
import { grantStanding } from "../../src/runtime/standing.ts";
import { servicesOfEachTest, type TestService } from "../kit/http.ts";
import { calls, payTool, turns } from "../kit/runtime.ts";

const open = servicesOfEachTest();

function desk(definition: Partial<AgentDefinition<unknown, unknown, unknown>> = {}) {
  return agent({ name: "desk", prompt: "Work.", ...definition });
}

/** An agent whose only act is held for a person. */
async function heldService(): Promise<TestService & { readonly threadId: string }> {
  const tool = payTool({ risk: "high" });
  const model = turns(calls(["pay", { cents: 5 }]), { text: "paid" });
  const service = await open({ agents: [desk({ model, tools: [tool] })] });
  const { body } = await service.json("/v1/threads", { body: { agent: "desk", input: "go" } });
  await service.settle(body.threadId);
  return { ...service, threadId: body.threadId };
}

describe("starting a thread", () => {
  test("gives its id and place, and records the token's principal", async () => {
    const service = await open({ agents: [desk()] });
    const token = await service.token(["run"], { principal: "token:ci" });
    const { status, body, headers } = await service.json("/v1/threads", {
      token,
      body: { agent: "desk", input: { a: 1 } },
    });
    expect(status).toBe(201);
    expect(body).toEqual({ threadId: expect.stringMatching(/^th_/), created: true });
    expect(headers.get("location")).toBe(`/v1/threads/${body.threadId}`);
    expect((await service.events(body.threadId))[0]).toMatchObject({
      by: "token:ci",
      input: { value: { a: 1 } },
    });
  });

  test("twice with one key starts once, whichever process is asked", async () => {
    const first = await open({ agents: [desk()] });
    const second = await open({ agents: [desk()] });
    const start = { body: { agent: "desk", input: "go" }, headers: { "idempotency-key": "mail-17" } };
    const answers = await Promise.all([first.json("/v1/threads", start), second.json("/v1/threads", start)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 201]);
    expect(new Set(answers.map(({ body }) => body.threadId)).size).toBe(1);
  });

  test("with a used key and another input is refused, also after a restart", async () => {
    const service = await open({ agents: [desk()] });
    const headers = { "idempotency-key": "mail-17" };
    await service.json("/v1/threads", { headers, body: { agent: "desk", input: "go" } });
    const later = await open({ agents: [desk()] });
    const { status, body } = await later.json("/v1/threads", {
      headers,
      body: { agent: "desk", input: "stop" },
    });
    expect([status, body.code]).toEqual([409, "key_conflict"]);
  });

  test("with a used key and another agent is refused", async () => {
    const service = await open({ agents: [desk(), desk({ name: "other" })] });
    const send = (name: string) =>
      service.json("/v1/threads", { headers: { "idempotency-key": "k" }, body: { agent: name, input: 1 } });
    expect((await send("desk")).status).toBe(201);
    expect((await send("other")).body.code).toBe("key_conflict");
    expect((await service.json("/v1/threads")).body.threads).toHaveLength(1);
  });

  test("compares large inputs too, and inputs that the schema completes", async () => {
    const input = z.object({ text: z.string(), kind: z.string().default("mail") });
    const service = await open({ agents: [desk({ input })], artifactBytes: 1_000 });
    const text = "x".repeat(5_000);
    const send = (given: unknown) =>
      service.json("/v1/threads", {
        headers: { "idempotency-key": "k" },
        body: { agent: "desk", input: given },
      });
    expect((await send({ text })).status).toBe(201);
    expect((await send({ text })).status).toBe(200);
    expect((await send({ text, kind: "mail" })).status).toBe(200);
    expect((await send({ text: `${text}!` })).status).toBe(409);
  });

  test("keys are each principal's own", async () => {
    const service = await open({ agents: [desk()] });
    const other = await service.token(["run"], { principal: "sam@example.com" });
    const start = { body: { agent: "desk", input: "go" }, headers: { "idempotency-key": "1" } };
    const mine = await service.json("/v1/threads", start);
    const theirs = await service.json("/v1/threads", { ...start, token: other });
    expect(theirs.status).toBe(201);
    expect(theirs.body.threadId).not.toBe(mine.body.threadId);
  });

  test.each([
    ["an agent that is not there", { agent: "nobody" }, 404, "agent_not_found"],
    ["input that does not fit", { agent: "desk", input: { text: 1 } }, 422, "invalid_input"],
    ["an unknown member", { agent: "desk", inptu: "go" }, 400, "usage"],
    ["no agent", {}, 400, "usage"],
    ["a list", [], 400, "usage"],
  ])("refuses %s", async (_name, body, status, code) => {
    const service = await open({ agents: [desk({ input: z.object({ text: z.string() }) })] });
    const answer = await service.json("/v1/threads", { body });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect((await service.json("/v1/threads")).body.threads).toEqual([]);
  });

  test.each(["", "ä", "a\tb", "x".repeat(201)])("refuses the key %j", async (key) => {
    const service = await open({ agents: [desk()] });
    const headers = { "idempotency-key": encodeURIComponent(key) === key || key === "" ? key : "\u00e4" };
    const { status } = await service.json("/v1/threads", { headers, body: { agent: "desk" } });
    expect(status).toBe(400);
  });
});

describe("threads", () => {
  test("are listed without standing approvals, unless these are asked for", async () => {
    const { runtime, json } = await open({ agents: [] });
    const grant = {
      ...{ agent: "desk", tool: "pay", uses: 1, why: "routine" },
      ...{ where: [{ path: "$.cents", max: 5 }], expiresAt: "2026-01-02T00:00:00.000Z" },
    };
    const { standingId } = await grantStanding(runtime, grant, { by: "dana@example.com" });
    const listed = async (path: string): Promise<string[]> =>
      (await json(path)).body.threads.map(({ threadId }: { threadId: string }) => threadId);
    expect(await listed("/v1/threads")).toEqual([]);
    expect(await listed("/v1/threads?agent=standing-approval")).toEqual([standingId]);
  });

  test("are listed page by page, newest first", async () => {
    const service = await open({ agents: [desk()] });
    const ids: string[] = [];
    for (let index = 0; index < 5; index++)
      ids.unshift(
        (await service.json("/v1/threads", { body: { agent: "desk", input: index } })).body.threadId,
      );
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const { body } = await service.json(`/v1/threads?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.threads.map(({ threadId }: { threadId: string }) => threadId));
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(ids);
  });

  test.each(["limit=0", "limit=1001", "limit=x", "cursor=x", "status=odd", "sort=up", "limit=1&limit=2"])(
    "refuse the query %s",
    async (query) => {
      const service = await open({ agents: [desk()] });
      expect((await service.json(`/v1/threads?${query}`)).status).toBe(400);
    },
  );

  test("tell how they stand and what they wait for", async () => {
    const { json, threadId } = await heldService();
    const { body } = await json(`/v1/threads/${threadId}`);
    expect(body).toMatchObject({
      threadId,
      status: "waiting",
      requests: [{ status: "open", action: { tool: "pay" } }],
    });
  });

  test("give their events page by page", async () => {
    const { json, events, threadId } = await heldService();
    const all = await events(threadId);
    const first = await json(`/v1/threads/${threadId}/events?limit=2`);
    expect(first.body).toEqual({ events: all.slice(0, 2), nextCursor: "2" });
    const rest = await json(`/v1/threads/${threadId}/events?cursor=2`);
    expect(rest.body).toEqual({ events: all.slice(2), nextCursor: null });
  });

  test("give the exact input of a model call", async () => {
    const { json, threadId, events } = await heldService();
    const made = (await events(threadId)).find(({ type }) => type === "decision_made");
    const { body } = await json(`/v1/threads/${threadId}/prompt/${made?.seq}`);
    expect(body.input.messages[0]).toEqual({ role: "system", content: "Work." });
    expect((await json(`/v1/threads/${threadId}/prompt/1`)).status).toBe(400);
    expect((await json(`/v1/threads/${threadId}/prompt/x`)).status).toBe(400);
    expect((await json("/v1/threads/th_none/prompt/1")).body.code).toBe("thread_not_found");
  });

  test("take signals, once for each id", async () => {
    const service = await open({
      agents: [desk({ flow: async (t) => ((await t.wait("paid")) as { value: unknown }).value })],
    });
    const { threadId } = (await service.json("/v1/threads", { body: { agent: "desk" } })).body;
    await service.settle(threadId);
    const send = () =>
      service.json(`/v1/threads/${threadId}/signals/paid`, { body: { value: { cents: 5 }, signalId: "s1" } });
    expect([(await send()).status, (await send()).status]).toEqual([200, 200]);
    await service.settle(threadId);
    expect((await service.json(`/v1/threads/${threadId}`)).body).toMatchObject({ output: { cents: 5 } });
    const types = await service.types(threadId);
    expect(types.filter((type) => type === "signal_received")).toHaveLength(1);
    const late = await service.json(`/v1/threads/${threadId}/signals/paid`, { body: {} });
    expect([late.status, late.body.code]).toEqual([409, "thread_ended"]);
  });

  test("take an id of somebody else's for another signal: nobody can swallow what is yet to come", async () => {
    const two = agent({ name: "two", flow: async (t) => [await t.wait("paid"), await t.wait("paid")] });
    const service = await open({ agents: [two] });
    const { threadId } = (await service.json("/v1/threads", { body: { agent: "two" } })).body;
    const signalId = "webhook:shop:evt_1";
    const eve = await service.token(["run"], { principal: "eve@example.com" });
    await service.json(`/v1/threads/${threadId}/signals/paid`, { body: { value: 0, signalId }, token: eve });
    for (let tries = 0; tries < 2; tries++)
      await sendSignal(service.runtime, threadId, { signal: "paid", value: 5, by: "webhook:shop", signalId });
    const received = (await service.events(threadId)).filter(({ type }) => type === "signal_received");
    expect(received).toMatchObject([
      { by: "eve@example.com", value: 0 },
      { by: "webhook:shop", value: 5 },
    ]);
  });

  test("refuse a signal whose name a log or a header would obey", async () => {
    const { json, threadId } = await heldService();
    const { status } = await json(`/v1/threads/${threadId}/signals/${encodeURIComponent("a\r\nb")}`, {
      body: {},
    });
    expect(status).toBe(400);
  });

  test.each(["%ff", "%00", "..%2f..", "%E2%80%AE", "a%20b", "x".repeat(300)])(
    "of the id %s are not there",
    async (id) => {
      const service = await open({ agents: [desk()] });
      expect([400, 404]).toContain((await service.json(`/v1/threads/${id}`)).status);
      expect([400, 404]).toContain((await service.json(`/v1/requests/${id}`)).status);
    },
  );

  test("are cancelled, naming who and why", async () => {
    const { json, threadId, events } = await heldService();
    expect((await json(`/v1/threads/${threadId}/cancel`, { body: {} })).status).toBe(400);
    expect((await json(`/v1/threads/${threadId}/cancel`, { body: { why: "enough" } })).status).toBe(200);
    expect((await events(threadId)).at(-1)).toMatchObject({
      type: "thread_cancelled",
      by: "dana@example.com",
      why: "enough",
    });
  });

  test("are forked", async () => {
    const { json, threadId, events } = await heldService();
    const { status, body } = await json(`/v1/threads/${threadId}/fork`, { body: { at: 1 } });
    expect(status).toBe(201);
    expect((await events(body.threadId))[0]).toMatchObject({ forkedFrom: { threadId, seq: 1 } });
    expect((await json(`/v1/threads/${threadId}/fork`, { body: { at: 99 } })).status).toBe(400);
  });
});
