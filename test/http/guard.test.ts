// Who gets in, and with what: everything here is refused before a route is asked, or lets nothing through that was not meant.
import { describe, expect, test } from "vitest";
import { agent } from "../../src/core/agent.ts";
import type { AccessEntry } from "../../src/server/access-log.ts";
import { type SendOptions, servicesOfEachTest } from "../kit/http.ts";

const open = servicesOfEachTest();
const agents = [agent({ name: "desk", prompt: "Work." })];
const start = { body: { agent: "desk", input: "go" } };

describe("tokens", () => {
  test.each([
    ["no token", null],
    ["one that was never made", `hp_${"A".repeat(43)}`],
    ["one of another form", "dana"],
  ])("%s is answered 401, which tells how", async (_name, token) => {
    const { json } = await open({ agents });
    const { status, body, headers } = await json("/v1/threads", { token });
    expect([status, body.code]).toEqual([401, "unauthenticated"]);
    expect(headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect(body.fix).toContain("holdpoint token create");
  });

  test("another scheme is answered 401", async () => {
    const { json } = await open({ agents });
    expect(
      (await json("/v1/threads", { token: null, headers: { authorization: "Basic aGk6aGk=" } })).status,
    ).toBe(401);
  });

  test("one that expired, or was revoked, opens nothing from then on", async () => {
    const service = await open({ agents });
    const short = await service.token(["read"], { expiresInMs: 1_000 });
    const other = await service.token(["read"], { principal: "sam@example.com" });
    expect((await service.json("/v1/threads", { token: short })).status).toBe(200);
    await service.clock.advance(1_000);
    expect((await service.json("/v1/threads", { token: short })).body.detail).toContain("expired");
    const row = (await service.sqlite.tokens.list()).find(({ principal }) => principal === "sam@example.com");
    await service.sqlite.tokens.revoke(row?.tokenId ?? "", "2026-01-01T00:00:00.000Z");
    expect((await service.json("/v1/threads", { token: other })).body.detail).toContain("revoked");
  });

  const matrix: readonly (readonly [string, SendOptions, string])[] = [
    ["/v1/threads", {}, "read"],
    ["/v1/threads", start, "run"],
    ["/v1/threads/t/cancel", { body: { why: "x" } }, "run"],
    ["/v1/threads/t/fork", { body: { at: 1 } }, "run"],
    ["/v1/threads/t/signals/s", { body: {} }, "run"],
    ["/v1/threads/t/events", {}, "read"],
    ["/v1/requests", {}, "read"],
    ["/v1/requests/r/verdict", { body: { verdict: { kind: "approve" } } }, "decide"],
    ["/v1/agents", {}, "read"],
    ["/metrics", {}, "read"],
  ];
  test.each(matrix)("%s %j needs the scope %s", async (path, options, scope) => {
    const service = await open({ agents });
    const others = (["read", "run", "decide"] as const).filter((other) => other !== scope);
    const refused = await service.json(path, { ...options, token: await service.token(others) });
    expect([refused.status, refused.body.code]).toEqual([403, "scope_missing"]);
    expect(refused.body.detail).toContain(scope);
    const allowed = await service.send(path, { ...options, token: await service.token([scope as "read"]) });
    expect([401, 403]).not.toContain(allowed.status);
  });

  test("are kept as a hash: the file does not hold their text", async () => {
    const service = await open({ agents });
    const text = await service.token(["read"]);
    const { readFileSync } = await import("node:fs");
    const bytes = [service.path, `${service.path}-wal`].map((path) => readFileSync(path, "latin1")).join("");
    expect(bytes).toContain("dana@example.com");
    expect(bytes).not.toContain(text.slice(3));
  });

  test("note their last use, but not every one", async () => {
    const service = await open({ agents });
    const used = async () => (await service.sqlite.tokens.list())[0]?.usedAt;
    await service.json("/v1/threads");
    const first = await used();
    await service.clock.advance(60_000);
    await service.json("/v1/threads");
    expect(await used()).toBe(first);
    await service.clock.advance(300_000);
    await service.json("/v1/threads");
    expect(await used()).toBe("2026-01-01T00:06:00.000Z");
  });
});

describe("the host", () => {
  test.each([
    "evil.example.com",
    "localhost.evil.example.com",
    "",
    "a b",
    "127.0.0.1.evil.example.com:80",
    "10.0.0.1",
  ])("%j is refused: a name that was rebound to this machine", async (host) => {
    const { json } = await open({ agents });
    const { status, body } = await json("/v1/threads", { headers: { host } });
    expect([status, body.code]).toEqual([403, "origin_refused"]);
  });

  test.each([
    "localhost",
    "LOCALHOST:80",
    "127.0.0.1:7433",
    "[::1]:7433",
    "approve.example.com",
    "desk.internal:99",
  ])("%j is taken: the loopback, and what was named", async (host) => {
    const names = { publicUrl: "https://approve.example.com", allowedHosts: ["desk.internal"] };
    const { json } = await open({ agents, ...names });
    expect((await json("/v1/threads", { headers: { host } })).status).toBe(200);
  });

  test("by number is taken where all addresses are listened on", async () => {
    const { json } = await open({ agents, allowedHosts: ["0.0.0.0"] });
    expect((await json("/livez", { headers: { host: "10.0.0.1:7433" } })).status).toBe(200);
    expect((await json("/livez", { headers: { host: "evil.example.com" } })).status).toBe(403);
  });
});

describe("a page of another site", () => {
  test.each<Readonly<Record<string, string>>>([
    { origin: "https://evil.example.com" },
    { origin: "null" },
    { origin: "http://localhost:1" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: "http://localhost:7433" },
  ])("cannot start anything: %j", async (headers) => {
    const { json } = await open({ agents });
    const { status, body } = await json("/v1/threads", { ...start, headers });
    expect([status, body.code]).toEqual([403, "origin_refused"]);
    expect((await json("/v1/threads")).body.threads).toEqual([]);
  });

  test.each<Readonly<Record<string, string>>>([
    { origin: "http://localhost:7433" },
    { origin: "null", "sec-fetch-site": "same-origin" },
    { "sec-fetch-site": "none" },
  ])("is not what a program or a page of ours is: %j", async (headers) => {
    const { json } = await open({ agents });
    expect((await json("/v1/threads", { ...start, headers })).status).toBe(201);
  });

  test("gets no permission to ask", async () => {
    const { send } = await open({ agents });
    const headers = { origin: "https://evil.example.com", "access-control-request-method": "POST" };
    const response = await send("/v1/threads", { method: "OPTIONS", headers, token: null });
    expect(response.status).toBe(403);
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

describe("bodies", () => {
  test.each<readonly [string, SendOptions, number, string]>([
    [
      "too long",
      { rawBody: JSON.stringify({ agent: "desk", input: "x".repeat(2_000) }) },
      413,
      "body_too_large",
    ],
    [
      "of another type",
      { ...start, headers: { "content-type": "text/plain" } },
      415,
      "media_type_unsupported",
    ],
    [
      "of a form",
      { rawBody: "agent=desk", headers: { "content-type": "application/x-www-form-urlencoded" } },
      415,
      "media_type_unsupported",
    ],
    [
      "in another encoding",
      { ...start, headers: { "content-type": "application/json; charset=latin1" } },
      415,
      "media_type_unsupported",
    ],
    ["cut off", { rawBody: '{"agent":"desk"' }, 400, "invalid_json"],
    ["empty", { rawBody: "", method: "POST" }, 400, "invalid_json"],
    ["not in UTF-8", { rawBody: new Uint8Array([0x22, 0xff, 0x22]) }, 400, "invalid_json"],
    [
      "nested too deep",
      { rawBody: `{"agent":"desk","input":${"[".repeat(400)}${"]".repeat(400)}}` },
      400,
      "invalid_json",
    ],
    ["with a value that no log can hold", { rawBody: `{"agent":"desk","input":1e999}` }, 400, "invalid_json"],
  ])("that are %s are refused", async (_name, options, status, code) => {
    const { json } = await open({ agents, maxBodyBytes: 1_000 });
    const answer = await json("/v1/threads", options);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect((await json("/v1/threads")).body.threads).toEqual([]);
  });

  test("that never end are given up when they are too long, and when they are too slow", async () => {
    const service = await open({ agents, maxBodyBytes: 1_000, bodyTimeoutMs: 5_000 });
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(100)),
    });
    expect((await service.json("/v1/threads", { rawBody: endless })).body.code).toBe("body_too_large");
    const silent = new ReadableStream<Uint8Array>({});
    const answer = service.json("/v1/threads", { rawBody: silent });
    await expect.poll(() => service.clock.pending).toBe(1);
    await service.clock.advance(5_000);
    expect(await answer).toMatchObject({ status: 408, body: { code: "body_too_slow", retryable: true } });
  });

  test("whose members would change what an object is are data", async () => {
    const { json, events } = await open({ agents });
    const rawBody = `{"agent":"desk","input":{"__proto__":{"admin":true}}}`;
    const { body } = await json("/v1/threads", { rawBody });
    expect(JSON.stringify((await events(body.threadId))[0])).toContain('{"__proto__":{"admin":true}}');
  });
});

describe("the rate", () => {
  test("of each token is limited, and says when to come back", async () => {
    const service = await open({ agents, rateLimit: { perSecond: 2, burst: 3 } });
    const other = await service.token(["read"]);
    for (let index = 0; index < 3; index++) expect((await service.json("/v1/threads")).status).toBe(200);
    const limited = await service.json("/v1/threads");
    expect([limited.status, limited.body.code]).toEqual([429, "rate_limited"]);
    expect(limited.headers.get("retry-after")).toBe("1");
    expect((await service.json("/v1/threads", { token: other })).status).toBe(200);
    expect((await service.json("/livez", { token: null })).status).toBe(200);
    await service.clock.advance(500);
    expect((await service.json("/v1/threads")).status).toBe(200);
    expect((await service.json("/v1/threads")).status).toBe(429);
  });

  test("of one address is limited, also with tokens that are none", async () => {
    const { json } = await open({ agents, rateLimit: { perSecond: 2, burst: 3 } });
    const guess = async (index: number): Promise<number> =>
      (await json("/v1/threads", { token: `hp_${String(index).padStart(43, "0")}` })).status;
    expect([await guess(1), await guess(2), await guess(3), await guess(4)]).toEqual([401, 401, 401, 429]);
  });
});

test("tokens that open nothing are guessed at no faster than none at all is sent", async () => {
  const service = await open({ agents, rateLimit: { perSecond: 2, burst: 3 } });
  const statuses: number[] = [];
  for (const letter of "ABCDE")
    statuses.push((await service.json("/v1/threads", { token: `hp_${letter.repeat(43)}` })).status);
  expect(statuses).toEqual([401, 401, 401, 429, 429]);
  expect((await service.json("/v1/threads")).status).toBe(200); // whoever has one is not held up by it
});

describe("answers", () => {
  test("carry the request's id, the sender's when it is well-formed", async () => {
    const { json } = await open({ agents });
    const given = await json("/v1/threads", { headers: { "x-request-id": "trace-1" } });
    expect(given.headers.get("x-request-id")).toBe("trace-1");
    const odd = await json("/v1/nothing", { headers: { "x-request-id": "a b<script>" } });
    expect(odd.headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{16}$/);
    expect(odd.body).toMatchObject({
      status: 404,
      code: "route_not_found",
      requestId: odd.headers.get("x-request-id"),
    });
    expect(odd.headers.get("content-type")).toBe("application/problem+json");
  });

  test("say which methods an address takes", async () => {
    const { json } = await open({ agents });
    const { status, headers } = await json("/v1/threads", { method: "DELETE" });
    expect([status, headers.get("allow")]).toEqual([405, "GET, POST"]);
  });

  test("are framed by nobody, sniffed by nobody, kept by nobody", async () => {
    const { json } = await open({ agents });
    for (const path of ["/v1/threads", "/v1/nothing", "/livez"]) {
      const { headers } = await json(path);
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cache-control")).toBe("no-store");
    }
  });

  test("of HEAD have no body", async () => {
    const { send } = await open({ agents });
    const response = await send("/v1/threads", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  test("to faults of ours tell no more than an id; the log tells the rest, and no secret", async () => {
    const log: AccessEntry[] = [];
    const service = await open({
      agents,
      log: (entry) => log.push(entry),
      secrets: new Map([["KEY", "sesame-open"]]),
    });
    const path = "/v1/threads?cursor=7";
    service.runtime.store.threads = () => Promise.reject(new TypeError("sesame-open at /srv/secret.db"));
    const { status, body } = await service.json(path, { headers: { "x-request-id": "r1" } });
    expect([status, body.code]).toEqual([500, "internal"]);
    expect(JSON.stringify(body)).not.toMatch(/sesame|srv|at /);
    expect(log).toEqual([
      expect.objectContaining({
        requestId: "r1",
        path: "/v1/threads",
        status: 500,
        code: "internal",
        principal: "dana@example.com",
      }),
    ]);
    expect(log[0]?.error).toContain("[secret KEY] at /srv/secret.db");
    expect(JSON.stringify(log)).not.toContain("hp_");
  });
});

describe("what has no token, or many streams", () => {
  const asked: string[] = [];
  const mounts = new Map([
    [
      "/hooks/shop",
      async () => {
        asked.push("shop");
        return new Response("signed?");
      },
    ],
  ]);

  test("a mount is asked no more often by one address than the rate allows, before it looks at anything", async () => {
    asked.length = 0;
    const service = await open({ agents, mounts, rateLimit: { perSecond: 1, burst: 2 } });
    const from = async (remote: string, forwarded?: string) => {
      const headers = { host: "localhost", ...(forwarded !== undefined && { "x-forwarded-for": forwarded }) };
      const request = new Request("http://localhost/hooks/shop", { method: "POST", body: "x", headers });
      return (await service.server.fetch(request, { remote })).status;
    };
    const far = "203.0.113.7";
    expect([await from(far), await from(far), await from(far)]).toEqual([200, 200, 429]);
    expect(await from(far, "198.51.100.1")).toBe(429); // it says what it likes
    expect(await from("198.51.100.2")).toBe(200);
    expect(asked).toHaveLength(3);
    expect([await from("::ffff:127.0.0.1", `9.9.9.9, ${far}`), await from("127.0.0.1", far)]).toEqual([
      429, 429,
    ]);
    expect(await from("127.0.0.1", "198.51.100.3")).toBe(200); // another one behind the proxy of this machine
    expect((await service.json("/v1/threads")).status).toBe(200); // tokens have buckets of their own
    await service.clock.advance(1_000);
    expect(await from(far)).toBe(200);
  });

  test("a token holds no more than its share of the streams, and gives back what ends", async () => {
    const asker = agent({ name: "asker", flow: (t) => t.ask("Who?") });
    const service = await open({ agents: [asker], maxStreams: 8 }); // two of them for each token
    const { threadId } = (await service.json("/v1/threads", { body: { agent: "asker" } })).body;
    const [one, other] = [await service.token(["read"]), await service.token(["read"])];
    const follow = (token: string) =>
      service.send(`/v1/threads/${threadId}/events`, { token, headers: { accept: "text/event-stream" } });
    const held = [await follow(one), await follow(one)];
    const refused = await follow(one);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
    expect(await refused.json()).toMatchObject({ code: "too_many_streams" });
    const others = await follow(other);
    expect(others.status).toBe(200);
    await held[0]?.body?.cancel();
    const again = await follow(one);
    expect(again.status).toBe(200);
    for (const response of [held[1], others, again]) await response?.body?.cancel();
  });

  test("a proxy that is no address is refused", async () => {
    for (const entry of ["proxy.example.com", "10.0.0.0/33", "10.0.0.0/x", ""])
      await expect(open({ agents, trustedProxies: [entry] })).rejects.toMatchObject({ code: "usage" });
  });
});

describe("mounts", () => {
  const seen: { readonly body: string; readonly remote: string | null }[] = [];
  const mounts = new Map([
    [
      "/hooks/shop",
      async (request: Request, { remote }: { readonly remote: string | null }) => {
        seen.push({ body: await request.text(), remote });
        return Response.json({ path: new URL(request.url).pathname });
      },
    ],
  ]);

  test("get the bytes that came, without a token, at their path and below it", async () => {
    const log: AccessEntry[] = [];
    const { json } = await open({ agents, mounts, log: (entry) => log.push(entry) });
    const rawBody = '{ "a":1,  "a":2 }\r\n';
    const { status, body, headers } = await json("/hooks/shop/secret-link", { rawBody, token: null });
    expect([status, body.path]).toEqual([200, "/hooks/shop/secret-link"]);
    expect(seen.at(-1)).toEqual({ body: rawBody, remote: "127.0.0.1" });
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(log[0]?.path).toBe("/hooks/shop");
  });

  test("get no more than 1 MiB, nothing of another host, and nothing from another site's page", async () => {
    const { json } = await open({ agents, mounts });
    const before = seen.length;
    const rawBody = "x".repeat(1024 * 1024 + 1);
    expect((await json("/hooks/shop", { rawBody, token: null })).status).toBe(413);
    expect((await json("/hooks/shop", { rawBody: "x", headers: { host: "evil.example.com" } })).status).toBe(
      403,
    );
    expect(
      (await json("/hooks/shop", { rawBody: "x", headers: { "sec-fetch-site": "cross-site" } })).status,
    ).toBe(403);
    expect((await json("/hooks/other", { rawBody: "x" })).status).toBe(404);
    expect(seen.length).toBe(before);
  });
});
