// The document says what the service does: it is valid, every operation in it is answered, and what is answered fits it.
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { createClient, HoldpointClientError } from "../../src/client/index.ts";
import { type AgentDefinition, agent } from "../../src/core/agent.ts";
import { gate } from "../../src/core/gate.ts";
import { servicesOfEachTest, type TestService } from "../kit/http.ts";
import { listening } from "../kit/listening.ts";
import { calls, payTool, turns } from "../kit/runtime.ts";

const open = servicesOfEachTest();

function desk(definition: Partial<AgentDefinition<unknown, unknown, unknown>> = {}) {
  const model = turns(calls(["pay", { cents: 5 }]), { text: "paid" });
  const tools = [payTool({ risk: "high", preview: ({ cents }) => `${cents} cents leave the till` })];
  const policy = gate({ remindAfter: ["1h"], escalate: [{ after: "2h", to: ["kim@example.com"] }] });
  return agent({ name: "desk", prompt: "Work.", model, tools, gate: policy, ...definition });
}

const standingGrant = {
  agent: "desk",
  tool: "pay",
  where: [{ path: "$.cents", max: 10 }],
  uses: 2,
  expiresAt: "2026-01-02T01:00:00+01:00",
  why: "small change",
};

async function held(): Promise<TestService & { readonly threadId: string; readonly requestId: string }> {
  const service = await open({ agents: [desk()] });
  const { threadId } = (await service.json("/v1/threads", { body: { agent: "desk", input: "go" } })).body;
  await service.settle(threadId);
  return { ...service, threadId, requestId: (await service.openRequests())[0]?.requestId ?? "" };
}

describe("the document", () => {
  test("is valid OpenAPI 3.1, and needs no token", async () => {
    const { json } = await open({ agents: [], version: "1.2.3" });
    const { status, body } = await json("/openapi.json", { token: null });
    expect([status, body.openapi, body.info.version]).toEqual([200, "3.1.0", "1.2.3"]);
    expect(await new Validator().validate(body)).toEqual({ valid: true });
  });

  test("refuses members that it does not name, in every body that comes in", async () => {
    const { json } = await open({ agents: [] });
    const { components, paths } = (await json("/openapi.json")).body;
    const bodies = Object.values<{
      post?: { requestBody?: { content: Record<string, { schema: { $ref: string } }> } };
    }>(paths)
      .flatMap(({ post }) => post?.requestBody?.content["application/json"]?.schema.$ref ?? [])
      .map((ref) => components.schemas[ref.split("/").at(-1) ?? ""]);
    expect(bodies).toHaveLength(8);
    for (const schema of bodies)
      expect(schema).toMatchObject({ type: "object", additionalProperties: false });
  });

  test("names a scope for all but the probes", async () => {
    const { json } = await open({ agents: [] });
    const { paths } = (await json("/openapi.json")).body;
    const open_ = Object.entries<Record<string, { security: readonly unknown[] }>>(paths)
      .filter(([, operations]) => Object.values(operations).some(({ security }) => security.length === 0))
      .map(([path]) => path);
    expect(open_).toEqual(["/livez", "/readyz"]);
  });

  test("is what is answered: every operation, and every body by its schema", async () => {
    const service = await held();
    const { threadId, requestId } = service;
    const document = (await service.json("/openapi.json")).body;
    const made = (await service.events(threadId)).find(({ type }) => type === "decision_made")?.seq;
    const thread = `/v1/threads/${threadId}`;
    const granted = await service.json("/v1/standing", { body: standingGrant });
    const { standingId } = granted.body.standing;
    const answers: readonly (readonly [string, string, unknown?])[] = [
      ["get /v1/threads", "/v1/threads"],
      ["post /v1/threads", "/v1/threads", { agent: "desk", input: 1 }],
      ["get /v1/threads/{threadId}", thread],
      ["get /v1/threads/{threadId}/events", `${thread}/events`],
      ["get /v1/threads/{threadId}/prompt/{seq}", `${thread}/prompt/${made}`],
      ["post /v1/threads/{threadId}/signals/{name}", `${thread}/signals/paid`, { value: 1 }],
      ["post /v1/threads/{threadId}/fork", `${thread}/fork`, { at: 1 }],
      ["get /v1/requests", "/v1/requests"],
      ["get /v1/requests/{requestId}", `/v1/requests/${requestId}`],
      [
        "post /v1/requests/{requestId}/verdict",
        `/v1/requests/${requestId}/verdict`,
        { verdict: { kind: "approve" } },
      ],
      ["post /v1/threads/{threadId}/cancel", `${thread}/cancel`, { why: "enough" }],
      ["get /v1/standing", "/v1/standing?all=true"],
      ["post /v1/standing", "/v1/standing", standingGrant],
      [
        "post /v1/threads/{threadId}/actions/{key}/flag",
        `${thread}/actions/${encodeURIComponent("act:pay#1")}/flag`,
        { why: "too much" },
      ],
      ["post /v1/standing/{standingId}/revoke", `/v1/standing/${standingId}/revoke`, { why: "over" }],
      ["get /v1/agents", "/v1/agents"],
      ["get /v1/stats", "/v1/stats?since=1h&by=version"],
      ["get /livez", "/livez"],
      ["get /readyz", "/readyz"],
      ["get /metrics", "/metrics"],
    ];
    const operations = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(answers.map(([name]) => name).sort()).toEqual(operations.sort());
    for (const [name, path, body] of answers) {
      const response = await service.send(path, body === undefined ? {} : { body });
      expectToFit(document, name, response.status, response.headers, await response.text());
    }
    for (const name of ["post /v1/standing", "post /v1/standing/{standingId}/revoke"] as const) {
      const [, path = "", body] = answers.find((answer) => answer[0] === name) ?? [];
      expect((await service.send(path, { body })).status).toBe(name.endsWith("revoke") ? 200 : 201);
    }
    const shown = (await service.json(`/v1/requests/${requestId}`)).body.request;
    const named = Object.keys(document.components.schemas.Request.properties);
    expect(Object.keys(shown).filter((member) => !named.includes(member))).toEqual([]);
    const ended = await service.send(thread);
    expectToFit(document, "get /v1/threads/{threadId}", 200, ended.headers, await ended.text());
    const refused = await service.send("/v1/threads/th_none");
    expectToFit(
      document,
      "get /v1/threads/{threadId}",
      refused.status,
      refused.headers,
      await refused.text(),
    );
  });
});

