// What only a real socket shows: slow clients, many clients, and a stop in the middle of everything.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { sendSignal, startThread } from "../../src/runtime/commands.ts";
import { listen } from "../../src/server/listen.ts";
import { servicesOfEachTest, type TestService } from "../kit/http.ts";
import { listening } from "../kit/listening.ts";

const open = servicesOfEachTest();
const listener = agent({ name: "listener", flow: (t) => t.wait("next") });

/** Sends bytes as they are, and reads until the service hangs up. */
async function raw(url: string, request: string): Promise<string> {
  const socket = await dial(url);
  socket.write(request);
  return text(socket);
}

async function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

async function parked(service: TestService): Promise<string> {
  const { threadId } = await startThread(service.runtime, "listener", null, { by: "test" });
  await service.settle(threadId);
  return threadId;
}

describe("a client", () => {
  test("that never finishes its headers is let go", async () => {
    const { url } = await listening(await open({ agents: [] }), { headersTimeoutMs: 200 });
    expect(await raw(url, "GET /livez HTTP/1.1\r\nHost: localhost\r\n")).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("that never finishes its body is told so, and let go", async () => {
    const service = await open({ agents: [listener], bodyTimeoutMs: 5_000 });
    const { url } = await listening(service);
    const token = await service.token(["run"]);
    const head = `POST /v1/threads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const answer = raw(url, `${head}Content-Length: 100\r\n\r\n{"agent":`);
    await expect.poll(() => service.clock.pending).toBe(1);
    await service.clock.advance(5_000);
    expect(await answer).toMatch(/^HTTP\/1\.1 408 .*"code":"body_too_slow"/s);
  });

  test("that asks for a host which is no address is refused in words, as all others are", async () => {
    const { url } = await listening(await open({ agents: [] }));
    for (const host of ["127.999.1.1", "256.1.1.1"]) {
      const answer = await raw(url, `GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 403 .*x-request-id: .*"code":"origin_refused"/s);
    }
  });

  test.each(["/livez", "/readyz", "/sign-in", "/channels/mail/decide"])(
    "that asks by HEAD for %s gets what GET has, without its body",
    async (path) => {
      const mounts = new Map([
        ["/channels/mail", ({ method }: Request) => Promise.resolve(new Response(method))],
      ]);
      const { url } = await listening(await open({ agents: [], mounts }));
      const [head, get] = [await fetch(url + path, { method: "HEAD" }), await fetch(url + path)];
      expect([head.status, await head.text()]).toEqual([200, ""]);
      expect(get.status).toBe(200);
      expect(await get.text()).not.toBe("");
      expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
    },
  );

  test("that announces too long a body is refused before it sends it", async () => {
    const service = await open({ agents: [listener] });
    const { url } = await listening(service);
    const token = await service.token(["run"]);
    const head = `POST /v1/threads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    expect(await raw(url, `${head}Content-Length: 99999999\r\n\r\n{`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test.each([
    [
      "two lengths",
      "POST /v1/threads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    ],
    [
      "a length and chunks",
      "POST /v1/threads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    ],
    ["a header that breaks the line", "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\rb\r\n\r\n"],
    ["no host", "GET /livez HTTP/1.1\r\n\r\n"],
    ["headers without end", `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`],
  ])("with %s is refused", async (_name, request) => {
    const { url } = await listening(await open({ agents: [] }));
    expect(await raw(url, request)).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  test("under another name is refused, whatever address it came to", async () => {
    const { url } = await listening(await open({ agents: [] }));
    const request = (target: string, host: string) =>
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    expect(await raw(url, request("/livez", "evil.example.com"))).toMatch(/^HTTP\/1\.1 403 /);
    expect(await raw(url, request("http://localhost/livez", "evil.example.com"))).toMatch(
      /^HTTP\/1\.1 4\d\d /,
    );
    expect(await raw(url, request("/livez", "localhost"))).toMatch(/^HTTP\/1\.1 200 /);
  });
});

test("a thousand streams are held, and each gets what comes", async () => {
  const service = await open({ agents: [listener] });
  const { url } = await listening(service);
  const token = await service.token(["read"]);
  const threads = await Promise.all(Array.from({ length: 10 }, () => parked(service)));
  const request = { headers: { authorization: `Bearer ${token}`, accept: "text/event-stream" } };
  const streams = Array.from({ length: 1_000 }, async (_, index) => {
    const response = await fetch(`${url}/v1/threads/${threads[index % threads.length]}/events`, request);
    return response.text();
  });
  await expect
    .poll(async () => (await service.send("/metrics")).text())
    .toContain("holdpoint_event_streams 1000\n");
  for (const threadId of threads)
    await sendSignal(service.runtime, threadId, { signal: "next", value: 7, by: "test" });
  await Promise.all(threads.map((threadId) => service.settle(threadId)));
  const texts = await Promise.all(streams);
  expect(texts.filter((body) => body.includes('"type":"thread_completed"'))).toHaveLength(1_000);
  expect(await (await service.send("/metrics")).text()).toContain("holdpoint_event_streams 0\n");
}, 60_000);

describe("a stop", () => {
  test("answers what is under way, ends streams, and takes nothing new", async () => {
    const service = await open({ agents: [listener] });
    const bound = await listening(service);
    const threadId = await parked(service);
    const authorization = `Bearer ${await service.token(["read"])}`;
    const stream = await fetch(`${bound.url}/v1/threads/${threadId}/events`, {
      headers: { authorization, accept: "text/event-stream" },
    });
    const body = stream.text();
    let release: () => void = () => {};
    const { threads } = service.runtime.store;
    const asked = new Promise<void>((resolve) => {
      service.runtime.store.threads = async (query) => {
        resolve();
        await new Promise<void>((go) => {
          release = go;
        });
        return threads(query);
      };
    });
    const underWay = fetch(`${bound.url}/v1/threads`, { headers: { authorization } });
    await asked;
    const closing = bound.close();
    expect(await body).toContain("the service stops");
    release();
    expect((await underWay).status).toBe(200);
    await closing;
    await expect(fetch(`${bound.url}/livez`)).rejects.toThrow();
  });

  test("cuts off what does not end in time", async () => {
    const service = await open({ agents: [listener] });
    const bound = await listening(service);
    service.runtime.store.threads = () => new Promise(() => {});
    const authorization = `Bearer ${await service.token(["read"])}`;
    const stuck = fetch(`${bound.url}/v1/threads`, { headers: { authorization } });
    stuck.catch(() => {});
    await expect.poll(async () => (await fetch(`${bound.url}/livez`)).status).toBe(200);
    const closing = bound.close({ graceMs: 50 });
    await expect.poll(() => service.clock.pending).toBe(1);
    await service.clock.advance(50);
    await closing;
    await expect(stuck).rejects.toThrow();
  });
});

describe("listening", () => {
  test("where others could reach it needs a token that still opens something", async () => {
    const { server, sqlite, runtime, clock } = await open({ agents: [] });
    for (const { tokenId } of await sqlite.tokens.list())
      await sqlite.tokens.revoke(tokenId, new Date(0).toISOString());
    const options = { host: "0.0.0.0", port: 0, tokens: sqlite.tokens, now: clock.now() };
    await expect(listen(server, options)).rejects.toMatchObject({
      code: "usage",
      fix: expect.stringContaining("token create"),
    });
    const { createToken } = await import("../../src/server/tokens.ts");
    await createToken(sqlite.tokens, {
      principal: "ci",
      scopes: ["read"],
      by: "cli:root",
      now: runtime.clock.now(),
    });
    const bound = await listen(server, options);
    await bound.close();
  });

  test("at an address that is taken says so", async () => {
    const service = await open({ agents: [] });
    const { url } = await listening(service);
    await expect(listening(service, { port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: "usage",
    });
  });
});
