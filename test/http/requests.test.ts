import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent } from "../../src/core/agent.ts";
import { gate } from "../../src/core/gate.ts";
import type { Model } from "../../src/ports/model.ts";
import { servicesOfEachTest, type TestService } from "../kit/http.ts";
import { calls, payTool, turns } from "../kit/runtime.ts";

const open = servicesOfEachTest();

interface Held extends TestService {
  readonly requestId: string;
  readonly threadId: string;
  readonly digest: string;
  readonly runs: readonly unknown[];
  verdict(body: unknown, token?: string): ReturnType<TestService["json"]>;
}

/** A payment of five cents that waits for a person. */
async function held(expiresIn: "1h" | "24h" = "24h"): Promise<Held> {
  const tool = payTool({ risk: "high", effect: "once" });
  const model = turns(calls(["pay", { cents: 5 }]), { text: "paid" });
  const desk = agent({ name: "desk", prompt: "Work.", model, tools: [tool], gate: gate({ expiresIn }) });
  const service = await open({ agents: [desk] });
  const { threadId } = (await service.json("/v1/threads", { body: { agent: "desk", input: "go" } })).body;
  await service.settle(threadId);
  const [row] = await service.openRequests();
  const requestId = row?.requestId ?? "";
  return {
    ...service,
    requestId,
    threadId,
    digest: row?.opened.action?.digest ?? "",
    runs: tool.runs,
    verdict: (body, token) =>
      service.json(`/v1/requests/${requestId}/verdict`, { body, ...(token && { token }) }),
  };
}

const approve = { verdict: { kind: "approve" } };
const reject = { verdict: { kind: "reject", why: "too late" } };

describe("a request", () => {
  test("is listed and shown, with what a person is to see", async () => {
    const { json, requestId, digest } = await held();
    const { body } = await json("/v1/requests?status=open");
    expect(body).toMatchObject({
      requests: [{ requestId, status: "open", action: { digest } }],
      nextCursor: null,
    });
    const shown = await json(`/v1/requests/${requestId}`);
    expect(shown.body.view.fields).toContainEqual({ label: "digest", text: digest });
    expect((await json("/v1/requests/r_none")).body.code).toBe("request_not_found");
  });
});

