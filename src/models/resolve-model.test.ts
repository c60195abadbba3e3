import { describe, expect, test, vi } from "vitest";
import type { ModelInput } from "../ports/model.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { modelResolver } from "./resolve-model.ts";

const input: ModelInput = { messages: [{ role: "user", content: "hello" }], tools: [], maxOutputTokens: 100 };
const signal = new AbortController().signal;

function aiSdkObject(specificationVersion: string) {
  return {
    specificationVersion,
    provider: "acme.chat",
    modelId: "large",
    supportedUrls: {},
    doGenerate: async () => ({}),
    doStream: async () => ({}),
  };
}

function notFound(): Error {
  return Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
}

describe("modelResolver", () => {
  test("takes a Model as it is", async () => {
    const model = scriptedModel([]);
    expect(await modelResolver()(model)).toBe(model);
  });

  for (const version of ["v3", "v4"]) {
    test(`takes a model object of the AI SDK, specification ${version}, and makes one Model of it`, async () => {
      const resolve = modelResolver();
      const object = aiSdkObject(version);
      const model = await resolve(object);
      expect(model.id).toBe("acme/large");
      expect(await resolve(object)).toBe(model);
    });
  }

  test("sends what differs from the window's input only to a provider that need not be strict", async () => {
    const answer = {
      choices: [{ index: 0, message: { role: "assistant", content: "{}" }, finish_reason: "stop" }],
    };
    const fetch = vi.fn(async () => Response.json(answer));
    const endpoint = { baseURL: "http://localhost:1/v1" };
    const providers = { exact: endpoint, lax: { ...endpoint, strict: false } };
    const resolve = modelResolver({ fetch, providers });
    const asked = { ...input, output: { name: "mood", schema: { type: "object" } } }; // endpoints are sent no schema
    const exact = await resolve("exact/small");
    await expect(exact.generate(asked, { signal })).rejects.toMatchObject({ code: "wire_mismatch" });
    expect(fetch).not.toHaveBeenCalled();
    const { warnings, wire } = await (await resolve("lax/small")).generate(asked, { signal });
    expect(warnings?.join()).toContain("schema");
    expect(wire?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(fetch).toHaveBeenCalledOnce();
  });

  for (const provider of ["anthropic", "google", "openai"]) {
    test(`finds "${provider}/…" in the provider's package, once`, async () => {
      const resolve = modelResolver();
      const [model, again] = await Promise.all([
        resolve(`${provider}/some-model`),
        resolve(`${provider}/some-model`),
      ]);
      expect(model.id).toBe(`${provider}/some-model`);
      expect(again).toBe(model);
    });
  }

  test("a model's name may hold slashes", async () => {
    const names: string[] = [];
    const importPackage = async () => ({
      createOpenAI: () => (modelId: string) => names.push(modelId) && aiSdkObject("v4"),
    });
    expect((await modelResolver({ importPackage })("openai/ft/large:1")).id).toBe("openai/ft/large:1");
    expect(names).toEqual(["ft/large:1"]);
  });

  test("a package that is not installed is named, and looked for again", async () => {
    let installed = false;
    const importPackage = async () => {
      if (!installed) throw notFound();
      return { createAnthropic: () => () => aiSdkObject("v4") };
    };
    const resolve = modelResolver({ importPackage });
    await expect(resolve("anthropic/large")).rejects.toMatchObject({
      code: "model_not_installed",
      retryable: false,
      message: "the package @ai-sdk/anthropic is not installed",
      fix: "npm install @ai-sdk/anthropic",
    });
    installed = true;
    expect((await resolve("anthropic/large")).id).toBe("anthropic/large");
  });

  test("a package that is there but broken fails with its own error", async () => {
    const importPackage = () => Promise.reject(new SyntaxError("broken"));
    await expect(modelResolver({ importPackage })("openai/large")).rejects.toThrow(SyntaxError);
  });

  test("a package without the provider is of a version that does not fit", async () => {
    await expect(modelResolver({ importPackage: async () => ({}) })("openai/large")).rejects.toMatchObject({
      code: "model_unavailable",
    });
  });

  for (const missing of [undefined, null]) {
    test(`${missing} is the default model`, async () => {
      const model = scriptedModel([]);
      expect(await modelResolver({ defaultModel: model })(missing)).toBe(model);
    });

    test(`${missing} without a default model says how to set one`, async () => {
      await expect(modelResolver()(missing)).rejects.toMatchObject({
        code: "model_unavailable",
        message: "the agent names no model, and there is no default model",
        fix: expect.stringContaining("default model"),
      });
    });
  }

  for (const wrong of [
    "",
    "gpt-5",
    "openai/",
    "/gpt-5",
    "acme/large",
    7,
    {},
    { id: "x" },
    aiSdkObject("v2"),
  ]) {
    test(`${JSON.stringify(wrong)} is no model`, async () => {
      await expect(modelResolver()(wrong)).rejects.toMatchObject({
        code: "model_unavailable",
        retryable: false,
        fix: expect.any(String),
      });
    });
  }

  test("a list is no model", async () => {
    await expect(modelResolver()(["openai/a", "openai/b"])).rejects.toMatchObject({
      code: "model_unavailable",
    });
  });
});

describe("endpoints", () => {
  const endpoint = { baseURL: "http://localhost:11434/v1" };

  test("any name with a base URL is a provider, under that name", async () => {
    const resolve = modelResolver({ providers: { ollama: endpoint, compatible: endpoint } });
    expect((await resolve("ollama/llama3:8b")).id).toBe("ollama/llama3:8b");
    expect((await resolve("compatible/org/model")).id).toBe("compatible/org/model");
  });

  for (const [name, why] of [
    ["compatible/llama", "compatible has no base URL"],
    ["nowhere/llama", "nowhere has no base URL"],
    ["wrong/llama", "the base URL of wrong is no http or https address"],
    ["file/llama", "the base URL of file is no http or https address"],
  ] as const) {
    test(`${name} is refused, saying what to set`, async () => {
      const providers = { nowhere: {}, wrong: { baseURL: "sk-secret" }, file: { baseURL: "file:///etc" } };
      const error = await modelResolver({ providers })(name).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "model_unavailable", message: why, fix: expect.any(String) });
      expect(JSON.stringify(error)).not.toContain("sk-secret");
    });
  }

  test("names that every object has are none of ours", async () => {
    for (const name of ["constructor/x", "__proto__/x", "toString/x"])
      await expect(modelResolver()(name)).rejects.toMatchObject({ code: "model_unavailable" });
  });

  test("what is missing for them is named", async () => {
    const importPackage = () => Promise.reject(notFound());
    const resolve = modelResolver({ importPackage, providers: { ollama: endpoint } });
    await expect(resolve("ollama/llama")).rejects.toMatchObject({
      code: "model_not_installed",
      fix: "npm install @ai-sdk/openai-compatible",
    });
  });
});

