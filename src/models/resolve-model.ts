import { HoldpointError } from "../core/errors.ts";
import type { Model } from "../ports/model.ts";
import {
  type AiSdkLanguageModel,
  type AiSdkModelOptions,
  aiSdkModel,
  defaultMaxResponseBytes,
} from "./ai-sdk.ts";
import { checkKey, emptyKey, notSending } from "./key-check.ts";
import { type Fetch, limitedFetch } from "./limited-fetch.ts";
import {
  createModel,
  type ImportPackage,
  keyNameOf,
  type ModelName,
  type ProviderSettings,
  parseModelName,
} from "./providers.ts";
import { streamedFetch } from "./streamed-fetch.ts";
import { checkedFetch } from "./wire/wire-fetch.ts";

export interface ModelResolverOptions {
  /** For agents that name no model: whatever an agent could name. */
  readonly defaultModel?: unknown;
  /**
   * Settings of `anthropic`, `google` and `openai`; any other name is an endpoint that speaks OpenAI's chat
   * completions (OpenRouter, vLLM, Ollama, MiniMax, …) and needs a `baseURL`. `{ ollama: { baseURL } }` makes
   * `ollama/<model>` a model.
   */
  readonly providers?: Readonly<Record<string, ProviderSettings>>;
  /** What models named by a string send their requests with. Default: the global `fetch`. */
  readonly fetch?: Fetch;
  /** Longer responses are cut off while they come. Default 16 MiB. */
  readonly maxResponseBytes?: number;
  /** See `AiSdkModelOptions`. */
  readonly idleMs?: number;
  /** See `AiSdkModelOptions`. */
  readonly strict?: boolean;
  /** Puts models that call a provider under limits, see `modelLimiter`. Default: none. */
  readonly limit?: (model: Model) => Model;
  /** Imports a provider's package; for tests. */
  readonly importPackage?: ImportPackage;
}

/**
 * Finds the Model that an agent names: `provider/model` (the provider's package must be installed), a model object of
 * any AI SDK provider, or a Model; `undefined` and `null` give the default. One name or object gives one Model.
 *
 * Its promises reject with `model_unavailable` or `model_not_installed`, saying what to do.
 */
export interface ModelResolver {
  (model: unknown): Promise<Model>;
  /**
   * Finds out without the network whether the model, or one of a list of models, can be called: that there is one,
   * its package, its address and its key. Objects are taken at their word. @throws as the resolver.
   */
  check(model: unknown): Promise<void>;
}

export function modelResolver(options: ModelResolverOptions = {}): ModelResolver {
  const { defaultModel, providers = {} } = options;
  const byName = new Map<string, Model>();
  const byObject = new WeakMap<object, Model>();

  async function resolveModel(named: unknown): Promise<Model> {
    const model = named ?? defaultModel ?? null;
    if (model === null) throw noModel();
    if (typeof model === "string") {
      const resolved = byName.get(model) ?? (await modelNamed(model, options));
      const first = byName.get(model) ?? resolved; // two may have asked at once
      byName.set(model, first);
      return first;
    }
    const known = isObject(model) ? byObject.get(model) : undefined;
    const resolved = known ?? modelFrom(model, options);
    byObject.set(model, resolved); // modelFrom takes objects only
    return resolved;
  }

  async function check(named: unknown): Promise<void> {
    if (Array.isArray(named) && named.length > 0) await anyOf(named, checkOne);
    else await checkOne(named);
  }

  async function checkOne(named: unknown): Promise<void> {
    const model = named ?? defaultModel ?? null;
    if (typeof model === "string") await checkNamed(model, providers, options);
    else await resolveModel(model);
  }

  return Object.assign(resolveModel, { check });
}

async function anyOf(models: readonly unknown[], check: (model: unknown) => Promise<void>): Promise<void> {
  const checked = await Promise.allSettled(models.map(check));
  const [first] = checked;
  if (first?.status === "rejected" && checked.every(({ status }) => status === "rejected"))
    throw first.reason;
}

async function modelNamed(id: string, options: ModelResolverOptions): Promise<Model> {
  const { providers = {}, maxResponseBytes = defaultMaxResponseBytes } = options;
  const name = parseModelName(id, providers);
  const settings = settingsOf(name, providers);
  if (settings.apiKey === "") throw emptyKey(id, keyNameOf(name, settings));
  const fetch = streamedFetch(
    limitedFetch(
      checkedFetch(options.fetch ?? ((input, init) => globalThis.fetch(input, init))),
      name.provider,
      maxResponseBytes,
    ),
  );
  const created = await createModel(name, settings, { fetch, importPackage: importOf(options) });
  const { providerOptions, strict, stream } = settings;
  return modelFrom(created, {
    ...options,
    id,
    ...(providerOptions && { providerOptions }),
    ...(strict !== undefined && { strict }),
    ...(stream !== undefined && { stream }),
  });
}

async function checkNamed(
  id: string,
  providers: Readonly<Record<string, ProviderSettings>>,
  options: ModelResolverOptions,
): Promise<void> {
  const name = parseModelName(id, providers);
  const settings = settingsOf(name, providers);
  const keyName = keyNameOf(name, settings);
  if (settings.apiKey === "") throw emptyKey(id, keyName);
  const created = await createModel(name, settings, { fetch: notSending, importPackage: importOf(options) });
  if (isAiSdkModel(created)) await checkKey(id, created, keyName);
  else modelFrom(created, options);
}

function settingsOf(
  { provider }: ModelName,
  providers: Readonly<Record<string, ProviderSettings>>,
): ProviderSettings {
  return (Object.hasOwn(providers, provider) ? providers[provider] : undefined) ?? {};
}

function importOf({ importPackage }: ModelResolverOptions): ImportPackage {
  return importPackage ?? ((name) => import(name));
}

function modelFrom(model: unknown, options: ModelResolverOptions & AiSdkModelOptions): Model {
  if (isModel(model)) return model;
  if (isAiSdkModel(model)) {
    const called = aiSdkModel(model, options);
    return options.limit ? options.limit(called) : called;
  }
  throw new HoldpointError("model_unavailable", `${describe(model)} is no model`, {
    fix: "Give a model object of an AI SDK provider (specification v3 or v4), or an object with `id` and `generate`.",
  });
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
  if (Array.isArray(model)) return model.length === 0 ? "an empty list" : "a list within a list of models";
  if (isObject(model) && "specificationVersion" in model)
    return `an AI SDK object of specification ${String(model.specificationVersion)}`;
  return `a value of type ${typeof model}`;
}

function noModel(): HoldpointError {
  return new HoldpointError("model_unavailable", "the agent names no model, and there is no default model", {
    fix: 'Give the agent one, such as model: "anthropic/<model>", or set a default model (on the command line HOLDPOINT_MODEL, or `defaultModel` in the config).',
  });
}
