import { describe, expect, test } from "vitest";
import { isHoldpointError } from "../../src/core/errors.ts";
import { type CountInputOptions, countInputTokens } from "../../src/models/count-input-tokens.ts";
import type { ModelInput } from "../../src/ports/model.ts";
import { apiKey, json, type Loopback, modelAt, neverAborted, openLoopback } from "./loopback.ts";

const input: ModelInput = {
  messages: [
    { role: "system", content: "You answer the mail of a shop." },
    { role: "user", content: "Weather in San Francisco?" },
    {
      role: "assistant",
      content: "I look.",
      calls: [{ callId: "decide_1_1", tool: "weather", args: { location: "SF" } }],
    },
    { role: "tool", callId: "decide_1_1", tool: "weather", content: '{"sky":"clear"}' },
  ],
  tools: [
    {
      name: "weather",
      description: "Tells the weather.",
      inputSchema: { type: "object", properties: { location: { type: "string" } } },
    },
  ],
  maxOutputTokens: 321,
};

/** Provider, the answer as its documentation shows it, the count in it, where it is asked, and what is not sent along. */
const forms = [
  {
    provider: "anthropic",
    model: "anthropic/claude-sonnet-4-5",
    answer: '{"input_tokens":403}',
    tokens: 403,
    path: "/messages/count_tokens",
    left: ["max_tokens"],
    counted: (body: Body) => body,
  },
  {
    provider: "google",
    model: "google/gemini-2.5-flash",
    answer: '{"totalTokens":31,"promptTokensDetails":[{"modality":"TEXT","tokenCount":31}]}',
    tokens: 31,
    path: "/models/gemini-2.5-flash:countTokens",
    left: [],
    counted: (body: Body) => {
      const { model, ...request } = body.generateContentRequest as Body;
      expect(model).toBe("models/gemini-2.5-flash");
      return request;
    },
  },
  {
    provider: "openai",
    model: "openai/gpt-5",
    answer: '{"object":"response.input_tokens","input_tokens":11}',
    tokens: 11,
    path: "/responses/input_tokens",
    left: ["include", "max_output_tokens", "store"],
    counted: (body: Body) => body,
  },
] as const;

type Body = Readonly<Record<string, unknown>>;

function count({ url }: Loopback, model: string, options: Partial<CountInputOptions> = {}): Promise<number> {
  return countInputTokens(model, input, { signal: neverAborted, baseURL: url, apiKey, ...options });
}

async function failure(promise: Promise<number>) {
  const error: unknown = await promise.then(
    (tokens) => expect.fail(`it counted ${tokens}`),
    (thrown: unknown) => thrown,
  );
  if (!isHoldpointError(error)) throw error;
  expect(`${error.message} ${error.fix}`).not.toContain(apiKey);
  return error;
}

