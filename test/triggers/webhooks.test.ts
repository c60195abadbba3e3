// Inbound webhooks: what a sender can bring about, and what it cannot.
import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { serve } from "@hono/node-server";
import { Webhook as Signer } from "standardwebhooks";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { agent } from "../../src/core/agent.ts";
import type { Mount } from "../../src/ports/mount.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import {
  github,
  standardWebhook,
  type Webhook,
  webhook,
  webhookSecrets,
} from "../../src/triggers/webhook.ts";
import { mountWebhooks } from "../../src/triggers/webhook-mount.ts";
import { runtimesOfEachTest, type TestRuntime, tempFolder } from "../kit/runtime.ts";

const secret = `whsec_${Buffer.from("0123456789abcdef01234567").toString("base64")}`;
const githubSecret = "a secret of a repository";
const context = { signal: new AbortController().signal, remote: null };

const orders = agent({
  name: "orders",
  input: z.object({ order: z.string().max(20) }),
  flow: async (t, input) => {
    const paid = await t.wait("paid");
    return { input, paid: paid.kind === "received" ? paid.value : null };
  },
});

const shop = webhook({ name: "shop", verify: standardWebhook({ secrets: [secret] }), agent: "orders" });
const repo = webhook({
  name: "repo",
  verify: github({ secrets: [githubSecret] }),
  agent: "orders",
  input: ({ event, body }) =>
    event === "issues" ? { order: z.object({ id: z.string() }).parse(body).id } : undefined,
});
const payments = webhook({
  name: "payments",
  verify: standardWebhook({ secrets: [secret] }),
  signal: ({ body }) => {
    const { threadId, cents } = z.object({ threadId: z.string(), cents: z.number() }).parse(body);
    return cents > 0 ? { threadId, signal: "paid", value: { cents } } : undefined;
  },
});
const webhooks = [shop, repo, payments];

const openRuntime = runtimesOfEachTest();

interface Service extends TestRuntime {
  readonly mounts: ReadonlyMap<string, Mount>;
  post(name: string, request: Request): Promise<Answer>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: documents of several shapes, told apart by what is expected of them.
  readonly document: any;
}

async function open(hooks: readonly Webhook[] = webhooks): Promise<Service> {
  const opened = await openRuntime({ agents: [orders], secrets: webhookSecrets(webhooks) });
  const mounts = mountWebhooks(opened.runtime, hooks);
  return { ...opened, mounts, post: (name, request) => post(mounts, name, request) };
}

async function post(mounts: ReadonlyMap<string, Mount>, name: string, request: Request): Promise<Answer> {
  const mount = mounts.get(`/hooks/${name}`);
  if (!mount) throw new Error(`there is no mount ${name}`);
  const response = await mount(request, context);
  return { status: response.status, headers: response.headers, document: await response.json() };
}

interface Sent {
  readonly id?: string;
  readonly at?: number;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function signedHeaders(
  body: string,
  atMs: number,
  { id = "msg_1", key = secret }: Sent = {},
): Record<string, string> {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(atMs / 1_000),
    "webhook-signature": new Signer(key).sign(id, new Date(atMs), body),
  };
}

function signed({ clock }: Service, body: string, sent: Sent = {}): Request {
  const headers = { ...signedHeaders(body, sent.at ?? clock.now(), sent), ...sent.headers };
  return new Request("http://localhost/hooks/shop", { method: "POST", body, headers });
}

function fromGitHub(body: string, { delivery = "d-1", event = "issues" } = {}): Request {
  const signature = `sha256=${createHmac("sha256", githubSecret).update(body).digest("hex")}`;
  return new Request("http://localhost/hooks/repo", {
    method: "POST",
    body,
    headers: {
      "x-hub-signature-256": signature,
      "x-github-delivery": delivery,
      "x-github-event": event,
      "content-type": "application/json",
    },
  });
}

async function threads({ runtime }: TestRuntime): Promise<number> {
  return (await runtime.store.threads({ limit: 1_000 })).rows.length;
}

