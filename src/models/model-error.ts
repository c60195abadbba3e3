import { type ErrorCode, HoldpointError, isHoldpointError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { type ClassifyOptions, classifyModelFailure, type ModelFailure } from "./model-failure.ts";
import { readFailure } from "./read-failure.ts";

/**
 * What a failed model call throws. The message names the model, the status and what the provider said; I11: it never
 * holds a key, since providers repeat the keys that they refuse. `details.kind` is the failure's kind, `limitTokens`
 * and `sentTokens` are there as far as the provider named them. The error as it came is the `cause`.
 */
export function toModelError(id: string, cause: unknown, options: ClassifyOptions = {}): HoldpointError {
  if (isHoldpointError(cause)) return cause;
  const failure = classifyModelFailure(cause, options);
  const { codes, host } = readFailure(cause);
  const hasNoKey = codes.includes("AI_LoadAPIKeyError") || codes.includes("AI_LoadSettingError");
  const isNowhere = codes.some((code) => code === "ENOTFOUND" || code === "ERR_INVALID_URL");
  const fix = failure.fix ?? (hasNoKey ? "Set it where the worker is started." : fixOf(failure, host));
  return new HoldpointError(
    hasNoKey || isNowhere ? "model_unavailable" : codeOf(failure),
    hasNoKey ? `${id}: ${failure.message}` : messageOf(id, failure),
    {
      retryable: failure.retryable,
      retryAfterMs: failure.retryAfterMs,
      ...(fix !== undefined && { fix }),
      details: detailsOf(failure),
      cause,
    },
  );
}

function codeOf({ kind }: ModelFailure): ErrorCode {
  switch (kind) {
    case "overflow":
      return "model_overflow";
    case "throttled":
      return "model_throttled";
    case "interrupted":
      return "model_interrupted";
    case "timeout":
      return "model_timeout";
    case "tls":
      return "model_unavailable";
    case "overloaded":
    case "quota":
    case "unauthorized":
    case "not_found":
    case "invalid_request":
    case "content_filter":
    case "server":
    case "network":
    case "garbled":
    case "unknown":
      return "model_failed";
    default:
      return kind satisfies never;
  }
}

function messageOf(id: string, failure: ModelFailure): string {
  const status = failure.status === undefined ? "" : ` (HTTP ${failure.status})`;
  if (failure.kind === "unauthorized" && speaksOfKey(failure)) return `${id} refused access${status}`;
  return `${id} ${verbOf(failure)}${status}: ${failure.message || "no message"}`;
}

/** Such a message may repeat a key of a form that is masked nowhere. */
function speaksOfKey({ message }: ModelFailure): boolean {
  return message === "" || /key|token|credential|password|secret|auth/i.test(message);
}

function verbOf({ kind, retryable }: ModelFailure): string {
  switch (kind) {
    case "overflow":
      return "takes no input of this length";
    case "throttled":
      return retryable ? "is throttled" : "takes no call of this size from the account";
    case "overloaded":
      return "is overloaded";
    case "quota":
      return "refused: the account's credit or allowance is used up";
    case "unauthorized":
      return "refused access";
    case "not_found":
      return "was not found";
    case "invalid_request":
      return "refused the request";
    case "content_filter":
      return "withheld its output (content filter)";
    case "network":
    case "tls":
      return "is not reachable";
    case "timeout":
      return "gave no answer in time";
    case "interrupted":
      return "broke its answer off";
    case "garbled":
      return "gave no usable answer";
    case "server":
    case "unknown":
      return "failed";
    default:
      return kind satisfies never;
  }
}

function fixOf({ kind, retryable, limitTokens }: ModelFailure, host: string | undefined): string | undefined {
  switch (kind) {
    case "overflow":
      return `Set a smaller window budget${limitTokens === undefined ? "" : `, below ${limitTokens} tokens with the output`}, or use a model with a larger context.`;
    case "throttled":
      return retryable
        ? undefined
        : `Set a smaller window budget or maxOutputTokens (together ${limitTokens} tokens), or raise the account's limit.`;
    case "quota":
      return "Top up the account, or raise its spending limit.";
    case "unauthorized":
      return "Check the provider's API key, and that it may use this model.";
    case "not_found":
      return "Check the model's name, and the base URL.";
    case "invalid_request":
      return "Check the model's settings against what the provider says.";
    case "content_filter":
      return "See in the thread's window what the provider's filter may object to.";
    case "network":
      return `Check that ${host ?? "the provider"} is reachable from the worker, the base URL, and proxies on the way.`;
    case "tls":
      return "Check the base URL (http or https?) and proxies on the way; trust a certificate of your own with NODE_EXTRA_CA_CERTS.";
    case "garbled":
      return "Check the base URL and proxies on the way, if it happens again.";
    case "overloaded":
    case "server":
    case "timeout":
    case "interrupted":
    case "unknown":
      return undefined;
    default:
      return kind satisfies never;
  }
}

function detailsOf({ kind, status, limitTokens, sentTokens }: ModelFailure): {
  readonly [name: string]: Json;
} {
  return {
    kind,
    ...(status !== undefined && { status }),
    ...(limitTokens !== undefined && { limitTokens }),
    ...(sentTokens !== undefined && { sentTokens }),
  };
}
