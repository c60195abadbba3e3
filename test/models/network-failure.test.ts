// Errors as Node's own fetch throws them, from servers on the loopback interface that do everything wrong.
import { createServer as createHttpServer, type ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { toModelError } from "../../src/models/model-error.ts";

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on("connection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port; // it listens on a port, not on a pipe
}

async function failureOf(url: string, init: RequestInit = {}): Promise<unknown> {
  try {
    const response = await fetch(url, init);
    return await response.json();
  } catch (error) {
    return toModelError("acme/large", error);
  }
}

function onSocket(handle: (socket: Socket) => void): Promise<number> {
  return listen(createServer((socket) => socket.on("error", () => {}) && handle(socket)));
}

function onRequest(handle: (response: ServerResponse) => void): Promise<number> {
  return listen(createHttpServer((_, response) => handle(response)));
}

describe("Node's fetch", () => {
  test("a port where nobody listens", async () => {
    const port = await onSocket(() => {});
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await failureOf(`http://127.0.0.1:${port}`)).toMatchObject({
      code: "model_failed",
      retryable: true,
      message: `acme/large is not reachable: 127.0.0.1:${port}: it refuses the connection (ECONNREFUSED)`,
    });
  });

  test("a connection that breaks before an answer", async () => {
    const port = await onSocket((socket) => socket.once("data", () => socket.resetAndDestroy()));
    expect(await failureOf(`http://127.0.0.1:${port}`)).toMatchObject({
      retryable: true,
      details: { kind: "network" },
    });
  });

  test("a connection that is closed without an answer", async () => {
    const port = await onSocket((socket) => socket.once("data", () => socket.end()));
    expect(await failureOf(`http://127.0.0.1:${port}`)).toMatchObject({
      retryable: true,
      details: { kind: "network" },
    });
  });

  test("a body that ends too early", async () => {
    const port = await onRequest((response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"id":', () => response.destroy());
    });
    expect(await failureOf(`http://127.0.0.1:${port}`)).toMatchObject({
      code: "model_interrupted",
      retryable: true,
    });
  });

  test("no HTTP at all", async () => {
    const port = await onSocket((socket) => socket.once("data", () => socket.end("SSH-2.0-OpenSSH_9.2\r\n")));
    expect(await failureOf(`http://127.0.0.1:${port}`)).toMatchObject({
      retryable: true,
      details: { kind: "garbled" },
    });
  });

  test("https where http is spoken", async () => {
    const port = await onRequest((response) => response.end("{}"));
    expect(await failureOf(`https://127.0.0.1:${port}`)).toMatchObject({
      code: "model_unavailable",
      retryable: false,
      details: { kind: "tls" },
    });
  });

  test("no URL", async () => {
    expect(await failureOf("api.example.com/v1")).toMatchObject({
      code: "model_unavailable",
      retryable: false,
    });
  });

  test("a time limit", async () => {
    const late = new AbortController();
    const port = await onSocket((socket) =>
      socket.once("data", () => late.abort(new DOMException("too late", "TimeoutError"))),
    );
    expect(await failureOf(`http://127.0.0.1:${port}`, { signal: late.signal })).toMatchObject({
      code: "model_timeout",
      retryable: true,
    });
  });
});
