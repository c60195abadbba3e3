import type { Json } from "./json.ts";
import { headWithin } from "./shown-length.ts";

/** Longest description, in characters. */
const longest = 200;
const keysShown = 8;
const keyLength = 30;
/** Objects of an array whose members are looked at. */
const sampled = 20;

/**
 * What a value is, in a few words: `array of 120 objects (id, name, total)`, `text of 3,412 characters, 88 lines`.
 * At most 200 characters, without looking into nested values; the same everywhere, whatever the locale.
 */
export function describeValue(value: Json): string {
  return headWithin(describe(value), longest);
}

function describe(value: Json): string {
  if (value === null) return "null";
  if (typeof value === "string") return describeText(value);
  if (typeof value !== "object") return typeof value;
  if (isArray(value)) return describeArray(value);
  const keys = Object.keys(value);
  if (keys.length === 0) return "empty object";
  return `object with ${count(keys.length, "member")}: ${listKeys(keys)}`;
}

function describeArray(items: readonly Json[]): string {
  if (items.length === 0) return "empty array";
  const kinds = new Set(items.map(kindOf));
  const [kind = "value"] = kinds;
  const what = `array of ${count(items.length, kinds.size === 1 ? kind : "value")}`;
  if (kinds.size > 1 || kind !== "object") return what;
  const keys = new Set(items.slice(0, sampled).flatMap((item) => Object.keys(item ?? {})));
  return keys.size === 0 ? what : `${what} (${listKeys([...keys])})`;
}

function kindOf(value: Json): string {
  if (value === null) return "null";
  if (typeof value === "string") return "text";
  return isArray(value) ? "array" : typeof value;
}

function listKeys(keys: readonly string[]): string {
  const names = keys
    .slice(0, keysShown)
    .map((key) => (key.length <= keyLength ? key : `${headWithin(key, keyLength)}…`));
  return `${names.join(", ")}${keys.length > keysShown ? ", …" : ""}`;
}

function describeText(text: string): string {
  if (text === "") return "empty text";
  const binary = describeBinary(text);
  if (binary !== null) return binary;
  const lines = text.split("\n").length;
  const broken = text.split("\uFFFD").length - 1;
  return [
    `text of ${count(text.length, "character")}`,
    ...(lines > 1 ? [count(lines, "line")] : []),
    ...(isJsonText(text) ? ["JSON inside"] : []),
    ...(broken > 0 ? [`${formatNumber(broken)} of them undecodable`] : []),
  ].join(", ");
}

/** Base64 looks like no other text: its letters without a space, of both cases and with digits. */
function describeBinary(text: string): string | null {
  const [, type, encoded = text] = /^data:([\w.+/-]{1,60});base64,(.*)$/s.exec(text) ?? [];
  const sample = encoded.slice(0, 400);
  const isEncoded =
    encoded.length >= 200 &&
    /^[A-Za-z0-9+/\r\n]+$/.test(sample) &&
    [/[a-z]/, /[A-Z]/, /[0-9]/].every((letters) => letters.test(sample)) &&
    /^[A-Za-z0-9+/\r\n]*={0,2}\s*$/.test(encoded);
  if (!isEncoded) return null;
  return `base64 of ${formatSize(Math.floor((encoded.length * 3) / 4))}${type ? ` (${type})` : ""}`;
}

/** Longer texts are not tried: parsing them costs more than knowing is worth. */
const longestTried = 1_000_000;

/** An array or object as JSON text: what tools return that pass on the body of a response. */
export function isJsonText(text: string): boolean {
  if (text.length > longestTried || !/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** `1 line`, `3,412 characters`. */
export function count(number: number, unit: string): string {
  return `${formatNumber(number)} ${unit}${number === 1 || unit === "null" || unit === "text" ? "" : "s"}`;
}

/** With commas, whatever the locale. */
export function formatNumber(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

function formatSize(bytes: number): string {
  if (bytes < 1_024) return `${bytes} bytes`;
  return bytes < 1_048_576 ? `${Math.round(bytes / 1_024)} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}

/** `Array.isArray` does not narrow readonly arrays away. */
export function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
