import { describe, expect, test } from "vitest";
import { HoldpointError } from "../core/errors.ts";
import { toModelError } from "./model-error.ts";

function apiError(fields: Record<string, unknown>): Error {
  return Object.assign(new Error("the provider said this"), { name: "AI_APICallError", ...fields });
}

describe("toModelError", () => {
  const cases = [
    { name: "overload", given: apiError({ statusCode: 529, isRetryable: true }), retryable: true },
    { name: "too many requests", given: apiError({ statusCode: 429, isRetryable: true }), retryable: true },
    {
      name: "an empty account",
      given: apiError({
        statusCode: 429,
        isRetryable: true,
        responseBody: '{"error":{"code":"insufficient_quota"}}',
      }),
      retryable: false,
    },
    { name: "a bad request", given: apiError({ statusCode: 400, isRetryable: false }), retryable: false },
    { name: "no such model", given: apiError({ statusCode: 404, isRetryable: false }), retryable: false },
    {
      name: "an answer that is no JSON",
      given: apiError({ statusCode: 200, isRetryable: false }),
      retryable: true,
    },
    { name: "no connection", given: apiError({ isRetryable: true }), retryable: true },
    {
      name: "a call that the SDK cannot make",
      given: Object.assign(new Error("x"), { name: "AI_InvalidPromptError" }),
      retryable: false,
    },
    { name: "anything else", given: new TypeError("x"), retryable: true },
    { name: "no error at all", given: "x", retryable: true },
  ];
  for (const { name, given, retryable } of cases) {
    test(`${name} is ${retryable ? "" : "not "}tried again`, () => {
      expect(toModelError("acme/large", given)).toMatchObject({
        code: "model_failed",
        retryable,
        cause: given,
      });
    });
  }

  test("says which model, which status, and what the provider said", () => {
    const error = toModelError("acme/large", apiError({ statusCode: 404, isRetryable: false }));
    expect([error.message, error.fix]).toEqual([
      "acme/large failed (HTTP 404): the provider said this",
      "Check the model's name.",
    ]);
  });

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

  test("a key that is not set is named by its variable", () => {
    const cause = Object.assign(new Error("Acme API key is missing. Set ACME_API_KEY."), {
      name: "AI_LoadAPIKeyError",
    });
    expect(toModelError("acme/large", cause)).toMatchObject({
      code: "model_unavailable",
      retryable: false,
      message: "acme/large: Acme API key is missing. Set ACME_API_KEY.",
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
