import { HoldpointError } from "../core/errors.ts";
import type { Model } from "../ports/model.ts";
import { type AiSdkLanguageModel, aiSdkModel } from "./ai-sdk.ts";

/** Providers that a string can name. Each package reads its own key from the environment when it is first called. */
const providerNames = ["anthropic", "google", "openai"] as const;

export interface ModelResolverOptions {
  /** For agents that name no model: whatever an agent could name. */
  readonly defaultModel?: unknown;
  /** Imports a provider's package; for tests. */
  readonly importPackage?: (name: string) => Promise<unknown>;
}

/**
 * Finds the Model that an agent names: `provider/model` (anthropic, google, openai; the package `@ai-sdk/<provider>`
 * must be installed), a model object of any AI SDK provider, or a Model; `undefined` and `null` give the default.
 * One name or object gives one Model.
 *
 * Its promises reject with `model_unavailable` or `model_not_installed`, saying what to do.
 */
export function modelResolver(options: ModelResolverOptions = {}): (model: unknown) => Promise<Model> {
  const { defaultModel, importPackage = (name: string): Promise<unknown> => import(name) } = options;
  const byName = new Map<string, Model>();
  const byObject = new WeakMap<object, Model>();

  return async function resolveModel(named) {
    const model = named ?? defaultModel ?? null;
    if (model === null) throw noModel();
    const known =
      typeof model === "string"
        ? byName.get(model)
        : typeof model === "object"
          ? byObject.get(model)
          : undefined;
    if (known) return known;
    if (typeof model === "string") {
      const resolved = await modelNamed(model, importPackage);
      const first = byName.get(model) ?? resolved; // two may have asked at once
      byName.set(model, first);
      return first;
    }
    const resolved = modelFrom(model);
    byObject.set(model as object, resolved); // modelFrom takes objects only
    return resolved;
  };
}

async function modelNamed(name: string, importPackage: (name: string) => Promise<unknown>): Promise<Model> {
  const slash = name.indexOf("/");
  const provider = providerNames.find((known) => known === name.slice(0, slash));
  const modelId = name.slice(slash + 1);
  if (!provider || modelId === "") {
    throw unavailable(
      `"${name}" names no model`,
      `Write ${providerNames.map((known) => `${known}/<model>`).join(", ")}, or give a model object.`,
    );
  }
  const packageName = `@ai-sdk/${provider}`;
  const create = await providerFrom(packageName, provider, importPackage);
  return { ...modelFrom(create(modelId)), id: name };
}

async function providerFrom(
  packageName: string,
  provider: string,
  importPackage: (name: string) => Promise<unknown>,
): Promise<(modelId: string) => unknown> {
  let module: unknown;
  try {
    module = await importPackage(packageName);
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    throw new HoldpointError("model_not_installed", `the package ${packageName} is not installed`, {
      fix: `npm install ${packageName}`,
      cause,
    });
  }
  const create = (module as Record<string, unknown>)[provider]; // a module is an object
  if (typeof create === "function") return create as (modelId: string) => unknown; // its result is checked by modelFrom
  throw unavailable(
    `${packageName} exports no "${provider}"`,
    `Install a version that this one works with: npm install ${packageName}@latest`,
  );
}

function modelFrom(model: unknown): Model {
  if (isModel(model)) return model;
  if (isAiSdkModel(model)) return aiSdkModel(model);
  throw unavailable(
    `${describe(model)} is no model`,
    "Give a model object of an AI SDK provider (specification v3 or v4), or an object with `id` and `generate`.",
  );
}

function isModel(value: unknown): value is Model {
  return isObject(value) && typeof value.id === "string" && typeof value.generate === "function";
}

function isAiSdkModel(value: unknown): value is AiSdkLanguageModel {
  return (
    isObject(value) &&
    typeof value.doGenerate === "function" &&
    (value.specificationVersion === "v3" || value.specificationVersion === "v4")
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function describe(model: unknown): string {
  if (isObject(model) && "specificationVersion" in model)
    return `an AI SDK object of specification ${String(model.specificationVersion)}`;
  return `a value of type ${typeof model}`;
}

function isNotFound(error: unknown): boolean {
  return isObject(error) && (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND");
}

function noModel(): HoldpointError {
  return unavailable(
    "the agent names no model, and there is no default model",
    'Give the agent one, such as model: "anthropic/<model>", or set a default model.',
  );
}

function unavailable(message: string, fix: string): HoldpointError {
  return new HoldpointError("model_unavailable", message, { fix });
}
