// I8. What a model is shown of a failure: the root cause, where, how often, and what to check, in a few lines. Made by
// code alone: the same error gives the same text in every process. Text is cut after credentials are masked.
import type { ErrorInfo } from "../errors.ts";
import { cleanText, linesOf, oneLine, titleOf } from "./clean-lines.ts";
import type { ErrorKind } from "./error-kind.ts";
import { type FailureMatch, matchGeneral, matchPrecise, matchVague } from "./failure-rows.ts";
import { hintFor } from "./hints.ts";
import { maskCredentials } from "./mask-credentials.ts";
import { readBody } from "./read-body.ts";
import { kindOfStatus, readAddress, readEndpoint, readRetryAfter, readStatus } from "./read-http.ts";
import { headOf, readStack, type StackReading } from "./read-stack.ts";
import { readValidation } from "./read-validation.ts";
import { templateText } from "./template-text.ts";

/** A failure as a model is shown it. */
export interface CompactError {
  /** The tool or step that failed. */
  readonly operation: string;
  readonly kind: ErrorKind;
  /** What was called: `GET shop.example.com/users/{id}?expand`, or `db.internal:5432`. */
  readonly endpoint?: string;
  /** Of HTTP, from 400 to 599. */
  readonly status?: number;
  /** The root cause in one line, at most 240 characters. */
  readonly cause: string;
  /** How often it failed in this way, from 1. */
  readonly attempts: number;
  /** What to check, in one short sentence. */
  readonly hint?: string;
  /** The place in the caller's own code, as `src/orders.ts:41`. */
  readonly location?: string;
}

export interface ErrorContext {
  /** The tool or step that failed. */
  readonly operation: string;
  /** Default 1. */
  readonly attempts?: number;
  /** What the tool's `explain` says: it stands for cause and hint. */
  readonly explain?: string | null;
}

const maxCause = 240;
const maxOperation = 80;

/** Compacts an error of any kind. It never throws, and takes time in proportion to at most 48,000 characters. */
export function compactError(error: ErrorInfo, context: ErrorContext): CompactError {
  const facts = readFailure(error);
  const explained =
    typeof context.explain === "string" ? oneLine(maskCredentials(context.explain), maxCause) : "";
  const cause = oneLine(facts.cause, maxCause);
  const hint = explained === "" ? hintFor(facts.kind, cause, facts.retryAfter) : undefined;
  const { attempts = 1 } = context;
  return {
    operation: oneLine(context.operation, maxOperation),
    kind: facts.kind,
    ...(facts.endpoint === undefined ? {} : { endpoint: oneLine(facts.endpoint, 160) }),
    ...(facts.status === undefined ? {} : { status: facts.status }),
    cause: explained === "" ? cause : explained,
    attempts: Number.isSafeInteger(attempts) && attempts > 0 ? attempts : 1,
    ...(hint === undefined ? {} : { hint }),
    ...(facts.location === undefined ? {} : { location: oneLine(facts.location, 100) }),
  };
}

/**
 * Equal for failures of one operation by one cause: ids, numbers, times, addresses and quoted values do not count.
 * Names of tables, columns, fields and the like do.
 */
export function failureKey(error: ErrorInfo, operation: string): string {
  const { kind, status, endpoint = "", cause } = readFailure(error);
  const [called = ""] = endpoint.split("?", 1);
  const what = oneLine(templateText(cause), maxCause);
  return [
    oneLine(operation, maxOperation),
    kind,
    oneLine(templateText(called), 160),
    status ?? "",
    what,
  ].join(" | ");
}

interface Failure {
  readonly kind: ErrorKind;
  readonly status: number | undefined;
  readonly endpoint: string | undefined;
  readonly cause: string;
  readonly location: string | undefined;
  readonly retryAfter: string | undefined;
}

function readFailure(error: ErrorInfo): Failure {
  const given = textOf(error);
  const text = cleanText(given);
  const stack = readStack(linesOf(text));
  const lines = stack.sections.flatMap((section) => section.lines);
  const status = readStatus(text);
  const { kind, cause } = causeOf({ error, text, stack, lines, status, title: titleOf(given) });
  const isCalled = status !== undefined || called.has(kind);
  return {
    kind,
    status,
    cause: tidy(cause),
    endpoint: isCalled
      ? (readEndpoint(text) ?? (unreached.has(kind) ? readAddress(text) : undefined))
      : undefined,
    location: stack.location,
    retryAfter: isCalled ? readRetryAfter(text) : undefined,
  };
}

/** Kinds with an endpoint even where no status was given. */
const unreached: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  ...(["timeout", "connection_refused", "connection_lost", "unreachable", "dns", "tls"] as const),
]);
const called: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  ...unreached,
  ...([
    "rate_limited",
    "unauthorized",
    "forbidden",
    "not_found",
    "conflict",
    "unavailable",
    "invalid_json",
  ] as const),
]);

/** The message, and what was kept besides unless it starts with the same. */
function textOf({ message, raw }: ErrorInfo): string {
  const said = String(message);
  if (typeof raw !== "string" || raw === "") return said;
  return raw.slice(0, 4_000).includes(said.slice(0, 1_500)) ? raw : `${said}\n${raw}`;
}

interface Reading {
  readonly error: ErrorInfo;
  readonly text: string;
  readonly title: string | undefined;
  readonly stack: StackReading;
  readonly lines: readonly string[];
  readonly status: number | undefined;
}

