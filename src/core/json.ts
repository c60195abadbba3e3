import { HoldpointError } from "./errors.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** How deep a value may nest. Deeper ones would overflow the stack of recursive readers. */
export const maxJsonDepth = 200;

/**
 * The JSON value that `value` is stored as: `toJSON` is honoured, `undefined` members vanish, as in `JSON.stringify`.
 * What JSON cannot hold (functions, symbols, bigint, NaN, Map, Set, binary, cycles) is refused, never dropped.
 *
 * @throws `not_json`, naming the path.
 */
export function toJson(value: unknown, path = "$", depth = 0): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
      throw notJson(path, String(value));
    case "object":
      return value === null ? null : objectToJson(value, path, depth);
    default:
      throw notJson(path, `a ${typeof value}`);
  }
}

/** Objects whose contents `Object.entries` does not show: they would be emptied. */
const unholdable = [Map, Set, WeakMap, WeakSet, Promise, RegExp, Error, Boolean, Number, String];

/** Told by their tags: naming the classes would load them, with all of `fetch`, at every start. */
const binaryTags = new Set(
  ["ArrayBuffer", "SharedArrayBuffer", "Blob", "File", "ReadableStream", "Response"].map(
    (tag) => `[object ${tag}]`,
  ),
);

/** Before `toJSON` is asked: a Buffer's makes a list of numbers, four times as long and of use to nobody. */
function isBinary(value: object): boolean {
  if (ArrayBuffer.isView(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype) return false;
  return binaryTags.has(Object.prototype.toString.call(value));
}

const binaryFix =
  "Return text (a body's text(), or bytes.toString('base64') when it is short), or write the bytes to a file and return its path.";

function nameOf(value: object): string {
  return value.constructor?.name || "object";
}

function objectToJson(value: object, path: string, depth: number): Json {
  if (isBinary(value)) throw notJson(path, `binary (a ${nameOf(value)})`, binaryFix);
  if (depth > maxJsonDepth) throw notJson(path, `nesting deeper than ${maxJsonDepth}, or a cycle`);
  if ("toJSON" in value && typeof value.toJSON === "function") return toJson(value.toJSON(), path, depth + 1);
  if (Array.isArray(value)) {
    // Array.from, not map: a hole is null too
    return Array.from(value, (item: unknown, index) =>
      item === undefined ? null : toJson(item, `${path}[${index}]`, depth + 1),
    );
  }
  if (unholdable.some((type) => value instanceof type)) throw notJson(path, `a ${nameOf(value)}`);
  const result: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const member = (value as { readonly [key: string]: unknown })[key]; // any object may be asked for members
    if (member !== undefined) defineMember(result, key, toJson(member, `${path}.${key}`, depth + 1));
  }
  return result;
}

/** Plain assignment would run the setter for the key `__proto__`. */
export function defineMember(target: Record<string, Json>, key: string, value: Json): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** A path to the bottom of a cycle is longer than anybody reads. */
const longestPath = 120;

const plainFix = "Return plain data: strings, finite numbers, booleans, null, arrays and objects of these.";

function notJson(path: string, what: string, fix = plainFix): HoldpointError {
  const where = path.length <= longestPath ? path : `${path.slice(0, longestPath)}…`;
  return new HoldpointError("not_json", `${where} is ${what}, which JSON cannot hold`, { fix });
}

/** JSON with object keys sorted by UTF-16 code unit, as RFC 8785 orders them: equal values give equal bytes. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const object = value as { readonly [key: string]: Json }; // Array.isArray does not narrow readonly arrays away
  const members = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key] ?? null)}`);
  return `{${members.join(",")}}`;
}

/** Freezes a JSON value to its leaves. What the log hands out is shared by its readers, so nobody may change it. */
export function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== "object" || Object.isFrozen(value)) return value;
  for (const key in value) deepFreeze(value[key]);
  return Object.freeze(value);
}
