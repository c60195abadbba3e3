// An error as it was, as text for people and for error compaction: names, messages, stacks, causes, and the members by
// which libraries say more. What is thrown is foreign code: its getters may throw, its causes may run in circles, and
// its members may be huge.

/** More is cut when it is appended, after redaction: half a secret is one too. So there is one cut here, at the end. */
const maxRawLength = 200_000;
/** The end of a text that was cut. */
export const rawCutMark = "… (cut)";
/** Deeper chains of causes than this were not seen; an `AggregateError` counts each member once. */
const maxErrors = 12;
/** V8 keeps ten frames by default; those of async callers come on top. */
const maxFrames = 16;
/** Texts longer than this come last, so that a page of output does not hide the causes. */
const longText = 2_000;
/** Members and items of one object, and how deep objects are followed. */
const maxMembers = 50;
const maxDepth = 6;

/**
 * Own members worth keeping: by what database drivers, HTTP clients and child processes call them. Not among them:
 * headers, requests' bodies and configurations, where credentials are.
 */
const members: readonly string[] = [
  ...["code", "errno", "syscall", "path", "dest", "address", "port", "hostname", "host", "signal"],
  ...["status", "statusCode", "statusText", "method", "url", "reason", "type"],
  ...[
    "severity",
    "detail",
    "hint",
    "schema",
    "table",
    "column",
    "constraint",
    "where",
    "routine",
    "internalQuery",
  ],
  ...["sqlState", "sqlMessage", "number", "lineNumber", "procName", "keyPattern", "keyValue", "errorLabels"],
  ...["cmd", "killed", "exitCode", "issues", "extensions", "retryAfter", "details", "fix", "meta"],
  ...["responseBody", "body", "data", "error", "stderr", "stdout"],
];
/** Of `response`, `config` and `request`, which hold much else. */
const innerMembers: readonly (readonly [string, readonly string[]])[] = [
  ["config", ["method", "baseURL", "url"]],
  ["request", ["method", "url", "path", "host"]],
  ["response", ["status", "statusCode", "statusText", "url", "data", "body", "text"]],
];

/** Frames that say nothing of the caller's code: Node's own, and Holdpoint's. */
const ownFolder = new URL("..", import.meta.url).pathname;
const idleFrames = ["node:internal/", "(native)", "<anonymous>", `${ownFolder}core/`, `${ownFolder}runtime/`];

/**
 * What an error holds besides its message, or `undefined` when that is nothing. At most 200,000 characters. It never
 * throws; it may hold secrets and must be redacted.
 */
export function rawError(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const writer = new RawWriter();
  writer.error(error, "");
  return writer.end();
}

class RawWriter {
  #text = "";
  readonly #late: (readonly [string, string])[] = [];
  readonly #seen = new Set<object>();

  /** An error and all that it holds, behind `label`. */
  error(error: unknown, label: string): void {
    if (this.#seen.size >= maxErrors || this.#isFull()) return;
    if (typeof error !== "object" || error === null) {
      this.#line(label, show(error, this.#left()));
      return;
    }
    if (this.#seen.has(error)) return;
    this.#seen.add(error);
    this.#line(label, stackOf(error, this.#left()));
    for (const name of members) this.#member(name, get(error, name), name);
    for (const [name, inner] of innerMembers) this.#inner(name, get(error, name), inner);
    this.#errorsOf(error);
  }

  end(): string | undefined {
    for (const [label, text] of this.#late) this.#line(label, text);
    if (this.#isFull()) return this.#text + rawCutMark;
    const text = this.#text.trimEnd();
    return text === "" ? undefined : text;
  }

  #errorsOf(error: object): void {
    for (const name of ["cause", "parent", "original", "driverError"]) {
      const cause = get(error, name);
      if (cause !== undefined && cause !== null && typeof cause !== "function")
        this.error(cause, "Caused by: ");
    }
    const list = get(error, "errors");
    if (!isArray(list)) return this.#member("errors", list, "errors");
    const length = Number(get(list, "length"));
    for (let index = 0; index < Math.min(length, 5); index += 1) {
      const member = get(list, String(index));
      if (isError(member)) this.error(member, `[errors][${index}]: `);
      else this.#member(`errors[${index}]`, member, "");
    }
  }

  #inner(name: string, value: unknown, names: readonly string[]): void {
    if (typeof value !== "object" || value === null) return;
    for (const inner of names) this.#member(`${name}.${inner}`, get(value, inner), inner);
  }

  #member(label: string, value: unknown, name: string): void {
    if (value === undefined || value === null || value === "" || typeof value === "function") return;
    if (name === "error" && isError(value)) return this.error(value, "Caused by: ");
    const text = typeof value === "string" ? value : show(value, this.#left());
    if (text === "") return;
    if (text.length > longText) this.#late.push([`${label}: `, text]);
    else this.#line(`${label}: `, text);
  }

  #line(label: string, text: string): void {
    if (text === "" || this.#isFull()) return;
    this.#text += `${label}${text}\n`.slice(0, this.#left());
  }

  #left(): number {
    return maxRawLength - this.#text.length;
  }

  #isFull(): boolean {
    return this.#left() <= 0;
  }
}

