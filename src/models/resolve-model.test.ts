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
      openai: (modelId: string) => names.push(modelId) && aiSdkObject("v4"),
    });
    expect((await modelResolver({ importPackage })("openai/ft/large:1")).id).toBe("openai/ft/large:1");
    expect(names).toEqual(["ft/large:1"]);
  });

  test("a package that is not installed is named, and looked for again", async () => {
    let installed = false;
    const importPackage = async () => {
      if (!installed) throw notFound();
      return { anthropic: () => aiSdkObject("v4") };
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

  const keys = {
    anthropic: "ANTHROPIC_API_KEY",
    google: "GOOGLE_GENERATIVE_AI_API_KEY",
    openai: "OPENAI_API_KEY",
  };
  for (const [provider, variable] of Object.entries(keys)) {
    test(`without a key, ${provider} fails at the call, naming ${variable}`, async () => {
      vi.stubEnv(variable, undefined);
      vi.stubEnv("ANTHROPIC_AUTH_TOKEN", undefined);
      const model = await modelResolver()(`${provider}/some-model`);
      await expect(model.generate(input, { signal })).rejects.toMatchObject({
        code: "model_unavailable",
        retryable: false,
        message: expect.stringContaining(variable),
      });
      vi.unstubAllEnvs();
    });
  }
});
