import { z } from "zod";
import type { ProviderSettings } from "../models/providers.ts";

interface ProviderConfig {
  readonly baseURL?: string | undefined;
  readonly apiKeyVariable?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly supportsStructuredOutputs?: boolean | undefined;
  readonly strict?: boolean | undefined;
  readonly stream?: boolean | undefined;
}

export type ProvidersConfig = Readonly<Record<string, ProviderConfig>>;

/** I11. A config names the variables that hold keys, never a key. */
export const providersSchema: z.ZodType<ProvidersConfig> = z.record(
  z.string().regex(/^[a-z][a-z0-9-]*$/, "is no provider's name: use lower-case letters, digits and -"),
  z.strictObject({
    baseURL: z.string().min(1).optional(),
    apiKeyVariable: z.string().min(1).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    supportsStructuredOutputs: z.boolean().optional(),
    strict: z.boolean().optional(),
    stream: z.boolean().optional(),
  }),
);

export type Providers = Readonly<Record<string, ProviderSettings>>;

/** The address and key of `compatible/…`, when they are in the environment. */
const baseUrlVariable = "HOLDPOINT_BASE_URL";
const apiKeyVariable = "HOLDPOINT_API_KEY";

/** The config's providers with their keys; `variableOf` reads the environment. */
export function providerSettings(
  config: ProvidersConfig,
  variableOf: (name: string) => string | undefined,
): Providers {
  const configured = Object.entries(config).map(([name, given]) => [name, settingsOf(given, variableOf)]);
  const providers: Record<string, ProviderSettings> = Object.fromEntries(configured);
  const baseURL = variableOf(baseUrlVariable);
  // a key or header of the config's is not meant for another address; how endpoints are spoken to is
  const { apiKeyVariable: _key, headers: _headers, ...manners } = config.compatible ?? {};
  const compatible =
    baseURL === undefined ? providers.compatible : settingsOf({ ...manners, baseURL }, variableOf);
  if (!compatible) return providers;
  return { ...providers, compatible: { ...keyIn(apiKeyVariable, variableOf, undefined), ...compatible } };
}

/** Names of the variables that hold keys. */
export function keyVariables(config: ProvidersConfig): string[] {
  return [apiKeyVariable, ...Object.values(config).flatMap((given) => given.apiKeyVariable ?? [])];
}

function settingsOf(
  given: ProviderConfig,
  variableOf: (name: string) => string | undefined,
): ProviderSettings {
  const { baseURL, headers, supportsStructuredOutputs, strict, stream } = given;
  return {
    ...(baseURL !== undefined && { baseURL }),
    ...(headers && { headers }),
    ...(supportsStructuredOutputs !== undefined && { supportsStructuredOutputs }),
    ...(strict !== undefined && { strict }),
    ...(stream !== undefined && { stream }),
    ...(given.apiKeyVariable !== undefined && keyIn(given.apiKeyVariable, variableOf, "")),
  };
}

/** A key that is named and not set is an empty one: its absence is told by name, before the first call. */
function keyIn<Missing extends string | undefined>(
  name: string,
  variableOf: (name: string) => string | undefined,
  missing: Missing,
): ProviderSettings {
  const apiKey = variableOf(name) ?? missing;
  return apiKey === undefined ? {} : { apiKey, apiKeyName: name };
}
