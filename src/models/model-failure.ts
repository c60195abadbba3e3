import type { FailureRow, ModelFailureKind } from "./failure-row.ts";
import { codeRows, failureRows, statusKinds, typeKinds } from "./failure-rows.ts";
import { maskKeys } from "./mask-keys.ts";
import { type ReadFailure, readFailure } from "./read-failure.ts";
import { retryAfterOf } from "./retry-after.ts";

/** What a failed call comes to, whoever the provider is. */
export interface ModelFailure {
  readonly kind: ModelFailureKind;
  /** The same call may succeed later, unchanged. */
  readonly retryable: boolean;
  /** When a retry makes sense, as far as the provider said so; at most an hour. */
  readonly retryAfterMs?: number;
  /** How many tokens would have been let through: the model's context, or what the account may send at once. */
  readonly limitTokens?: number;
  /** How many there were, by the provider's count; with those reserved for the output where it counts them as well. */
  readonly sentTokens?: number;
  /** The HTTP status. */
  readonly status?: number;
  /** What the provider said, in short and without keys (I11). */
  readonly message: string;
  /** What to do about it, where that is not plain from the kind. */
  readonly fix?: string;
}

export interface ClassifyOptions {
  /** Milliseconds since the epoch: what a `retry-after` date is read against when the response has no `date` of its own. */
  readonly now?: number;
}

/**
 * Tells what kind of failure an error of a model call is, from the provider's message, codes and status, or from the
 * error of the network. It takes anything that can be thrown, also errors of other clients than the AI SDK's, and never
 * throws itself.
 *
 * Throttling is told apart before overflow: a limit of tokens per minute is no limit of the model. A single request
 * larger than such a limit is `throttled` and not `retryable`, since waiting never mends it; `limitTokens` then says
 * what would pass.
 */
export function classifyModelFailure(error: unknown, { now }: ClassifyOptions = {}): ModelFailure {
  const read = readFailure(error);
  const { kind, row } = kindOf(read);
  const tokens = tokensOf(kind, row, read);
  const retryable = isRetryable(kind, read) && !(kind === "throttled" && tokens.limitTokens !== undefined);
  const retryAfterMs = retryable ? retryAfterOf(read, now) : undefined;
  const fix = row?.fix;
  return {
    kind,
    retryable,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...tokens,
    ...(read.status !== undefined && { status: read.status }),
    message: messageOf(read),
    ...(fix !== undefined && { fix }),
  };
}

function kindOf(read: ReadFailure): { readonly kind: ModelFailureKind; readonly row?: FailureRow } {
  const { status, text } = read;
  const coded = codeKind(read);
  if (coded && status === undefined) return { kind: coded };
  const row = failureRows.find((each) => fitsStatus(each, status) && each.pattern.test(text));
  if (row) return { kind: row.kind, row };
  if (status === undefined) return { kind: typeKind(text) ?? "unknown" };
  if (status < 400) return { kind: coded ?? "garbled" };
  return { kind: statusKinds[status] ?? (status < 500 ? "invalid_request" : "server") };
}

/** What the error of the network, or of the SDK, says by its name. */
function codeKind({ codes, text }: ReadFailure): ModelFailureKind | undefined {
  if (/^terminated$/m.test(text)) return "interrupted"; // Node's fetch, when a body ends too early
  return codeRowOf(codes)?.kind ?? (/^fetch failed$/im.test(text) ? "network" : undefined);
}

function typeKind(text: string): ModelFailureKind | undefined {
  const types = [...text.matchAll(/^(?:type|status|code)=(\w+)$/gm)].map(([, type = ""]) => type);
  const known = types.find((type) => Object.hasOwn(typeKinds, type));
  return known === undefined ? undefined : typeKinds[known];
}

function codeRowOf(codes: readonly string[]): (typeof codeRows)[number] | undefined {
  return codeRows.find(({ pattern }) => codes.some((code) => pattern.test(code)));
}

function fitsStatus({ status }: FailureRow, given: number | undefined): boolean {
  return status === undefined || (given !== undefined && status.includes(given));
}

function isRetryable(kind: ModelFailureKind, { codes, isRetryable }: ReadFailure): boolean {
  switch (kind) {
    case "throttled":
    case "overloaded":
    case "server":
    case "network":
    case "timeout":
    case "interrupted":
    case "garbled":
      return true;
    case "overflow":
    case "quota":
    case "unauthorized":
    case "not_found":
    case "invalid_request":
    case "content_filter":
    case "tls":
      return false;
    case "unknown":
      return isRetryable ?? !codes.some((code) => code.startsWith("AI_")); // the SDK's other errors: the call is wrong
    default:
      return kind satisfies never;
  }
}

/** Limits in a message count when they are of the input, or when more was sent than an account may send at once. */
function tokensOf(
  kind: ModelFailureKind,
  row: FailureRow | undefined,
  { text }: ReadFailure,
): Pick<ModelFailure, "limitTokens" | "sentTokens"> {
  if (kind !== "overflow" && kind !== "throttled") return {};
  const groups = row?.pattern.exec(text)?.groups ?? {};
  const limit = number(groups.limit ?? (kind === "overflow" ? /^n_ctx=(\d+)$/m.exec(text)?.[1] : undefined));
  const input = number(
    groups.sent ?? (kind === "overflow" ? /^n_prompt_tokens=(\d+)$/m.exec(text)?.[1] : undefined),
  );
  const sent = input === undefined ? undefined : input + (number(groups.more) ?? 0);
  if (kind === "throttled" && !(limit !== undefined && sent !== undefined && sent > limit)) return {};
  return {
    ...(limit !== undefined && { limitTokens: limit }),
    ...(sent !== undefined && { sentTokens: sent }),
  };
}

function number(digits: string | undefined): number | undefined {
  const value = Number(digits?.replaceAll(",", ""));
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

const maxMessageLength = 500;

function messageOf(read: ReadFailure): string {
  const says = codeRowOf(read.codes)?.says;
  if (says !== undefined && read.status === undefined) return networkMessage(read, says);
  if (read.isHtml) return "a web page instead of an answer";
  const masked = maskKeys(read.message).replaceAll(/\s+/g, " ").trim();
  return masked.length <= maxMessageLength ? masked : `${masked.slice(0, maxMessageLength)}…`;
}

/** `api.example.com: there is no such host (ENOTFOUND)` */
function networkMessage({ codes, host }: ReadFailure, says: string): string {
  const code = codes.find((each) => codeRowOf([each])?.says === says);
  return `${host === undefined ? "" : `${maskKeys(host)}: `}${says} (${code})`;
}
