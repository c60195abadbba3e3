// What is known of a failed call, read from whatever was thrown: several versions of the SDK may be installed, so errors
// are told by their members, not their classes; a member may be missing, or of any type.

/** An error, what caused it, and the response it came with. */
export interface ReadFailure {
  /** The HTTP status; the body's when there is none, or when it says that an error came as a success. */
  readonly status: number | undefined;
  /** Names and codes of the error and of its causes: `AI_APICallError`, `ECONNREFUSED`. */
  readonly codes: readonly string[];
  /** For people: what the provider said, else what the error says. */
  readonly message: string;
  /**
   * What patterns are matched against: the messages, a line each, and `key=value` lines for the body's other members.
   * What the request or the model said is left out, where a body repeats it: nobody outside can feign a failure.
   */
  readonly text: string;
  /** The body is a web page. */
  readonly isHtml: boolean;
  /** With lower-case names. */
  readonly headers: { readonly [name: string]: string };
  /** Where the call went, such as `api.example.com` or `127.0.0.1:11434`. */
  readonly host: string | undefined;
  /** What the SDK thinks of trying again. */
  readonly isRetryable: boolean | undefined;
}

/** More of a body, or of an error's causes, is not read. */
const maxText = 8_000;
const maxBody = 200_000;
const maxErrors = 8;
const maxDepth = 6;

export function readFailure(cause: unknown): ReadFailure {
  const errors = errorsOf(cause);
  const body = first(errors, "responseBody", isText)?.slice(0, maxBody) ?? "";
  const said: Said = { messages: [], facts: [] };
  for (const error of errors) addMessage(said, readText(error));
  for (const error of errors) readError(error, said);
  readBody(body, said);
  const [message = "", ...others] = said.messages;
  return {
    status: statusOf(errors, said),
    codes: errors.flatMap((error) => [read(error, "name"), read(error, "code")]).filter(isText),
    message:
      isEmpty(message) && others[0] !== undefined ? `${message || "no message"}: ${others[0]}` : message,
    text: [...said.messages, ...said.facts].join("\n").slice(0, maxText),
    isHtml: /^\s*<(?:!doctype|html|head|body)\b/i.test(body),
    headers: headersOf(first(errors, "responseHeaders", isObject)),
    host: hostOf(errors),
    isRetryable: first(errors, "isRetryable", (value) => typeof value === "boolean"),
  };
}

interface Said {
  readonly messages: string[];
  /** `key=value` */
  readonly facts: string[];
}

/** The error itself first, then its causes and what it collects. */
function errorsOf(cause: unknown): readonly unknown[] {
  const errors: unknown[] = [cause];
  for (let index = 0; index < errors.length && errors.length < maxErrors; index += 1) {
    const error = errors[index];
    const collected = read(error, "errors");
    const inner = [
      read(error, "lastError"),
      read(error, "cause"),
      ...(Array.isArray(collected) ? collected : []),
    ];
    for (const each of inner) {
      if (isObject(each) && !errors.includes(each)) errors.push(each);
    }
  }
  return errors.slice(0, maxErrors);
}

function readText(error: unknown): string {
  if (isText(error)) return error;
  const message = read(error, "message");
  return isText(message) ? message : "";
}

/** Members of a body that the SDK put on the error. */
function readError(error: unknown, said: Said): void {
  for (const key of ["error", "data", "type", "code"]) readValue(key, read(error, key), said, 0);
}

function readBody(body: string, said: Said): void {
  const json = body.trimStart().startsWith("{") || body.trimStart().startsWith("[") ? parse(body) : undefined;
  if (json !== undefined) return readValue("", json, said, 0);
  for (const [, data = ""] of body.slice(0, maxText).matchAll(/^data: ?(\{.*\})\s*$/gm)) {
    readValue("", parse(data), said, 0);
  }
  if (!body.includes("<") && !body.startsWith("{")) addMessage(said, body.slice(0, 500));
}

const messageKeys = new Set(["message", "detail", "error", "error_description", "raw", "msg", "status_msg"]);

const factKeys = new Set([
  "code",
  "type",
  "status",
  "reason",
  "param",
  "http_status",
  "status_code",
  "quotaId",
  "retryDelay",
  "n_ctx",
  "n_prompt_tokens",
  "blockReason",
]);

function readValue(key: string, value: unknown, said: Said, depth: number): void {
  if (depth > maxDepth || value === null || value === undefined) return;
  if (Array.isArray(value)) {
    for (const each of value.slice(0, 20)) readValue(key, each, said, depth + 1);
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value).slice(0, 50)) {
      if (isObject(member) ? member !== value && !isEcho(name) : messageKeys.has(name) || factKeys.has(name))
        readValue(name, member, said, depth + 1);
    }
  } else if (isText(value) && messageKeys.has(key)) {
    const inner = /^\s*[{[]/.test(value) ? parse(value) : undefined; // gateways quote the JSON of the one behind them
    if (isObject(inner)) readValue(key, inner, said, depth + 1);
    else addMessage(said, value);
  } else if (factKeys.has(key)) said.facts.push(`${key}=${String(value).slice(0, 200)}`);
}

/** Members that repeat what was sent, or what the model put out. */
function isEcho(name: string): boolean {
  return /^(?:input|inputs|prompt|messages|request|requestBodyValues|tools|choices|content|failed_generation)$/.test(
    name,
  );
}

function addMessage({ messages }: Said, text: string): void {
  const message = text.trim().slice(0, 2_000);
  if (message !== "" && !messages.includes(message)) messages.push(message);
}

/** Says nothing by itself: the reason stands elsewhere. */
function isEmpty(message: string): boolean {
  return /^(?:|invalid json response|bad request|provider returned error|unknown error|.{0,10}no body.{0,10})$/i.test(
    message,
  );
}

function statusOf(errors: readonly unknown[], { facts }: Said): number | undefined {
  const status =
    first(errors, "statusCode", isStatus) ??
    first(errors, "status", isStatus) ??
    first(
      errors.map((error) => read(error, "$metadata")),
      "httpStatusCode",
      isStatus,
    );
  if (status !== undefined && status >= 300) return status;
  const said = facts.map((fact) => /^(?:code|status|status_code|http_status)=([45]\d\d)$/.exec(fact)?.[1]);
  return Number(said.find((code) => code !== undefined) ?? status ?? Number.NaN) || undefined;
}

function headersOf(headers: object | undefined): { readonly [name: string]: string } {
  return Object.fromEntries(
    Object.entries(headers ?? {})
      .filter((header): header is [string, string] => isText(header[1]))
      .map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function hostOf(errors: readonly unknown[]): string | undefined {
  const url = first(errors, "url", isText);
  if (url !== undefined && URL.canParse(url)) return new URL(url).host;
  const name =
    first(errors, "hostname", isText) ?? first(errors, "host", isText) ?? first(errors, "address", isText);
  const port = first(errors, "port", (value) => typeof value === "number");
  if (name === undefined || port === undefined) return name;
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}

/** The first of the errors' members of this name that passes. */
function first<Value>(
  errors: readonly unknown[],
  key: string,
  passes: (value: unknown) => value is Value,
): Value | undefined {
  return errors.map((error) => read(error, key)).find(passes);
}

/** A member of anything: errors are whatever code threw, and a getter of theirs may throw as well. */
function read(value: unknown, key: string): unknown {
  try {
    return isObject(value) ? (value as Record<string, unknown>)[key] : undefined;
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isStatus(value: unknown): value is number {
  return typeof value === "number" && value >= 100 && value <= 599;
}