describe.each(forms)("counting at $provider", ({ provider, model, answer, tokens, path, left, counted }) => {
  test("asks the endpoint that counts, and no other, for the request of a real call", async () => {
    const loopback = await openLoopback(json(answer));
    expect(await count(loopback, model)).toBe(tokens);
    expect(loopback.received.map((request) => request.path)).toEqual([path]);
    const [asked] = loopback.received;

    const real = await modelAt(provider, loopback.url);
    await real.generate(input, { signal: neverAborted }).catch(() => {}); // a count is no answer
    const sent = loopback.received[1];
    if (!asked || !sent) return expect.fail("two requests came");
    const without = Object.entries(sent.body).filter(([name]) => !(left as readonly string[]).includes(name));
    expect(counted(asked.body)).toEqual(Object.fromEntries(without));
    expect(left.filter((name) => !(name in sent.body) && name !== "include")).toEqual([]);
    for (const name of ["authorization", "x-api-key", "x-goog-api-key", "anthropic-version"])
      expect(asked.headers[name]).toBe(sent.headers[name]);
  });

  test("a refused key is told without showing it", async () => {
    const body = { error: { type: "authentication_error", message: `invalid x-api-key: ${apiKey}` } };
    const loopback = await openLoopback(json(JSON.stringify(body), 401));
    const error = await failure(count(loopback, model));
    expect(error).toMatchObject({
      code: "model_failed",
      retryable: false,
      details: { kind: "unauthorized" },
    });
    expect(error.message).toContain("HTTP 401");
  });

  test.each([
    ["a web page", "<!DOCTYPE html><html><body>Sign in</body></html>", 200],
    ["an answer without a count", '{"id":"msg_1"}', 200],
    ["a count that is none", '{"input_tokens":-1,"totalTokens":1.5}', 200],
    ["a list", "[12]", 200],
    ["nothing", "", 200],
    ["no content", undefined, 204],
  ])("%s is no count", async (_name, body, status) => {
    const loopback = await openLoopback((response) => response.writeHead(status).end(body));
    const error = await failure(count(loopback, model));
    expect(error).toMatchObject({ code: "model_failed", details: { kind: "garbled" } });
  });

  test("a redirect is not followed: the key stays here", async () => {
    const elsewhere = await openLoopback(json(answer));
    const loopback = await openLoopback((response) =>
      response.writeHead(307, { location: `${elsewhere.url}${path}` }).end(),
    );
    expect((await failure(count(loopback, model))).message).toContain("HTTP 307");
    expect(elsewhere.received).toEqual([]);
  });

  test("an answer without end is cut off", async () => {
    const loopback = await openLoopback((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const write = (): void => {
        while (!response.destroyed && response.write(" ".repeat(65_536))) {}
        if (!response.destroyed) response.once("drain", write);
      };
      write();
    });
    expect((await failure(count(loopback, model))).message).toContain("is longer than 262144 bytes");
  });

  test("silence ends with a timeout, and at once when aborted", async () => {
    const loopback = await openLoopback(() => {}); // takes the question, and says nothing
    const error = await failure(count(loopback, model, { timeoutMs: 20 }));
    expect(error).toMatchObject({ code: "model_timeout", retryable: true });

    const stop = new AbortController();
    const asked = openLoopback(() => stop.abort(new Error("stopped by the test")));
    await expect(count(await asked, model, { signal: stop.signal })).rejects.toThrow("stopped by the test");
  });

  test("a throttled question says when to come back", async () => {
    const loopback = await openLoopback((response) =>
      response.writeHead(429, { "retry-after": "7" }).end('{"error":{"message":"Rate limit reached"}}'),
    );
    const error = await failure(count(loopback, model));
    expect(error).toMatchObject({ code: "model_throttled", retryable: true, retryAfterMs: 7_000 });
  });

  test("without a key nothing is asked", async () => {
    const loopback = await openLoopback(json(answer));
    expect(await failure(count(loopback, model, { apiKey: "" }))).toMatchObject({
      code: "model_unavailable",
    });
    expect(loopback.received).toEqual([]);
  });
});

test("a model of no such provider, or no model, is refused by name", async () => {
  const loopback = await openLoopback();
  for (const model of ["compatible/llama", "openrouter/x", "gpt-5", ""])
    expect(await failure(count(loopback, model)), model).toMatchObject({ code: "model_unavailable" });
  expect(loopback.received).toEqual([]);
});

test("a package that is not installed is named", async () => {
  const importPackage = () =>
    Promise.reject(Object.assign(new Error("no"), { code: "ERR_MODULE_NOT_FOUND" }));
  const loopback = await openLoopback();
  const error = await failure(count(loopback, "google/gemini-2.5-flash", { importPackage }));
  expect(error).toMatchObject({ code: "model_not_installed", fix: "npm install @ai-sdk/google" });
});

test("nobody at the address", async () => {
  const error = await failure(
    countInputTokens("anthropic/claude-sonnet-4-5", input, {
      signal: neverAborted,
      apiKey,
      baseURL: "http://127.0.0.1:1",
    }),
  );
  expect(error).toMatchObject({ code: "model_failed", retryable: true, details: { kind: "network" } });
});

test("thinking is counted, and what a provider's options add", async () => {
  const loopback = await openLoopback(json('{"input_tokens":9}'));
  const providerOptions = { anthropic: { thinking: { type: "enabled", budgetTokens: 2_000 } } };
  await count(loopback, "anthropic/claude-sonnet-4-5", { providerOptions });
  expect(loopback.received[0]?.body.thinking).toEqual({ type: "enabled", budget_tokens: 2_000 });
});

test("a request that the package would not send as it is, is not counted", async () => {
  const loopback = await openLoopback(json('{"input_tokens":9}'));
  const providerOptions = { openai: { instructions: "Be brief." } };
  expect(await failure(count(loopback, "openai/gpt-5", { providerOptions }))).toMatchObject({
    code: "wire_mismatch",
  });
  expect(loopback.received).toEqual([]);
});
