// Calls that cannot be sent as they are set up: each is told before anything is sent, with what to do, and without a key.
import { expect, it } from "vitest";
import { modelResolver } from "../../src/models/resolve-model.ts";
import type { ModelInput } from "../../src/ports/model.ts";
import { openLoopback } from "./loopback.ts";

const input: ModelInput = { messages: [{ role: "user", content: "Hello" }], tools: [], maxOutputTokens: 100 };
const asked = { signal: new AbortController().signal };

it.each([
  {
    name: "a key of two lines",
    settings: { apiKey: "first-half\nsecond-half" },
    error: { code: "model_failed", retryable: false, fix: expect.stringContaining("line breaks") },
  },
  {
    name: "a key that no header can hold",
    settings: { apiKey: "first-half€second-half" },
    error: { code: "model_failed", retryable: false, fix: expect.stringContaining("Latin-1") },
  },
  {
    name: "a header of two lines",
    settings: { headers: { "x-team": "first-half\nsecond-half" } },
    error: { code: "model_failed", retryable: false, fix: expect.stringContaining("headers") },
  },
])("$name", async ({ settings, error }) => {
  const { url, received } = await openLoopback();
  const resolve = modelResolver({ providers: { local: { baseURL: url, ...settings } } });
  const model = await resolve("local/small");
  for (const failing of [resolve.check("local/small"), model.generate(input, asked)]) {
    const failed = await failing.catch((thrown: unknown) => thrown);
    expect(failed).toMatchObject(error);
    expect(String(failed)).not.toMatch(/first-half|second-half/);
  }
  expect(received).toEqual([]);
});

it("a key that is named and missing, also where nobody has checked", async () => {
  const { url, received } = await openLoopback();
  const resolve = modelResolver({
    providers: { local: { baseURL: url, apiKey: "", apiKeyName: "LOCAL_KEY" } },
  });
  await expect(resolve("local/small")).rejects.toMatchObject({
    code: "model_unavailable",
    message: "local/small: its API key (LOCAL_KEY) is missing or empty",
  });
  expect(received).toEqual([]);
});

it("an address with a password, which fetch refuses", async () => {
  const resolve = modelResolver({
    providers: { local: { baseURL: "http://dana:swordfish@localhost:1/v1" } },
  });
  const failed = await resolve.check("local/small").catch((thrown: unknown) => thrown);
  expect(failed).toMatchObject({ code: "model_unavailable", fix: expect.stringContaining("headers") });
  expect(JSON.stringify(failed) + String(failed)).not.toContain("swordfish");
});

it("TLS to a port that speaks none", async () => {
  const { url } = await openLoopback();
  const baseURL = url.replace("http:", "https:");
  const model = await modelResolver({ providers: { local: { baseURL } } })("local/small");
  await expect(model.generate(input, asked)).rejects.toMatchObject({
    code: "model_unavailable",
    message: expect.stringContaining("it does not speak TLS there"),
    fix: expect.stringContaining("http or https?"),
  });
});

it("a port that fetch refuses", async () => {
  const model = await modelResolver({ providers: { local: { baseURL: "http://127.0.0.1:9/v1" } } })(
    "local/small",
  );
  await expect(model.generate(input, asked)).rejects.toMatchObject({
    retryable: false,
    fix: expect.stringContaining("another port"),
  });
});

it.each([
  { model: [], message: "an empty list is no model" },
  { model: [["local/small"]], message: "a list within a list of models is no model" },
])("a list that names no model: $message", async ({ model, message }) => {
  const { url } = await openLoopback();
  const { check } = modelResolver({ providers: { local: { baseURL: url } } });
  await expect(check(model)).rejects.toMatchObject({ code: "model_unavailable", message });
});
