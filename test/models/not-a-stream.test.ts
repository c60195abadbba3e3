// Something whole, in answer to a request for a stream: what it says is told, and there is a way out.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { expect, it } from "vitest";
import { modelResolver } from "../../src/models/resolve-model.ts";
import { wireFetch } from "../../src/models/wire/wire-fetch.ts";
import type { Model, ModelInput } from "../../src/ports/model.ts";
import { json, type Loopback, openLoopback } from "./loopback.ts";

const input: ModelInput = { messages: [{ role: "user", content: "Hello" }], tools: [], maxOutputTokens: 100 };
const asked = { signal: new AbortController().signal, onProgress: () => {} };
const whole = { index: 0, message: { role: "assistant", content: "Hi." }, finish_reason: "stop" };
const answer = JSON.stringify({ id: "1", choices: [whole] });
const chunk = { index: 0, delta: { content: "Hi." }, finish_reason: "stop" };

const typed =
  (body: string, type: string): Loopback["respond"] =>
  (response) =>
    response.writeHead(200, { "content-type": type }).end(body);

async function named(respond: Loopback["respond"], more: { readonly stream?: boolean } = {}): Promise<Model> {
  const { url } = await openLoopback(respond);
  return modelResolver({ providers: { local: { baseURL: url, ...more } } })("local/small");
}

it.each([
  {
    name: "an error",
    respond: json('{"error": {"message": "The model exploded.", "code": 500}}'),
    error: { code: "model_failed", retryable: true, message: expect.stringContaining("The model exploded.") },
  },
  {
    name: "an error that says the key is wrong",
    respond: json('{"error": {"message": "No.", "code": 401}}'),
    error: { code: "model_failed", retryable: false, details: { kind: "unauthorized" } },
  },
  {
    name: "a web page",
    respond: typed("\n<!doctype html><html>Sign in</html>", "text/html"),
    error: {
      code: "model_failed",
      retryable: true,
      message: expect.stringContaining("a web page"),
      details: { kind: "garbled" },
    },
  },
  {
    name: "an answer",
    respond: json(answer),
    error: { code: "model_failed", retryable: false, fix: expect.stringContaining("stream: false") },
  },
  { name: "null", respond: json("null"), error: { code: "model_failed", retryable: true } },
  {
    name: "nothing",
    respond: json(""),
    error: { code: "model_failed", message: expect.stringContaining("empty") },
  },
])("fails with what it is: $name", async ({ respond, error }) => {
  const model = await named(respond);
  const failed = await model.generate(input, asked).catch((thrown: unknown) => thrown);
  expect(failed).toMatchObject(error);
  expect(String(failed)).not.toContain("stream ended");
});

it("fails so through wireFetch too", async () => {
  const { url } = await openLoopback(json(answer));
  const provider = createOpenAICompatible({ name: "local", baseURL: url, fetch: wireFetch() });
  const model = await modelResolver()(provider("small"));
  await expect(model.generate(input, asked)).rejects.toMatchObject({
    fix: expect.stringContaining("stream: false"),
  });
});

it("takes a stream that calls itself JSON", async () => {
  const model = await named(
    typed(
      `\n\ndata: ${JSON.stringify({ id: "1", choices: [chunk] })}\n\ndata: [DONE]\n\n`,
      "application/json",
    ),
  );
  expect((await model.generate(input, asked)).text).toBe("Hi.");
});

it("does not ask for a stream with `stream: false`", async () => {
  const model = await named(json(answer), { stream: false });
  expect((await model.generate(input, asked)).text).toBe("Hi.");
});
