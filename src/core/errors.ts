import type { Json } from "./json.ts";
import { isError, rawError } from "./raw-error.ts";

/** Every code that Holdpoint throws or records. Callers switch on it; messages are for people. */
export type ErrorCode =
  // A caller's mistake (CLI exit code 2).
  | "usage"
  | "invalid_input"
  | "invalid_json"
  | "agent_not_found"
  | "agent_invalid"
  | "tool_invalid"
  | "prompt_invalid"
  | "suite_invalid"
  | "thread_not_found"
  | "request_not_found"
  | "operation_not_found"
  | "standing_not_found"
  | "standing_invalid"
  | "token_not_found"
  | "route_not_found"
  | "method_not_allowed"
  | "media_type_unsupported"
  | "body_too_large"
  | "body_too_slow"
  | "delivery_not_found"
  // Refused (exit code 4).
  | "request_already_decided"
  | "verdict_invalid"
  | "not_an_approver"
  | "thread_ended"
  | "digest_mismatch"
  | "key_conflict"
  | "unauthenticated"
  | "scope_missing"
  | "origin_refused"
  // Try again (exit code 3).
  | "append_conflict"
  | "tally_exceeded"
  | "lease_lost"
  | "rate_limited"
  | "too_many_streams"
  | "service_busy"
  | "store_busy"
  | "store_unavailable"
  | "store_full"
  | "channel_unavailable"
  // A broken dependency or a corrupt log (exit code 1).
  | "store_corrupt"
  | "store_newer"
  | "store_read_only"
  | "event_unknown"
  | "not_json"
  | "artifact_missing"
  | "channel_refused"
  | "check_failed"
  // Recorded in the log, as data.
  | "flow_changed"
  | "flow_stuck"
  | "flow_failed"
  | "operation_ambiguous"
  | "crash_loop"
  | "step_failed"
  | "tool_unknown"
  | "tool_failed"
  | "tool_timeout"
  | "tool_aborted"
  | "invalid_arguments"
  | "result_not_json"
  | "result_too_large"
  | "did_not_happen"
  | "model_unavailable"
  | "model_not_installed"
  | "model_failed"
  | "model_timeout"
  | "model_throttled"
  | "model_overflow"
  | "model_interrupted"
  | "model_circuit_open"
  | "wire_mismatch"
  | "invalid_decision"
  | "window_over_budget"
  | "window_failed"
  | "limit_reached"
  | "child_failed"
  | "stopped_by_person"
  | "internal";

/** The one error class: `code` for programs, `message` for people, `fix` for what to do next. */
export class HoldpointError extends Error {
  override readonly name = "HoldpointError";
  readonly code: ErrorCode;
  /** The same call may succeed later, unchanged. */
  readonly retryable: boolean;
  /** What the reader can do about it, in one sentence. */
  readonly fix: string | undefined;
  /** When a retry makes sense, in milliseconds from now, as far as the other side said so. */
  readonly retryAfterMs: number | undefined;
  /** Facts for programs, such as `limitTokens` of a `model_overflow`. */
  readonly details: { readonly [name: string]: Json } | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      readonly fix?: string | undefined;
      readonly retryable?: boolean;
      readonly retryAfterMs?: number | undefined;
      readonly details?: { readonly [name: string]: Json };
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.fix = options.fix;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }
}

/** True for an error of ours, optionally with one of the codes given. */
export function isHoldpointError(error: unknown, ...codes: readonly ErrorCode[]): error is HoldpointError {
  return (
    isError(error) && error instanceof HoldpointError && (codes.length === 0 || codes.includes(error.code))
  );
}

/** An error as the log keeps it: bounded text. */
export interface ErrorInfo {
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
  /** The same may succeed at another time. */
  readonly retryable?: boolean;
  /**
   * What the error held besides: stack, causes, status, the answer's body, the output of a command; redacted, at most
   * about 20,000 characters. For people and for `compactError`: neither a flow nor a model is shown it.
   */
  readonly raw?: string;
}

/** Longer messages are cut when they are appended, after redaction: half a secret is one too. */
const maxMessageLength = 200_000;

/** Turns anything thrown into data for the log; `code` names the kind when the error has none of ours. */
export function toErrorInfo(error: unknown, code: ErrorCode): ErrorInfo {
  if (isHoldpointError(error)) {
    const { code, message, fix, retryable } = error;
    return {
      code,
      message: clip(message),
      ...(fix === undefined ? {} : { fix }),
      ...(retryable ? { retryable } : {}),
    };
  }
  return { code, message: clip(describe(error)) };
}

/** As `toErrorInfo`, with what the error holds besides its message: for the log alone, where it is redacted and cut. */
export function recordError(error: unknown, code: ErrorCode): ErrorInfo {
  const info = toErrorInfo(error, code);
  // Ours say all in code, message and fix; what they were caused by is worth keeping.
  const thrown = isHoldpointError(error) ? error.cause : error;
  const raw = thrown !== error && !isError(thrown) ? undefined : rawError(thrown);
  return raw === undefined || raw === info.message ? info : { ...info, raw };
}

/** For a flow, another log or a screen: what an error held is looked up in the log where it happened. */
export function withoutRaw({ raw: _, ...error }: ErrorInfo): ErrorInfo {
  return error;
}

function describe(error: unknown): string {
  try {
    if (error instanceof Error)
      return error.name === "Error" ? error.message : `${error.name}: ${error.message}`;
    return typeof error === "string" ? error : (JSON.stringify(error) ?? String(error));
  } catch {
    return "an error that cannot be shown";
  }
}

function clip(text: string): string {
  return text.length <= maxMessageLength
    ? text
    : `${text.slice(0, maxMessageLength)}… (${text.length - maxMessageLength} characters more)`;
}