describe("a signed message", () => {
  test("starts one thread in the webhook's name, with its body as the input", async () => {
    const service = await open();
    const { status, document } = await service.post("shop", signed(service, '{"order":"A7"}'));
    expect({ status, document }).toEqual({
      status: 202,
      document: { threadId: expect.any(String), created: true },
    });
    const [started] = await service.events(document.threadId);
    expect(started).toMatchObject({ by: "webhook:shop", agent: "orders", input: { value: { order: "A7" } } });
  });

  test("delivered again, and replayed within its time, starts it once", async () => {
    const service = await open();
    const first = await service.post("shop", signed(service, '{"order":"A7"}'));
    await service.clock.advance(60_000);
    const again = await service.post("shop", signed(service, '{"order":"A7"}')); // signed anew, as senders do
    const replayed = await service.post(
      "shop",
      signed(service, '{"order":"A7"}', { at: service.clock.now() - 60_000 }),
    );
    for (const { status, document } of [again, replayed])
      expect({ status, document }).toEqual({
        status: 202,
        document: { threadId: first.document.threadId, created: false },
      });
    expect(await threads(service)).toBe(1);
  });

  test("that arrives forty times at once at two processes starts one thread", async () => {
    const one = await open();
    const other = await open();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => {
        const service = index % 2 === 0 ? one : other;
        return service.post("shop", signed(service, '{"order":"A7"}'));
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(answers.filter(({ document }) => document.created)).toHaveLength(1);
    expect(await threads(one)).toBe(1);
  });

  test("with another id starts another thread", async () => {
    const service = await open();
    await service.post("shop", signed(service, '{"order":"A7"}'));
    await service.post("shop", signed(service, '{"order":"A7"}', { id: "msg_2" }));
    expect(await threads(service)).toBe(2);
  });

  test("of GitHub is mapped, left alone, or answered when it only asks", async () => {
    const service = await open();
    expect((await service.post("repo", fromGitHub('{"id":"A7"}'))).status).toBe(202);
    expect((await service.post("repo", fromGitHub('{"id":"A7"}'))).document.created).toBe(false);
    const push = await service.post("repo", fromGitHub('{"id":"A7"}', { delivery: "d-2", event: "push" }));
    const ping = await service.post("repo", fromGitHub('{"zen":"x"}', { delivery: "d-3", event: "ping" }));
    for (const { status, document } of [push, ping])
      expect({ status, document }).toEqual({ status: 200, document: { ignored: true } });
    expect(await threads(service)).toBe(1);
  });

  test("of GitHub, replayed under another id, starts nothing where the body counts", async () => {
    const verify = github({ secrets: [githubSecret], onceBy: "body" });
    const service = await open([
      webhook({ name: "repo", verify, agent: "orders", input: () => ({ order: "A7" }) }),
    ]);
    const first = await service.post("repo", fromGitHub('{"id":"A7"}'));
    const replay = await service.post("repo", fromGitHub('{"id":"A7"}', { delivery: "d-forged" }));
    expect(replay.document).toEqual({ threadId: first.document.threadId, created: false });
  });
});

test("a sender is to come back when the agent is not ready", async () => {
  const opened = await openRuntime({
    agents: [orders],
    secrets: webhookSecrets(webhooks),
    unready: new Map([["orders", ["prompt_secret"]]]),
  });
  const mounts = mountWebhooks(opened.runtime, webhooks);
  const service = { ...opened, mounts, post: async () => Promise.reject(new Error("unused")) };
  const { status, document, headers } = await post(mounts, "shop", signed(service, '{"order":"A7"}'));
  expect({ status, code: document.code, retry: headers.has("retry-after") }).toEqual({
    status: 503,
    code: "check_failed",
    retry: true,
  });
  expect(JSON.stringify(document)).not.toContain("prompt_secret");
  expect(await threads(opened)).toBe(0);
});

describe("a signal by webhook", () => {
  test("reaches the thread that waits for it, once", async () => {
    const service = await open();
    const { threadId } = await startThread(
      service.runtime,
      "orders",
      { order: "A7" },
      { by: "dana@example.com" },
    );
    await service.settle(threadId);
    const body = JSON.stringify({ threadId, cents: 500 });
    for (let times = 0; times < 3; times++)
      expect(await service.post("payments", signed(service, body))).toMatchObject({
        status: 202,
        document: { threadId, signal: "paid" },
      });
    await service.settle(threadId);
    const events = await service.events(threadId);
    expect(events.filter(({ type }) => type === "signal_received")).toMatchObject([
      { by: "webhook:payments", signalId: "webhook:payments:msg_1", value: { cents: 500 } },
    ]);
    expect(events.at(-1)?.type).toBe("thread_completed");
    expect((await service.post("payments", signed(service, body))).status).toBe(202); // answered as before, though it ended
  });

  test("is refused where there is no thread to take it, and left alone when it is not for one", async () => {
    const service = await open();
    const { threadId } = await startThread(
      service.runtime,
      "orders",
      { order: "A7" },
      { by: "dana@example.com" },
    );
    await service.settle(threadId);
    const send = (id: string, cents: number, to = threadId): Promise<Answer> =>
      service.post("payments", signed(service, JSON.stringify({ threadId: to, cents }), { id }));
    expect(await send("msg_1", 1, "th_none")).toMatchObject({
      status: 404,
      document: { code: "thread_not_found" },
    });
    expect(await send("msg_2", 0)).toMatchObject({ status: 200, document: { ignored: true } });
    await send("msg_3", 1);
    await service.settle(threadId);
    expect(await send("msg_4", 1)).toMatchObject({ status: 409, document: { code: "thread_ended" } });
  });
});

describe("a message is refused, and starts nothing,", () => {
  const order = '{"order":"A7"}';

  test.each<[string, number, string, (service: Service) => Request]>([
    ["by another method", 405, "method_not_allowed", () => new Request("http://localhost/hooks/shop")],
    [
      "without a signature",
      401,
      "signature_invalid",
      () => new Request("http://x/", { method: "POST", body: order }),
    ],
    ["without a body", 401, "signature_invalid", () => new Request("http://x/", { method: "POST" })],
    [
      "signed by another secret",
      401,
      "signature_invalid",
      (service) =>
        signed(service, order, {
          key: `whsec_${Buffer.from("76543210fedcba9876543210").toString("base64")}`,
        }),
    ],
    [
      "signed more than five minutes ago",
      401,
      "signature_invalid",
      (service) => signed(service, order, { at: service.clock.now() - 301_000 }),
    ],
    [
      "signed for another id",
      401,
      "signature_invalid",
      (service) => signed(service, order, { headers: { "webhook-id": "msg_other" } }),
    ],
    ["with a body that is no JSON", 400, "message_invalid", (service) => signed(service, "order=A7")],
    ["with an empty body", 400, "message_invalid", (service) => signed(service, "")],
    ["of a wrong shape", 422, "invalid_input", (service) => signed(service, '{"orders":7}')],
    [
      "that nests too deep",
      400,
      "message_invalid",
      (service) => signed(service, "[".repeat(5_000) + "]".repeat(5_000)),
    ],
    [
      "too large, as it says",
      413,
      "body_too_large",
      (service) => signed(service, JSON.stringify({ order: "x".repeat(1024 * 1024) })),
    ],
    [
      "compressed",
      415,
      "media_type_unsupported",
      (service) => signed(service, order, { headers: { "content-encoding": "gzip" } }),
    ],
  ])("%s", async (_name, status, code, make) => {
    const service = await open();
    const answer = await service.post("shop", make(service));
    expect({ status: answer.status, code: answer.document.code }).toEqual({ status, code });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await threads(service)).toBe(0);
  });

  test.each([
    ['{"order":12345678901234567890}', '"12345678901234567890" has more digits than a number keeps'],
    ['{"order":"A7","order":"A8"}', '"order" is given twice in one object'],
    [`{"${githubSecret}":1,"${githubSecret}":2}`, '"[secret webhook repo 1]" is given twice in one object'],
  ])("that two readers would take for two things, saying why: %s", async (body, why) => {
    const service = await open();
    const { status, document } = await service.post("shop", signed(service, body));
    expect({ status, code: document.code }).toEqual({ status: 400, code: "message_invalid" });
    expect(document.detail).toContain(why);
    expect(await threads(service)).toBe(0);
  });

  test("of GitHub without a delivery id", async () => {
    const service = await open();
    for (const delivery of ["", "a b", "d-1, d-1"])
      expect(await service.post("repo", fromGitHub('{"id":"A7"}', { delivery }))).toMatchObject({
        status: 400,
        document: { code: "message_invalid" },
      });
    expect(await threads(service)).toBe(0);
  });

  test("when its mapping cannot make use of it, without telling what the mapping said", async () => {
    const service = await open();
    const answer = await service.post("repo", fromGitHub('{"id":7}'));
    expect(answer).toMatchObject({
      status: 422,
      document: { code: "invalid_input", detail: "webhook repo cannot make use of this message" },
    });
  });

  test.each([
    { what: "input", more: { agent: "orders", input: async () => Promise.reject(new Error("late")) } },
    { what: "signal", more: { signal: (async () => Promise.reject(new Error("late"))) as never } },
  ])("whose $what is made by a promise: one that fails does not end the service", async ({ more }) => {
    const verify = github({ secrets: [githubSecret] });
    const later = webhook({ name: "repo", verify, ...more } as Parameters<typeof webhook>[0]);
    const opened = await openRuntime({ agents: [orders], secrets: webhookSecrets([later]) });
    const answer = await post(mountWebhooks(opened.runtime, [later]), "repo", fromGitHub('{"id":"A7"}'));
    expect(answer).toMatchObject({ status: 422, document: { code: "invalid_input" } });
  });

  test("saying why without secrets", async () => {
    const picky = agent({
      name: "orders",
      input: z.unknown().refine(() => false, { message: `configured with ${githubSecret}` }),
      flow: async () => null,
    });
    const opened = await openRuntime({ agents: [picky], secrets: webhookSecrets(webhooks) });
    const { status, document } = await post(
      mountWebhooks(opened.runtime, [repo]),
      "repo",
      fromGitHub('{"id":"A7"}'),
    );
    expect(status).toBe(422);
    expect(document.detail).toContain("configured with [secret webhook repo 1]");
  });

  test("larger than allowed without saying so: no more than that is read", async () => {
    const service = await open();
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 64 * 1024;
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    const request = new Request("http://localhost/", { method: "POST", body, duplex: "half" });
    expect((await service.post("shop", request)).status).toBe(413);
    expect(pulled).toBeLessThan(2 * 1024 * 1024);
  });

  test("when its body does not come to an end", async () => {
    const service = await open();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(1)),
    });
    const request = new Request("http://localhost/", { method: "POST", body, duplex: "half" });
    const answer = service.post("shop", request);
    await service.clock.advance(10_000);
    expect(await answer).toMatchObject({ status: 408, document: { code: "body_too_slow" } });
  });

  test("when the service is told to stop while the body arrives", async () => {
    const service = await open();
    const stop = new AbortController();
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(1)),
      cancel: () => {
        isCancelled = true;
      },
    });
    const request = new Request("http://localhost/", { method: "POST", body, duplex: "half" });
    const response = service.mounts.get("/hooks/shop")?.(request, { signal: stop.signal, remote: null });
    stop.abort();
    expect((await response)?.status).toBe(503);
    expect(isCancelled).toBe(true);
  });

  test("with 503 and a time to try again while the store is held, and taken then", async () => {
    const folder = tempFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, "held.db");
    const store = await openSqliteStore({ path, busyMs: 20 });
    const service = await openRuntime({ agents: [orders], secrets: webhookSecrets(webhooks), store });
    const mounts = mountWebhooks(service.runtime, webhooks);
    const send = (): Promise<Answer> => {
      const headers = signedHeaders(order, service.clock.now());
      return post(mounts, "shop", new Request("http://localhost/", { method: "POST", body: order, headers }));
    };
    const holder = new DatabaseSync(path);
    holder.exec("BEGIN IMMEDIATE");
    const refused = await send();
    expect(refused).toMatchObject({ status: 503, document: { code: "store_busy", retryable: true } });
    expect(JSON.stringify(refused.document)).not.toContain(folder.path);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    holder.exec("ROLLBACK");
    holder.close();
    expect(await send()).toMatchObject({ status: 202, document: { created: true } });
  });
});

