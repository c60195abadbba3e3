import { describe, expect, test } from "vitest";
import { classifyModelFailure } from "./model-failure.ts";

function fails(message: string, members: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(message), members);
}

describe("classifyModelFailure", () => {
  describe("errors of the network", () => {
    const cases = [
      {
        name: "a host that refuses, within the SDK's error",
        given: fails("Cannot connect to API: ", {
          name: "AI_APICallError",
          url: "http://localhost:11434/api/chat",
          isRetryable: true,
          cause: fails("connect ECONNREFUSED ::1:11434", {
            code: "ECONNREFUSED",
            address: "::1",
            port: 11_434,
          }),
        }),
        is: {
          kind: "network",
          retryable: true,
          message: "localhost:11434: it refuses the connection (ECONNREFUSED)",
        },
      },
      {
        name: "all addresses of a host, within fetch's error",
        given: fails("fetch failed", {
          cause: Object.assign(
            new AggregateError([
              fails("connect ECONNREFUSED ::1:8080", { code: "ECONNREFUSED", address: "::1", port: 8_080 }),
              fails("connect ECONNREFUSED 127.0.0.1:8080", {
                code: "ECONNREFUSED",
                address: "127.0.0.1",
                port: 8_080,
              }),
            ]),
            { code: "ECONNREFUSED" },
          ),
        }),
        is: {
          kind: "network",
          retryable: true,
          message: "[::1]:8080: it refuses the connection (ECONNREFUSED)",
        },
      },
      {
        name: "no such host",
        given: fails("fetch failed", {
          cause: fails("getaddrinfo ENOTFOUND api.example.invalid", {
            code: "ENOTFOUND",
            hostname: "api.example.invalid",
          }),
        }),
        is: {
          kind: "network",
          retryable: true,
          message: "api.example.invalid: there is no such host (ENOTFOUND)",
        },
      },
      {
        name: "names that cannot be looked up now",
        given: fails("x", { code: "EAI_AGAIN" }),
        is: { kind: "network", message: "its name could not be looked up (EAI_AGAIN)" },
      },
      {
        name: "a certificate that has run out",
        given: fails("fetch failed", {
          cause: fails("certificate has expired", { code: "CERT_HAS_EXPIRED" }),
        }),
        is: { kind: "tls", retryable: false, message: "its certificate is not trusted (CERT_HAS_EXPIRED)" },
      },
      {
        name: "a certificate of somebody else",
        given: fails("x", { code: "ERR_TLS_CERT_ALTNAME_INVALID", host: "api.example.com" }),
        is: {
          kind: "tls",
          message: "api.example.com: its certificate is not trusted (ERR_TLS_CERT_ALTNAME_INVALID)",
        },
      },
      {
        name: "a certificate by an unknown authority",
        given: fails("unable to get local issuer certificate", {
          code: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        }),
        is: { kind: "tls", retryable: false },
      },
      { name: "https at a port of http", given: fails("x", { code: "EPROTO" }), is: { kind: "tls" } },
      {
        name: "no connection in time",
        given: fails("Connect Timeout Error", { code: "UND_ERR_CONNECT_TIMEOUT" }),
        is: { kind: "network" },
      },
      {
        name: "no headers in time",
        given: fails("x", { code: "UND_ERR_HEADERS_TIMEOUT" }),
        is: { kind: "timeout" },
      },
      {
        name: "a timeout by a signal",
        given: new DOMException("The operation timed out", "TimeoutError"),
        is: { kind: "timeout" },
      },
      {
        name: "a body that ends too early",
        given: fails("terminated", { cause: fails("other side closed", { code: "UND_ERR_SOCKET" }) }),
        is: { kind: "interrupted", retryable: true },
      },
      {
        name: "a connection that breaks",
        given: fails("x", { code: "ECONNRESET" }),
        is: { kind: "network", retryable: true },
      },
      { name: "fetch without a reason", given: fails("fetch failed"), is: { kind: "network" } },
      {
        name: "no HTTP at all",
        given: fails("x", { code: "HPE_INVALID_CONSTANT" }),
        is: { kind: "garbled" },
      },
      {
        name: "an error that retries collected",
        given: fails("Failed after 3 attempts", {
          name: "AI_RetryError",
          lastError: fails("Overloaded", { statusCode: 529 }),
        }),
        is: { kind: "overloaded", status: 529 },
      },
    ] as const;
    for (const { name, given, is } of cases) {
      test(name, () => expect(classifyModelFailure(given)).toMatchObject(is));
    }
  });

  describe("answers that say nothing", () => {
    const html =
      "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>rate limit context_length_exceeded</body></html>";
    const cases = [
      { status: 200, kind: "garbled", retryable: true },
      { status: 301, kind: "garbled", retryable: true },
      { status: 400, kind: "invalid_request", retryable: false },
      { status: 401, kind: "unauthorized", retryable: false },
      { status: 402, kind: "quota", retryable: false },
      { status: 403, kind: "unauthorized", retryable: false },
      { status: 404, kind: "not_found", retryable: false },
      { status: 408, kind: "timeout", retryable: true },
      { status: 413, kind: "invalid_request", retryable: false },
      { status: 429, kind: "throttled", retryable: true },
      { status: 500, kind: "server", retryable: true },
      { status: 502, kind: "server", retryable: true },
      { status: 503, kind: "overloaded", retryable: true },
      { status: 504, kind: "timeout", retryable: true },
      { status: 524, kind: "timeout", retryable: true },
      { status: 529, kind: "overloaded", retryable: true },
    ];
    for (const { status, kind, retryable } of cases) {
      test(`HTTP ${status} with a web page is ${kind}`, () => {
        const error = fails("Invalid JSON response", { statusCode: status, responseBody: html });
        expect(classifyModelFailure(error)).toEqual({
          kind,
          retryable,
          status,
          message: "a web page instead of an answer",
        });
      });
    }
  });

  test("an error within a success is told by the body", () => {
    const responseBody = JSON.stringify({ error: { code: 429, message: "slow down" } });
    const error = fails("Invalid JSON response", { statusCode: 200, responseBody });
    expect(classifyModelFailure(error)).toMatchObject({ kind: "throttled", status: 429 });
  });

  test("a code says it where the message does not", () => {
    const responseBody = JSON.stringify({ error: { code: "context_length_exceeded" } });
    const error = fails("Bad Request", { statusCode: 400, responseBody });
    expect(classifyModelFailure(error)).toMatchObject({ kind: "overflow", retryable: false });
  });

  test("an event of a stream in a body is read", () => {
    const responseBody = `event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n`;
    expect(classifyModelFailure(fails("", { statusCode: 200, responseBody })).kind).toBe("overloaded");
  });

  describe("what the request or the model said feigns no failure", () => {
    const said = "prompt is too long: 300000 tokens > 200000 maximum, insufficient_quota, rate limit";
    for (const body of [
      { error: { message: "bad field", failed_generation: said } },
      { detail: [{ loc: ["body"], msg: "bad field", input: said }] },
      {
        message: "bad field",
        request: { message: said },
        prompt: { message: said },
        messages: [{ message: said }],
      },
      { error: { message: "bad field" }, choices: [{ message: said }], content: [{ message: said }] },
    ]) {
      test(JSON.stringify(body).slice(0, 60), () => {
        const error = fails("bad field", { statusCode: 400, responseBody: JSON.stringify(body) });
        expect(classifyModelFailure(error)).toEqual({
          kind: "invalid_request",
          retryable: false,
          status: 400,
          message: "bad field",
        });
      });
    }
  });

  describe("takes anything", () => {
    const circular: Record<string, unknown> = { message: "round" };
    circular.cause = circular;
    circular.error = circular;
    circular.errors = [circular, circular];
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error("no");
        },
      },
    );
    let deep: unknown = "rate limit";
    for (let depth = 0; depth < 10_000; depth += 1) deep = { error: deep };
    for (const [name, given] of [
      ["undefined", undefined],
      ["null", null],
      ["a number", 5],
      ["a text", "boom"],
      ["an object of nothing", Object.create(null)],
      ["a circle", circular],
      ["getters that throw", hostile],
      ["a depth", deep],
      [
        "members of other types",
        { message: 5, statusCode: "429", responseBody: {}, responseHeaders: "x", code: {} },
      ],
      ["a large body", { message: "x", responseBody: `{"error":"${"a ".repeat(2_000_000)}` }],
      ["a large message", fails("Request too large for ".repeat(100_000))],
    ] as const) {
      test(name, () => {
        const { kind, message } = classifyModelFailure(given);
        expect(kind).toBe("unknown");
        expect(message.length).toBeLessThanOrEqual(501);
      });
    }
  });

  test("no key is in the message", () => {
    const { message } = classifyModelFailure(fails("bad key sk-ant-api03-abcDEFghi", { statusCode: 400 }));
    expect(message).toBe("bad key [masked]");
  });

  test("a date is read against the time given", () => {
    const error = fails("x", {
      statusCode: 503,
      responseHeaders: { "Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT" },
    });
    expect(classifyModelFailure(error, { now: Date.UTC(2026, 0, 1) }).retryAfterMs).toBe(30_000);
    expect(classifyModelFailure(error)).not.toHaveProperty("retryAfterMs");
  });
});