// biome-ignore lint/suspicious/noExplicitAny: a document is looked into by its own rules.
function expectToFit(document: any, name: string, status: number, headers: Headers, text: string): void {
  const [method = "", path = ""] = name.split(" ");
  const { responses } = document.paths[path][method];
  const { content } = responses[status] ?? responses.default;
  const type = (headers.get("content-type") ?? "").split(";")[0] ?? "";
  expect(Object.keys(content), `${name} ${status}`).toContain(type);
  if (!type.endsWith("json")) return;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const schema = { ...content[type].schema, components: document.components };
  const isValid = ajv.validate(schema, JSON.parse(text));
  expect({ name, status, isValid, errors: ajv.errors }).toEqual({
    name,
    status,
    isValid: true,
    errors: null,
  });
}

describe("the client", () => {
  test("does all that the document says, over a real socket", async () => {
    const service = await held();
    const { threadId, requestId } = service;
    const { url } = await listening(service);
    const client = createClient({ url: `${url}/`, token: await service.token(["read", "run", "decide"]) });

    expect(await client.startThread({ agent: "desk", input: "x", key: "k" })).toMatchObject({
      created: true,
    });
    expect(await client.startThread({ agent: "desk", input: "x", key: "k" })).toMatchObject({
      created: false,
    });
    expect((await client.threads({ status: "waiting", limit: 1 })).threads).toMatchObject([{ threadId }]);
    expect((await client.eventPage(threadId, { limit: 1 })).nextCursor).toBe("1");
    const made = (await service.events(threadId)).find(({ type }) => type === "decision_made");
    expect(await client.prompt(threadId, made?.seq ?? 0)).toMatchObject({ threadId, key: "decide#1" });
    expect(await client.agents()).toMatchObject([{ name: "desk", tools: [{ name: "pay", risk: "high" }] }]);

    expect((await client.requests({ status: "open" })).requests.map((request) => request.requestId)).toEqual([
      requestId,
    ]);
    const { request, view } = await client.request(requestId);
    expect(view.title).toBe("Approval needed");
    const digest = request.action?.digest ?? "";
    expect(await client.decide(requestId, { kind: "approve" }, { digest })).toMatchObject({ first: true });

    const { agent: _, tool: __, ...within } = standingGrant;
    const granted = await client.grantStanding({ agent: "desk", tool: "pay", ...within });
    expect(granted).toMatchObject({
      status: "open",
      by: "dana@example.com",
      expiresAt: "2026-01-02T00:00:00.000Z",
    });
    expect(await client.standing()).toEqual([granted]);
    const revoked = await client.revokeStanding(granted.standingId, { why: "enough" });
    expect(revoked).toMatchObject({ status: "revoked", revoked: { by: "dana@example.com", why: "enough" } });
    expect(await client.standing()).toEqual([]);
    expect(await client.standing({ all: true })).toEqual([revoked]);

    await client.sendSignal(threadId, { name: "paid" });
    expect(await client.forkThread(threadId, { at: 1 })).toMatch(/^th_/);
    await service.settle(threadId);
    expect(await client.thread(threadId)).toMatchObject({ status: "completed", output: "paid" });
    expect(await client.flagAction(threadId, "act:pay#1", { why: "too much" })).toBe(true);
    expect(await client.flagAction(threadId, "act:pay#1", { why: "still" })).toBe(false);
    const { total, groups } = await client.stats({ since: "1h", by: "agent" });
    expect(total).toMatchObject({ threads: { ended: 1 }, success: { rate: 1 }, prevented: { held: 1 } });
    expect(groups).toMatchObject([{ agent: "desk", stats: total }]);
    const refused = await client.stats({ since: "soon" }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "usage", status: 400 });
    const types: string[] = [];
    for await (const { type } of client.events(threadId)) types.push(type);
    expect(types).toEqual(await service.types(threadId));
    await expect(client.cancelThread(threadId, { why: "late" })).rejects.toMatchObject({
      code: "thread_ended",
      status: 409,
    });
  });

  test("throws what the service refuses, by its code", async () => {
    const service = await held();
    const { url } = await listening(service);
    const client = createClient({ url, token: await service.token(["read"]) });
    const refused = await client.startThread({ agent: "desk" }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(HoldpointClientError);
    expect(refused).toMatchObject({ code: "scope_missing", status: 403, retryable: false });
    expect((refused as HoldpointClientError).fix).toContain("--scope run");
    expect((refused as HoldpointClientError).requestId).toMatch(/^req_/);
    const nobody = createClient({ url: "http://127.0.0.1:1", token: "hp_x" });
    await expect(nobody.agents()).rejects.toMatchObject({
      code: "unreachable",
      retryable: true,
      status: null,
    });
    const told = new Error("told to stop");
    const signal = AbortSignal.abort(told);
    await expect(client.agents({ signal })).rejects.toBe(told);
    await expect(client.thread("../agents")).rejects.toMatchObject({ code: "thread_not_found" });
  });
});