describe("over a real socket", () => {
  /** As bytes, so that headers may be given twice. */
  async function send(service: Service, lines: readonly string[], body: string): Promise<string> {
    const mount = service.mounts.get("/hooks/shop") as Mount;
    const server = serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => mount(request, context) });
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("it listens nowhere");
    const head = ["POST /hooks/shop HTTP/1.1", "Host: localhost", "Connection: close", ...lines];
    const socket = connect(address.port, "127.0.0.1");
    socket.write(`${head.join("\r\n")}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer.split("\r\n", 1)[0] ?? "";
  }

  test("headers given twice are refused, once they are taken", async () => {
    const service = await open();
    const body = '{"order":"A7"}';
    const lines = Object.entries(signedHeaders(body, service.clock.now())).map((pair) => pair.join(": "));
    for (const twice of lines) expect(await send(service, [...lines, twice], body), twice).toContain(" 401 ");
    expect(await threads(service)).toBe(0);
    expect(await send(service, lines, body)).toContain(" 202 ");
  });
});

describe("a definition that cannot be used is refused", () => {
  const verify = standardWebhook({ secrets: [secret] });

  test.each<[string, () => unknown, RegExp]>([
    ["no secret", () => standardWebhook({ secrets: [] }), /a secret of standard-webhooks .*there is none/],
    ["an empty secret", () => github({ secrets: [""] }), /a secret of github .*missing or empty/],
    [
      "a secret that is not set",
      () => github({ secrets: [undefined as unknown as string] }),
      /missing or empty/,
    ],
    ["a secret that is no base64", () => standardWebhook({ secrets: ["whsec_no"] }), /cannot be used/],
    ["a name that is no part of a path", () => webhook({ name: "a/b", verify, agent: "orders" }), /"a\/b"/],
    ["no name", () => webhook({ verify, agent: "orders" } as never), /"undefined"/],
    [
      "text for a function",
      () => webhook({ name: "a", verify, agent: "orders", input: "body" } as never),
      /either an agent or a signal/,
    ],
    ["no verification", () => webhook({ name: "a", agent: "orders" } as never), /verifies nothing/],
    ["nothing to do", () => webhook({ name: "a", verify } as never), /either an agent or a signal/],
    [
      "a limit of nothing",
      () => webhook({ name: "a", verify, agent: "orders", maxBodyBytes: 0 }),
      /maxBodyBytes/,
    ],
  ])("%s", (_name, define, message) => {
    expect(define).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringMatching(message) }),
    );
  });

  test("where it is mounted: an unknown agent, a name given twice, secrets that are not redacted", async () => {
    const { runtime } = await open();
    const unknown = webhook({ name: "a", verify, agent: "nobody" });
    const other = standardWebhook({
      secrets: [`whsec_${Buffer.from("never declared secret 24").toString("base64")}`],
    });
    const undeclared = webhook({ name: "a", verify: other, agent: "orders" });
    expect(() => mountWebhooks(runtime, [unknown])).toThrow(
      expect.objectContaining({ code: "agent_not_found" }),
    );
    expect(() => mountWebhooks(runtime, [shop, shop])).toThrow('there are two webhooks "shop"');
    expect(() => mountWebhooks(runtime, [undeclared])).toThrow("does not redact the secrets");
    expect([...mountWebhooks(runtime, [webhook({ ...payments, agent: undefined } as never)]).keys()]).toEqual(
      ["/hooks/payments"],
    );
    expect(() => mountWebhooks(runtime, [{ ...shop, name: "a/b" }])).toThrow("its name cannot be used");
  });
});