/** A stack with the frames that tell something, and with the message when the stack was made before it. */
function stackOf(error: object, most: number): string {
  const message = textOf(get(error, "message"));
  const name = textOf(get(error, "name")) || constructorName(error);
  const head = message === "" ? name : `${name || "Error"}: ${message}`;
  const stack = textOf(get(error, "stack"));
  const at = stack.search(/^\s{1,8}at /m);
  const frames = at < 0 ? [] : stack.slice(at).split("\n", 200);
  const told = frames.filter((frame) => !idleFrames.some((idle) => frame.includes(idle))).slice(0, maxFrames);
  const start = at < 0 ? stack : stack.slice(0, at).trimEnd();
  const first = start.includes(message) && start !== "" ? start : head;
  return [first, ...told].join("\n").slice(0, most);
}

function constructorName(error: object): string {
  const name = textOf(get(get(error, "constructor"), "name"));
  return name === "Object" ? "" : name;
}

/** JSON of a foreign value, cut off at `most` characters; binary data is read as UTF-8. */
function show(value: unknown, most: number): string {
  const bytes = decode(value, most);
  if (bytes !== undefined) return bytes;
  const pieces: string[] = [];
  let left = most;
  const put = (piece: string): void => {
    if (left > 0) pieces.push(piece.slice(0, left));
    left -= piece.length;
  };
  write(value, 0, new Set());
  return pieces.join("");

  function write(part: unknown, depth: number, above: ReadonlySet<object>): void {
    if (left <= 0) return;
    if (typeof part !== "object" || part === null) return put(scalar(part, left));
    if (above.has(part) || depth >= maxDepth) return put('"…"');
    const inner = new Set([...above, part]);
    const list = isArray(part);
    put(list ? "[" : "{");
    for (const [index, key] of keysOf(part).slice(0, maxMembers).entries()) {
      if (left <= 0) break;
      put(`${index === 0 ? "" : ","}${list ? "" : `${JSON.stringify(key)}:`}`);
      const member = get(part, key);
      const given = isError(member) ? textOf(get(member, "message")) : member;
      const text = decode(given, left);
      write(text ?? given, depth + 1, inner);
    }
    put(list ? "]" : "}");
  }
}

function scalar(value: unknown, most: number): string {
  if (typeof value === "string") return JSON.stringify(value.length > most ? value.slice(0, most) : value);
  if (typeof value === "function") return '"a function"';
  return typeof value === "number" || typeof value === "boolean" || value === null
    ? String(value)
    : JSON.stringify(String(value));
}

function decode(value: unknown, most: number): string | undefined {
  try {
    if (!ArrayBuffer.isView(value)) return undefined;
    return new TextDecoder().decode(
      new Uint8Array(value.buffer, value.byteOffset, Math.min(value.byteLength, most)),
    );
  } catch {
    return "…";
  }
}

function keysOf(value: object): readonly string[] {
  try {
    return Object.keys(value);
  } catch {
    return [];
  }
}

function get(value: unknown, name: string): unknown {
  try {
    return typeof value === "object" || typeof value === "function"
      ? (value as { readonly [name: string]: unknown } | null)?.[name] // any object may be asked for members
      : undefined;
  } catch {
    return undefined;
  }
}

function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false; // a revoked proxy
  }
}

/** True of an error of this realm; never throws. */
export function isError(value: unknown): value is object {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, maxRawLength) : "";
}