/** From what is precise to what is vague. */
function causeOf({ error, text, title, stack, lines, status }: Reading): FailureMatch {
  const body = readBody(text);
  const precise = matchPrecise([...(body?.cause.split("\n") ?? []), ...lines], status !== undefined);
  if (precise) return withDetail(precise, lines);
  const issues = body?.isValidation ? body.cause : readValidation(lines);
  if (issues !== undefined) return { kind: "validation", cause: issues };
  const general = (body && matchGeneral([body.cause])) ?? matchGeneral(lines);
  if (status !== undefined) {
    const kind = kindOfStatus(status);
    const fits = general?.kind === kind ? general.cause : undefined;
    return {
      kind,
      cause: body?.cause ?? fits ?? exceptionOf(stack)?.cause ?? title ?? telling(lines) ?? "no message",
    };
  }
  return (
    general ??
    exceptionOf(stack) ??
    vagueOf(lines) ?? {
      kind: kindOfCode(error.code),
      cause: body?.cause ?? telling(lines) ?? (text.trim() || error.code || "no message"),
    }
  );
}

/** PostgreSQL says which value it was; what is found there is worth more than what surrounds it. */
function withDetail(found: FailureMatch, lines: readonly string[]): FailureMatch {
  const detail = lines
    .map((line) => /^\s*(?:DETAIL|detail|Detail): {1,2}['"]?(.{3,300})/.exec(line)?.[1])
    .find(Boolean);
  if (detail === undefined || found.cause.includes(detail.slice(0, 30))) return found;
  return {
    ...found,
    cause: `${found.cause.slice(0, 160).replace(/[\s.]+$/, "")}: ${detail.replace(/['"],?$/, "")}`,
  };
}

function exceptionOf(stack: StackReading): FailureMatch | undefined {
  for (const section of stack.sections) {
    const head = headOf(section);
    const [first] = section.lines;
    if (!head && section.isCause && first !== undefined) return { kind: "exception", cause: first };
    if (!head || matchVague([head.message])) continue;
    const isPlain = head.type === "Error" || head.type === "Exception";
    const message = head.message.trim();
    if (message === "" && isPlain) continue;
    return {
      kind: /panic/i.test(head.type) ? "panic" : "exception",
      cause: isPlain ? message : message === "" ? head.type : `${head.type}: ${message}`,
    };
  }
  return undefined;
}

/** An exit code says little: a line that tells more is the cause, and the code comes behind it. */
function vagueOf(lines: readonly string[]): FailureMatch | undefined {
  const exit = matchVague(lines);
  if (!exit) return undefined;
  const told = telling(lines.filter((line) => !matchVague([line])));
  const code = /(?:code|status):? (\d{1,3})/i.exec(exit.cause)?.[0];
  return {
    kind: "exit",
    cause: told === undefined ? exit.cause : code === undefined ? told : `${told} (exit ${code})`,
  };
}

const loud = /^\s*(?:fatal|error|panic|failed|failure|abort(?:ed)?)\b[^a-z]/i;
const telltale =
  /\b[Ee]rror|\bERR|[a-z]Error\b|(?:\b|[a-z])(?:[Ff]atal|[Ff]ail|[Pp]anic|[Dd]enied|[Cc]annot|can't|[Cc]ould ?n[o']t|[Uu]nable|[Ii]nvalid|[Nn]ot found|Not Found|is not in |[Rr]efus|[Ee]xception|[Mm]issing|[Uu]nexpected|[Uu]nknown|[Ff]orbidden|[Ee]xpired|must |no such|[Cc]onflict)/;

/** The line that says most: one that starts with `fatal:` or `error:`, else one that speaks of a failure, else the first. */
function telling(lines: readonly string[]): string | undefined {
  const spoken = lines.filter((line) => /[A-Za-z]{3}/.test(line) && !boilerplate.test(line));
  return (
    spoken.find((line) => loud.test(line) && line.trim().length > 12) ??
    spoken.find((line) => telltale.test(line)) ??
    spoken[0]
  );
}

const boilerplate =
  /^\s*(?:[<>*] |[\w-]{2,30}: \S*$|A complete log of this run|note:|hint:|npm (?:ERR!|error)|Node\.js v|at \S+ \(|% Total|(?:date|server|content-type|connection|cache-control|x-[\w-]+|via|vary|etag): |> [\w@/.-]+ \w+$|\[(?:SQL|parameters): |\(Background on this error)/i;

function kindOfCode(code: string): ErrorKind {
  return code === "tool_timeout" || code === "model_timeout"
    ? "timeout"
    : code === "invalid_arguments"
      ? "validation"
      : "failed";
}

/** Without what only says that it is an error. */
function tidy(cause: string): string {
  let text = cause.trim();
  for (let round = 0; round < 4; round += 1) {
    const shorter = text
      .replace(
        /^(?:Uncaught |Unhandled |Error: |ERROR:\s+|error: |fatal: |\[error\] |Exception: |PHP Fatal error: {1,2}|stderr: )/,
        "",
      )
      .replace(/^["'`[{(\s]+(?=[A-Z][a-z]+ [a-z])/, "");
    if (shorter === text) break;
    text = shorter;
  }
  return text === "" ? cause.trim() : text;
}
