import { describe, expect, test } from "vitest";
import { HoldpointError } from "../core/errors.ts";
import { toModelError } from "./model-error.ts";

function apiError(fields: Record<string, unknown>): Error {
  return Object.assign(new Error("the provider said this"), { name: "AI_APICallError", ...fields });
}

describe("toModelError", () => {
  const overflow = "prompt is too long: 215000 tokens > 200000 maximum";
  const tooLarge =
    "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 61337. The input or output tokens must be reduced";
  const cases = [
    {
      name: "an input that does not fit",
      given: apiError({ statusCode: 400, message: overflow, isRetryable: false }),
      is: {
        code: "model_overflow",
        retryable: false,
        message: `acme/large takes no input of this length (HTTP 400): ${overflow}`,
        details: { kind: "overflow", status: 400, limitTokens: 200_000, sentTokens: 215_000 },
      },
      fix: "below 200000 tokens",
    },
    {
      name: "too many requests",
      given: apiError({ statusCode: 429, isRetryable: true, responseHeaders: { "retry-after": "7" } }),
      is: { code: "model_throttled", retryable: true, retryAfterMs: 7_000, fix: undefined },
    },
    {
      name: "a call larger than a minute's allowance",
      given: apiError({ statusCode: 429, isRetryable: true, message: tooLarge }),
      is: {
        code: "model_throttled",
        retryable: false,
        details: { kind: "throttled", status: 429, limitTokens: 30_000, sentTokens: 61_337 },
      },
      fix: "30000 tokens",
    },
    {
      name: "overload",
      given: apiError({ statusCode: 529, isRetryable: true }),
      is: {
        code: "model_failed",
        retryable: true,
        message: "acme/large is overloaded (HTTP 529): the provider said this",
      },
    },
    {
      name: "an empty account",
      given: apiError({
        statusCode: 429,
        isRetryable: true,
        responseBody: '{"error":{"code":"insufficient_quota"}}',
      }),
      is: { code: "model_failed", retryable: false, details: { kind: "quota", status: 429 } },
      fix: "Top up",
    },
    {
      name: "a bad request",
      given: apiError({ statusCode: 400, isRetryable: false }),
      is: { code: "model_failed", retryable: false },
      fix: "settings",
    },
    {
      name: "no such model",
      given: apiError({ statusCode: 404, isRetryable: false }),
      is: {
        code: "model_failed",
        retryable: false,
        message: "acme/large was not found (HTTP 404): the provider said this",
        fix: "Check the model's name, and the base URL.",
      },
    },
    {
      name: "a filter",
      given: apiError({ statusCode: 400, responseBody: '{"error":{"code":"content_filter"}}' }),
      is: { code: "model_failed", retryable: false },
      fix: "filter",
    },
    {
      name: "an answer that is no JSON",
      given: apiError({ statusCode: 200, isRetryable: false }),
      is: { code: "model_failed", retryable: true, details: { kind: "garbled", status: 200 } },
      fix: "base URL",
    },
    {
      name: "no connection",
      given: apiError({
        isRetryable: true,
        url: "http://localhost:11434/v1",
        cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
      }),
      is: {
        code: "model_failed",
        retryable: true,
        message: "acme/large is not reachable: localhost:11434: it refuses the connection (ECONNREFUSED)",
      },
      fix: "localhost:11434",
    },
    {
      name: "no such host",
      given: apiError({
        cause: Object.assign(new Error("x"), { code: "ENOTFOUND", hostname: "api.acme.test" }),
      }),
      is: { code: "model_unavailable", retryable: true },
      fix: "api.acme.test",
    },
    {
      name: "a certificate that is not trusted",
      given: apiError({ cause: Object.assign(new Error("x"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }) }),
      is: { code: "model_unavailable", retryable: false },
      fix: "NODE_EXTRA_CA_CERTS",
    },
    {
      name: "an answer that breaks off",
      given: new TypeError("terminated"),
      is: { code: "model_interrupted", retryable: true },
    },
    {
      name: "no answer in time",
      given: apiError({ statusCode: 504 }),
      is: { code: "model_timeout", retryable: true },
    },
    {
      name: "a call that the SDK cannot make",
      given: Object.assign(new Error("x"), { name: "AI_InvalidPromptError" }),
      is: { code: "model_failed", retryable: false },
    },
    { name: "anything else", given: new TypeError("x"), is: { code: "model_failed", retryable: true } },
    {
      name: "no error at all",
      given: "x",
      is: { code: "model_failed", retryable: true, message: "acme/large failed: x" },
    },
  ];
  for (const { name, given, is, fix } of cases) {
    test(name, () => {
      const error = toModelError("acme/large", given);
      expect(error).toMatchObject({ ...is, cause: given });
      if (fix !== undefined) expect(error.fix).toContain(fix);
    });
  }

  for (const fields of [
    { statusCode: 401 },
    { statusCode: 403 },
    { statusCode: 400, responseBody: '[{"reason": "API_KEY_INVALID"}]' },
  ]) {
    test(`a refused key (HTTP ${fields.statusCode}) is not tried again, and not repeated`, () => {
      const error = toModelError(
        "acme/large",
        apiError({ ...fields, isRetryable: true, message: "Incorrect API key provided: hunter2" }),
      );
      expect(error).toMatchObject({ code: "model_failed", retryable: false });
      expect(error.message).toBe(`acme/large refused access (HTTP ${fields.statusCode})`);
      expect(error.fix).toContain("API key");
    });
  }

  test("access that is refused for another reason says so", () => {
    const message = "User location is not supported for the API use.";
    expect(toModelError("acme/large", apiError({ statusCode: 400, message })).message).toBe(
      `acme/large refused access (HTTP 400): ${message}`,
    );
  });

  test("a key that is not set is named by its variable", () => {
    const cause = Object.assign(new Error("Acme API key is missing. Set ACME_API_KEY."), {
      name: "AI_LoadAPIKeyError",
    });
    expect(toModelError("acme/large", cause)).toMatchObject({
      code: "model_unavailable",
      retryable: false,
      message: "acme/large: Acme API key is missing. Set ACME_API_KEY.",
      fix: "Set it where the worker is started.",
    });
  });

  for (const key of [
    "sk-ant-api03-abcDEF",
    "gsk_4f9aK2xQ7bT1mV8cR5nZ3wY6hL0pJdEs",
    "AIzaSyD4f9aK2xQ7bT1mV8cR5nZ3wY6hL0pJd",
    "Bearer abc",
  ]) {
    test(`what looks like a key is masked: ${key}`, () => {
      const { message } = toModelError(
        "acme/large",
        apiError({ statusCode: 500, message: `bad request with ${key}, sorry` }),
      );
      expect(message).toBe("acme/large failed (HTTP 500): bad request with [masked], sorry");
    });
  }

  test("a page instead of a message is cut", () => {
    expect(toModelError("acme/large", new Error("<p> ".repeat(1_000))).message.length).toBeLessThan(600);
  });

  test("errors of ours pass", () => {
    const error = new HoldpointError("model_failed", "x");
    expect(toModelError("acme/large", error)).toBe(error);
  });
});
