// Providers that a string can name, made with the factory of their package.
import { errorCode } from "../core/error-code.ts";
import { HoldpointError } from "../core/errors.ts";
import type { AiSdkLanguageModel } from "./ai-sdk.ts";
import type { ProviderOptions } from "./ai-sdk-call.ts";
import type { Fetch } from "./limited-fetch.ts";

/** Where a provider is, and how it is spoken to. */
export interface ProviderSettings {
  /** Such as `http://localhost:11434/v1`. Default: the provider's own. */
  readonly baseURL?: string;
  /** Default: what the provider's package finds in the environment; none for an endpoint of another name. */
  readonly apiKey?: string;
  /** What the key is called in errors, such as the variable that should hold it. */
  readonly apiKeyName?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The endpoint takes a JSON Schema for its output. Default false: it is asked for JSON, and the schema is left out. For endpoints of other names than the three. */
  readonly supportsStructuredOutputs?: boolean;
  /** Refuses to send what the window did not ask for (docs/models.md). Default: the resolver's. */
  readonly strict?: boolean;
  /** False: answers come whole, from an endpoint that does not stream. Default true. */
  readonly stream?: boolean;
  /** Goes out with every call, by provider. */
  readonly providerOptions?: ProviderOptions;
}

interface Package {
  readonly name: string;
  /** Its factory; later names are older ones. */
  readonly factories: readonly string[];
  readonly keyVariable?: string;
}

/** Each package reads its own key from the environment, when it is called. */
const packages: ReadonlyMap<string, Package> = new Map([
  [
    "anthropic",
    { name: "@ai-sdk/anthropic", factories: ["createAnthropic"], keyVariable: "ANTHROPIC_API_KEY" },
  ],
  [
    "google",
    {
      name: "@ai-sdk/google",
      factories: ["createGoogle", "createGoogleGenerativeAI"],
      keyVariable: "GOOGLE_GENERATIVE_AI_API_KEY",
    },
  ],
  ["openai", { name: "@ai-sdk/openai", factories: ["createOpenAI"], keyVariable: "OPENAI_API_KEY" }],
]);

/** For any other name: endpoints that speak OpenAI's chat completions, such as OpenRouter, vLLM and Ollama. */
const compatiblePackage: Package = {
  name: "@ai-sdk/openai-compatible",
  factories: ["createOpenAICompatible"],
};

export type ImportPackage = (name: string) => Promise<unknown>;

export interface ModelName {
  readonly provider: string;
  readonly model: string;
}

/** Reads `provider/model`; a model's name may hold slashes. @throws `model_unavailable` for anything else. */
export function parseModelName(
  name: string,
  providers: Readonly<Record<string, ProviderSettings>>,
): ModelName {
  const slash = name.indexOf("/");
  const provider = name.slice(0, slash);
  const model = name.slice(slash + 1);
  const known = new Set([...packages.keys(), "compatible", ...Object.keys(providers)]);
  if (slash > 0 && model !== "" && known.has(provider)) return { provider, model };
  throw new HoldpointError("model_unavailable", `"${name}" names no model`, {
    fix: `Write ${[...known].map((each) => `${each}/<model>`).join(", ")}, give a model object, or name the endpoint in \`providers\`.`,
  });
}

/**
 * The model object of a name.
 *
 * @throws `model_not_installed`; `model_unavailable` for settings that cannot be used.
 */
export async function createModel(
  { provider, model }: ModelName,
  settings: ProviderSettings,
  options: { readonly fetch: Fetch; readonly importPackage: ImportPackage },
): Promise<AiSdkLanguageModel> {
  const { baseURL, apiKey, headers, supportsStructuredOutputs } = settings;
  const known = packages.get(provider);
  const from = known ?? compatiblePackage;
  if (!known && baseURL === undefined) throw noAddress(provider);
  if (baseURL !== undefined && !isAddress(baseURL)) throw badAddress(provider);
  if (baseURL !== undefined && hasUser(baseURL)) throw userInAddress(provider);
  const create = await factoryOf(from, options.importPackage);
  return create({
    fetch: options.fetch,
    ...(baseURL !== undefined && { baseURL }),
    ...(apiKey !== undefined && { apiKey }),
    ...(headers && { headers }),
    ...(!known && {
      name: provider,
      includeUsage: true, // in streams, where these endpoints report it on request only
      supportsStructuredOutputs: supportsStructuredOutputs ?? false,
    }),
  })(model);
}

/** What a provider's key is called in errors. */
export function keyNameOf({ provider }: ModelName, { apiKeyName }: ProviderSettings): string {
  return apiKeyName ?? packages.get(provider)?.keyVariable ?? `providers.${provider}.apiKey`;
}

type Factory = (settings: Readonly<Record<string, unknown>>) => (model: string) => AiSdkLanguageModel;

async function factoryOf({ name, factories }: Package, importPackage: ImportPackage): Promise<Factory> {
  const module = (await imported(name, importPackage)) as Readonly<Record<string, unknown>>; // a module is an object
  const create = factories.map((factory) => module[factory]).find((found) => typeof found === "function");
  if (create) return create as Factory; // what it makes is checked by the resolver
  throw new HoldpointError("model_unavailable", `${name} exports no "${factories[0]}"`, {
    fix: `Install a version that this one works with: npm install ${name}@latest`,
  });
}

async function imported(name: string, importPackage: ImportPackage): Promise<unknown> {
  try {
    return await importPackage(name);
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    throw new HoldpointError("model_not_installed", `the package ${name} is not installed`, {
      fix: `npm install ${name}`,
      cause,
    });
  }
}

function isNotFound(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}

function isAddress(baseURL: string): boolean {
  const { protocol } = URL.parse(baseURL) ?? {};
  return protocol === "http:" || protocol === "https:";
}

/** `fetch` refuses such addresses. */
function hasUser(baseURL: string): boolean {
  const { username, password } = new URL(baseURL);
  return username !== "" || password !== "";
}

function userInAddress(provider: string): HoldpointError {
  return new HoldpointError("model_unavailable", `the base URL of ${provider} holds a user or a password`, {
    fix: "Take them out: a key goes into its variable (apiKeyVariable), anything else into headers.",
  });
}

function noAddress(provider: string): HoldpointError {
  return new HoldpointError("model_unavailable", `${provider} has no base URL`, {
    fix: `Set providers.${provider}.baseURL${provider === "compatible" ? " (or HOLDPOINT_BASE_URL, on the command line)" : ""}, such as "http://localhost:11434/v1".`,
  });
}

/** I11. The address is not shown: people write keys into it. */
function badAddress(provider: string): HoldpointError {
  return new HoldpointError("model_unavailable", `the base URL of ${provider} is no http or https address`, {
    fix: 'Write it in full, such as "http://localhost:11434/v1".',
  });
}
