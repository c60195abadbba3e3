// Flags and standing approvals over HTTP: who may, what it does to what runs, and what the logs keep of it.
import { describe, expect, test } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { gate } from "../../src/core/gate.ts";
import { servicesOfEachTest, type TestService } from "../kit/http.ts";
import { calls, payTool, turns } from "../kit/runtime.ts";

const open = servicesOfEachTest();

/** Pays five cents, as often as it is started; Dana's role approves. */
function desk(threads = 1) {
  const script = Array.from({ length: threads }, () => [
    calls(["pay", { cents: 5 }]),
    { text: "paid" },
  ]).flat();
  const policy = gate({ approvers: ["role:till"] });
  return agent({
    name: "desk",
    prompt: "Work.",
    model: turns(...script),
    tools: [payTool({ risk: "high" })],
    gate: policy,
  });
}

const people = [{ id: "dana@example.com", roles: ["till"] }];
const grant = {
  agent: "desk",
  tool: "pay",
  where: [{ path: "$.cents", max: 10 }],
  uses: 1,
  expiresAt: "2026-01-08T00:00:00Z",
  why: "small change",
};

async function started({ json, settle }: TestService, token: string): Promise<string> {
  const { threadId } = (await json("/v1/threads", { body: { agent: "desk", input: 1 }, token })).body;
  await settle(threadId);
  return threadId;
}

const flagPath = (threadId: string, key = "act:pay#1"): string =>
  `/v1/threads/${threadId}/actions/${encodeURIComponent(key)}/flag`;

describe("a standing approval over HTTP", () => {
  test("lets an agent act without asking, as often as it says, and its log tells by whom and for what", async () => {
    const service = await open({ agents: [desk(2)], people });
    const token = await service.token(["decide", "read"]);
    const program = await service.token(["run"], { principal: "kim@example.com" });
    const granted = await service.json("/v1/standing", { body: grant, token });
    const { standingId } = granted.body.standing;
    expect(granted.status).toBe(201);
    expect(granted.headers.get("location")).toBe(`/v1/threads/${standingId}`);
    expect(granted.body.standing).toMatchObject({
      status: "open",
      by: "dana@example.com",
      roles: ["till"],
      toolVersion: "1",
      expiresAt: "2026-01-08T00:00:00.000Z",
      used: [],
    });
    const first = await started(service, program);
    expect((await service.json(`/v1/threads/${first}`, { token })).body.status).toBe("completed");
    await started(service, program);
    expect(await service.openRequests()).toHaveLength(1); // the second one asks
    expect((await service.json("/v1/standing", { token })).body).toEqual({ standing: [] });
    const { standing } = (await service.json("/v1/standing?all=true", { token })).body;
    expect(standing).toMatchObject([
      { standingId, status: "used_up", used: [{ threadId: first, key: "act:pay#1" }] },
    ]);
    const { events } = (await service.json(`/v1/threads/${standingId}/events`, { token })).body;
    expect(events.map(({ type }: { type: string }) => type)).toEqual(["thread_started", "standing_used"]);
  });

  test("ends when it is revoked, once, and the log says by whom and why", async () => {
    const service = await open({ agents: [desk()], people });
    const { standingId } = (
      await service.json("/v1/standing", { body: grant, token: await service.token(["decide"]) })
    ).body.standing;
    const path = `/v1/standing/${standingId}/revoke`;
    const token = await service.token(["decide"], { principal: "lee@example.com" });
    const { status, body } = await service.json(path, { body: { why: "no more change" }, token });
    expect(status).toBe(200);
    expect(body.standing).toMatchObject({
      status: "revoked",
      revoked: { by: "lee@example.com", why: "no more change" },
    });
    await started(service, await service.token(["run"], { principal: "kim@example.com" }));
    expect(await service.openRequests()).toHaveLength(1);
    const again = await service.json(path, { body: { why: "again" } });
    expect(again.body).toEqual(body); // the first word stands
  });

  test.each([
    {
      name: "by somebody who is no approver",
      body: grant,
      principal: "lee@example.com",
      status: 422,
      code: "standing_invalid",
    },
    {
      name: "by a token that only reads and runs",
      body: grant,
      scopes: ["read", "run"],
      status: 403,
      code: "scope_missing",
    },
    {
      name: "without a condition on a risky tool",
      body: { ...grant, where: [] },
      status: 422,
      code: "standing_invalid",
    },
    {
      name: "of a tool that the agent has not",
      body: { ...grant, tool: "burn" },
      status: 422,
      code: "standing_invalid",
    },
    {
      name: "for longer than 90 days",
      body: { ...grant, expiresAt: "2026-06-01T00:00:00Z" },
      status: 422,
      code: "standing_invalid",
    },
    { name: "until no time", body: { ...grant, expiresAt: "soon" }, status: 400, code: "usage" },
    {
      name: "with roles that it names itself",
      body: { ...grant, roles: ["till"] },
      status: 400,
      code: "usage",
    },
    {
      name: "with a condition that is none",
      body: { ...grant, where: [{ path: "$.cents", less: 3 }] },
      status: 400,
      code: "usage",
    },
  ])(
    "is refused $name",
    async ({ body, principal = "dana@example.com", scopes = ["decide"], status, code }) => {
      const service = await open({ agents: [desk()], people });
      const token = await service.token(scopes as ["decide"], { principal });
      expect(await service.json("/v1/standing", { body, token })).toMatchObject({ status, body: { code } });
      expect((await service.json("/v1/standing?all=true")).body).toEqual({ standing: [] });
    },
  );
});

describe("a flag over HTTP", () => {
  test("is in the log and in the numbers, once for each person, also after the end", async () => {
    const service = await open({ agents: [desk()], people });
    await service.json("/v1/standing", { body: grant, token: await service.token(["decide"]) });
    const threadId = await started(service, await service.token(["run"], { principal: "kim@example.com" }));
    const token = await service.token(["decide"]);
    const flag = (given: string) =>
      service.json(flagPath(threadId), { body: { why: "the wrong order" }, token: given });
    expect(await flag(token)).toMatchObject({
      status: 200,
      body: { threadId, key: "act:pay#1", first: true },
    });
    expect((await flag(token)).body.first).toBe(false);
    expect((await service.events(threadId)).at(-1)).toMatchObject({
      type: "action_flagged",
      key: "act:pay#1",
      by: "dana@example.com",
      why: "the wrong order",
    });
    const { total } = (await service.json("/v1/stats?since=1h")).body;
    expect(total.misoperation).toMatchObject({ count: 1, of: 1, flags: 1 });
  });

  test("is refused for what did not run, without a reason, and without the scope", async () => {
    const service = await open({ agents: [desk()], people });
    const threadId = await started(service, await service.token(["run"], { principal: "kim@example.com" }));
    const body = { why: "wrong" };
    expect(await service.json(flagPath(threadId), { body })).toMatchObject({
      status: 404,
      body: { code: "operation_not_found" },
    });
    expect(await service.json(flagPath("th_none"), { body })).toMatchObject({
      status: 404,
      body: { code: "thread_not_found" },
    });
    expect(await service.json(flagPath(threadId), { body: {} })).toMatchObject({
      status: 400,
      body: { code: "usage" },
    });
    const token = await service.token(["read", "run"]);
    expect(await service.json(flagPath(threadId), { body, token })).toMatchObject({
      status: 403,
      body: { code: "scope_missing" },
    });
  });
});
