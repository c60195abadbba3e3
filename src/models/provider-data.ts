// What a provider wants back with its reasoning and its calls is opaque, and means nothing, or harm, to any other: it
// is kept under the name of the provider that made it, and goes back to that one only.
import type { SharedV4ProviderMetadata } from "@ai-sdk/provider";
import type { Json } from "../core/json.ts";

/** Holds what a provider wrote under other names than its own, such as `googleVertex` for "google". */
const wholeKey = "providerMetadata";

/** Metadata of a part as data of the provider `key`; `undefined` when there is none. */
export function toProviderData(key: string, metadata: unknown): Json | undefined {
  if (!isRecord(metadata)) return undefined;
  const names = Object.keys(metadata);
  if (names.length === 0) return undefined;
  const own = names.length === 1 && names[0] === key ? metadata : { [key]: { [wholeKey]: metadata } };
  return JSON.parse(JSON.stringify(own)) as Json; // it came as JSON; members that are undefined vanish
}

/** The way back: what the part carried when the provider `key` made it; `undefined` when another one did. */
export function fromProviderData(key: string, data: Json | undefined): SharedV4ProviderMetadata | undefined {
  const own = isRecord(data) ? data[key] : undefined;
  if (!isRecord(own)) return undefined;
  const whole = own[wholeKey];
  return (isRecord(whole) ? whole : { [key]: own }) as SharedV4ProviderMetadata; // as `toProviderData` made it
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