describe("check", () => {
  const unsent = () => Promise.reject(new Error("check sends nothing"));
  const keys = {
    anthropic: "ANTHROPIC_API_KEY",
    google: "GOOGLE_GENERATIVE_AI_API_KEY",
    openai: "OPENAI_API_KEY",
  };
  for (const [provider, variable] of Object.entries(keys)) {
    test(`without a key, ${provider} is refused beforehand and at the call, naming ${variable}`, async () => {
      vi.stubEnv("ANTHROPIC_AUTH_TOKEN", undefined);
      for (const missing of [undefined, ""]) {
        vi.stubEnv(variable, missing);
        const refusal = {
          code: "model_unavailable",
          retryable: false,
          message: expect.stringContaining(variable),
        };
        const resolve = modelResolver({ fetch: unsent });
        await expect(resolve.check(`${provider}/some-model`)).rejects.toMatchObject(refusal);
        if (missing === "") continue; // sent as it is
        const model = await resolve(`${provider}/some-model`);
        await expect(model.generate(input, { signal })).rejects.toMatchObject(refusal);
      }
      vi.unstubAllEnvs();
    });

    test(`with a key, ${provider} passes, and nothing is sent`, async () => {
      vi.stubEnv("ANTHROPIC_AUTH_TOKEN", undefined);
      vi.stubEnv(variable, undefined);
      vi.stubGlobal("fetch", unsent);
      const model = `${provider}/some-model`;
      await modelResolver({ fetch: unsent, providers: { [provider]: { apiKey: "k" } } }).check(model);
      vi.stubEnv(variable, "k");
      await modelResolver().check(model);
      await modelResolver({ defaultModel: model }).check(undefined);
      vi.unstubAllEnvs();
      vi.unstubAllGlobals();
    });
  }

  test("an endpoint needs no key, unless one was meant to be there", async () => {
    const providers = {
      ollama: { baseURL: "http://localhost:11434/v1" },
      router: { baseURL: "http://localhost:11434/v1", apiKey: "", apiKeyName: "ROUTER_KEY" },
    };
    const { check } = modelResolver({ providers });
    await check("ollama/llama");
    await expect(check("router/llama")).rejects.toMatchObject({
      code: "model_unavailable",
      message: "router/llama: its API key (ROUTER_KEY) is missing or empty",
    });
  });

  test("of a list, one is enough; else the first says why", async () => {
    const { check } = modelResolver({ providers: { openai: { apiKey: "" }, google: { apiKey: "k" } } });
    await check(["openai/a", "google/b"]);
    await check([scriptedModel([]), "openai/a"]);
    await expect(check(["openai/a", "openai/b"])).rejects.toMatchObject({
      message: expect.stringContaining("openai/a"),
    });
    await expect(check([])).rejects.toMatchObject({ code: "model_unavailable" });
  });

  test("objects are taken at their word, and what is no model is refused", async () => {
    const { check } = modelResolver();
    await check(scriptedModel([]));
    await check(aiSdkObject("v4"));
    for (const wrong of ["", "acme/large", 7, {}, null])
      await expect(check(wrong)).rejects.toMatchObject({ code: "model_unavailable" });
  });
});
