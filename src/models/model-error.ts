// Errors of AI SDK providers are told by their members, not their classes: several versions of the SDK may be installed.
import { HoldpointError, isHoldpointError } from "../core/errors.ts";

interface ProviderError {
  readonly name: string;
  readonly message: string;
  readonly statusCode: number | undefined;
  readonly isRetryable: boolean | undefined;
  readonly responseBody: string;
}

/**
 * What a failed model call throws. The message names the model, the status and what the provider said; I11: it never
 * holds a key, since providers repeat the keys that they refuse. The error as it came is the `cause`.
 */
export function toModelError(id: string, cause: unknown): HoldpointError {
  if (isHoldpointError(cause)) return cause;
  const error = readError(cause);
  if (error.name === "AI_LoadAPIKeyError") {
    return new HoldpointError("model_unavailable", `${id}: ${maskKeys(error.message)}`, {
      fix: "Set it where the worker is started.",
      cause,
    });
  }
  const status = error.statusCode === undefined ? "" : ` (HTTP ${error.statusCode})`;
  if (isKeyRefused(error)) {
    const fix = "Check the provider's API key, and that it may use this model.";
    return new HoldpointError("model_failed", `${id} refused access${status}`, { fix, cause });
  }
  const options = { retryable: isRetryable(error), cause };
  const message = `${id} failed${status}: ${maskKeys(error.message) || "no message"}`;
  if (error.statusCode !== 404) return new HoldpointError("model_failed", message, options);
  return new HoldpointError("model_failed", message, { ...options, fix: "Check the model's name." });
}

function readError(cause: unknown): ProviderError {
  const error: Partial<Record<keyof ProviderError, unknown>> =
    typeof cause === "object" && cause !== null ? cause : { message: String(cause) };
  return {
    name: String(error.name ?? ""),
    message: String(error.message ?? ""),
    statusCode: typeof error.statusCode === "number" ? error.statusCode : undefined,
    isRetryable: typeof error.isRetryable === "boolean" ? error.isRetryable : undefined,
    responseBody: typeof error.responseBody === "string" ? error.responseBody : "",
  };
}

function isKeyRefused({ statusCode, responseBody }: ProviderError): boolean {
  if (statusCode === 401 || statusCode === 403) return true;
  return statusCode === 400 && responseBody.includes('"API_KEY_INVALID"'); // Google's reason for a bad key
}

function isRetryable({ name, statusCode, isRetryable, responseBody }: ProviderError): boolean {
  if (responseBody.includes('"insufficient_quota"')) return false; // OpenAI sends it as 429; waiting does not fill an account
  if (statusCode !== undefined && statusCode < 300) return true; // the answer came garbled or cut off on its way
  return isRetryable ?? !name.startsWith("AI_"); // the SDK's other errors say that the call itself is wrong
}

const maxMessageLength = 500;

/** Known prefixes of keys, and any run of letters and digits as long as one. */
function maskKeys(text: string): string {
  const masked = text.replace(
    /\b(?:sk|pk|rk|gsk|xai|pplx|key)-[\w*-]{6,}|\bBearer [\w.~+/=-]+|[\w*-]{32,}/g,
    "[masked]",
  );
  return masked.length <= maxMessageLength ? masked : `${masked.slice(0, maxMessageLength)}…`;
}