describe("a verdict", () => {
  test("is recorded with the token's principal and the channel, and lets run what was approved", async () => {
    const service = await held();
    const token = await service.token(["decide"], { principal: "sam@example.com" });
    const { status, body } = await service.verdict({ ...approve, digest: service.digest }, token);
    expect([status, body.first]).toEqual([200, true]);
    expect(body.request).toMatchObject({ status: "decided", by: "sam@example.com", via: "http" });
    await service.settle(service.threadId);
    expect(service.runs).toEqual([{ cents: 5, note: "none" }]);
  });

  test("given again is the one that stands; another one is refused, naming who and when", async () => {
    const service = await held();
    await service.verdict(approve);
    expect((await service.verdict(approve)).body).toMatchObject({ first: false });
    const other = await service.verdict(reject);
    expect([other.status, other.body.code]).toEqual([409, "request_already_decided"]);
    expect(other.body.detail).toMatch(/decided by dana@example\.com at 2026-01-01T/);
  });

  test("by many at once is one", async () => {
    const service = await held();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => service.verdict(index % 2 === 0 ? approve : reject)),
    );
    expect(answers.filter(({ body }) => body.first === true)).toHaveLength(1);
    const decided = (await service.events(service.threadId)).filter(({ type }) => type === "request_decided");
    expect(decided).toHaveLength(1);
  });

  test("by a thousand at once, over two services on one store, is one for each request, and each action runs once", async () => {
    const tool = payTool({ risk: "high", effect: "once" });
    const model: Model = {
      id: "test/pay",
      generate: async ({ messages }) => ({
        text: "paid",
        calls: messages.some(({ role }) => role === "tool")
          ? []
          : [{ callId: "m", tool: "pay", args: { cents: 5 } }],
        finish: "stop",
        usage: { inputTokens: 1, outputTokens: 1 },
      }),
    };
    const desk = agent({ name: "desk", prompt: "Work.", model, tools: [tool] });
    const services = [await open({ agents: [desk] }), await open({ agents: [desk] })] as const;
    const [first] = services;
    const starts = await Promise.all(
      Array.from({ length: 100 }, (_, input) =>
        first.json("/v1/threads", { body: { agent: "desk", input } }),
      ),
    );
    const threadIds = starts.map(({ body }) => body.threadId);
    await Promise.all(threadIds.map(first.settle));
    const { requests } = (await first.json("/v1/requests?status=open&limit=1000")).body;
    expect(requests).toHaveLength(100);
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => {
        const path = `/v1/requests/${requests[index % 100].requestId}/verdict`;
        return services[index % 2 === 0 ? 0 : 1].json(path, { body: index % 3 === 0 ? reject : approve });
      }),
    );
    expect(answers.filter(({ body }) => body.first === true)).toHaveLength(100);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
    await Promise.all(threadIds.map(first.settle));
    const { rows } = await first.runtime.store.requests({ status: "decided", limit: 1_000 });
    expect(rows).toHaveLength(100);
    expect(tool.runs).toHaveLength(rows.filter(({ verdict }) => verdict?.kind === "approve").length);
  });

  test("on another action than was shown decides nothing", async () => {
    const service = await held();
    const { status, body } = await service.verdict({ ...approve, digest: "0".repeat(64) });
    expect([status, body.code]).toEqual([409, "digest_mismatch"]);
    expect(await service.openRequests()).toHaveLength(1);
  });

  test("edits, when the edit is valid", async () => {
    const service = await held();
    const bad = await service.verdict({ verdict: { kind: "edit", args: { cents: -1 } } });
    expect([bad.status, bad.body.code]).toEqual([422, "verdict_invalid"]);
    await service.verdict({ verdict: { kind: "edit", args: { cents: 4 } } });
    await service.settle(service.threadId);
    expect(service.runs).toEqual([{ cents: 4, note: "none" }]);
  });

  test("after the deadline, or the end of the thread, is refused", async () => {
    const late = await held("1h");
    await late.clock.advance(3_600_000);
    expect((await late.verdict(approve)).status).toBe(409);
    await late.settle(late.threadId);
    expect(late.runs).toEqual([]);
  });

  test("on a cancelled thread is refused", async () => {
    const service = await held();
    await service.json(`/v1/threads/${service.threadId}/cancel`, { body: { why: "enough" } });
    const { status, body } = await service.verdict(approve);
    expect([status, body.code]).toEqual([409, "request_already_decided"]);
  });

  test.each([
    ["of no kind", { verdict: {} }],
    ["of an unknown kind", { verdict: { kind: "approved" } }],
    ["with a member too many", { verdict: { kind: "approve", to: "me" } }],
    ["beside a member too many", { ...approve, by: "boss@example.com" }],
    ["that rejects without a reason", { verdict: { kind: "reject", why: "" } }],
    ["that edits nothing", { verdict: { kind: "edit" } }],
    ["with a digest that is none", { ...approve, digest: "abc" }],
    ["as text", "approve"],
  ])("%s is refused and decides nothing", async (_name, body) => {
    const service = await held();
    expect((await service.verdict(body)).status).toBe(400);
    expect(await service.openRequests()).toHaveLength(1);
  });

  test("that the request does not take is refused", async () => {
    const service = await held();
    const { status, body } = await service.verdict({ verdict: { kind: "continue" } });
    expect([status, body.code]).toEqual([422, "verdict_invalid"]);
  });

  test.each([" ", "\n\t", "\u200b", "\u00a0\u2003"])(
    "whose reason is blank (%j) is refused and decides nothing",
    async (why) => {
      const service = await held();
      const { status, body } = await service.verdict({ verdict: { kind: "reject", why } });
      expect([status, body.code, body.fix]).toEqual([
        422,
        "verdict_invalid",
        expect.stringContaining("Say why"),
      ]);
      expect(await service.openRequests()).toHaveLength(1);
    },
  );

  test("answers a question that has a schema", async () => {
    const desk = agent({
      name: "desk",
      flow: async (t) => (await t.ask("How many?", { answer: z.number() })) as unknown,
    });
    const service = await open({ agents: [desk] });
    const { threadId } = (await service.json("/v1/threads", { body: { agent: "desk" } })).body;
    await service.settle(threadId);
    const path = `/v1/requests/${(await service.openRequests())[0]?.requestId}/verdict`;
    expect((await service.json(path, { body: { verdict: { kind: "answer", value: "two" } } })).status).toBe(
      422,
    );
    expect((await service.json(path, { body: { verdict: { kind: "answer", value: 2 } } })).status).toBe(200);
  });
});

describe("what a token may decide", () => {
  test("is listed by who it stands for and their roles, and needs the scope", async () => {
    const tool = payTool({ risk: "high", effect: "once" });
    const model = turns(calls(["pay", { cents: 5 }]), { text: "paid" });
    const policy = gate({ approvers: ["role:lead"] });
    const desk = agent({ name: "desk", prompt: "Work.", model, tools: [tool], gate: policy });
    const service = await open({ agents: [desk], people: [{ id: "kim@example.com", roles: ["lead"] }] });
    const lee = await service.token(["run", "read", "decide"], {
      principal: "lee@example.com",
      roles: ["lead"],
    });
    const started = await service.json("/v1/threads", { body: { agent: "desk", input: "go" }, token: lee });
    await service.settle(started.body.threadId);
    const mine = async (token: string) =>
      (await service.json("/v1/requests?decidable=true", { token })).body.requests?.length;
    expect(await mine(lee)).toBe(0); // lee asked for it
    expect(await mine(await service.token(["read", "decide"], { principal: "kim@example.com" }))).toBe(1);
    expect(await mine(await service.token(["read", "decide"], { principal: "dana@example.com" }))).toBe(0);
    const reader = await service.token(["read"], { principal: "kim@example.com" });
    expect(await service.json("/v1/requests?decidable=true", { token: reader })).toMatchObject({
      status: 403,
      body: { code: "scope_missing" },
    });
    expect((await service.json("/v1/requests?decidable=true&status=decided", { token: lee })).body.code).toBe(
      "usage",
    );
  });
});
