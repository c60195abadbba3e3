// The table of what providers say when a call fails. Messages change without notice: a row says where its message was
// seen, and test/models/provider-messages.ts holds the messages themselves.

import type { FailureRow, ModelFailureKind } from "./failure-row.ts";
import { limitRows, lookAlikeRows } from "./limit-rows.ts";
import { overflowRows } from "./overflow-rows.ts";

const otherRows: readonly FailureRow[] = [
  {
    kind: "invalid_request",
    from: "node",
    pattern: /is an invalid header (?:value|name)|Cannot convert argument to a ByteString/,
    fix: "Check the provider's key and headers for line breaks, and for characters outside Latin-1.",
    source: "undici: Headers.append",
  },
  {
    kind: "invalid_request",
    from: "node",
    pattern: /^(?:Cannot connect to API: )?bad port$/m,
    fix: "Serve the model at another port: this one is of those that fetch refuses (fetch.spec.whatwg.org/#port-blocking).",
    source: "undici: fetch",
  },
  {
    kind: "content_filter",
    from: "azure",
    pattern: /^code=(?:content_filter|ResponsibleAIPolicyViolation)$|content management policy/im,
    source: "openai/openai-python#331",
  },
  {
    kind: "content_filter",
    from: "anthropic",
    pattern: /blocked by content filtering policy/i,
    source: "anthropics/claude-code#58367",
  },
  {
    kind: "content_filter",
    from: "google",
    pattern: /^blockReason=/m,
    source: "ai.google.dev/api/generate-content#PromptFeedback",
  },
  {
    kind: "unauthorized",
    from: "google",
    pattern: /API_KEY_INVALID|API key not valid/,
    source: "ai.google.dev/gemini-api/docs/troubleshooting",
  },
  {
    kind: "unauthorized",
    from: "google",
    pattern: /user location is not supported/i,
    fix: "Use a provider, or a region, that serves your location.",
    source: "google-gemini/gemini-cli#24641",
  },
  {
    kind: "unauthorized",
    from: "openai",
    pattern: /organization must be verified/i,
    fix: "Verify the organization with the provider.",
    source: "continuedev/continue#8209",
  },
  {
    kind: "not_found",
    from: "openai, groq",
    pattern: /^code=model_not_found$/m,
    source: "pydantic-ai: test_model_name_suggestion",
  },
  {
    kind: "not_found",
    from: "bedrock",
    pattern: /model identifier is invalid/i,
    source: "pydantic-ai: test_model_name_suggestion",
  },
  // The model's call did not fit the tool: the provider says so in place of an answer.
  {
    kind: "garbled",
    from: "groq",
    pattern: /^code=tool_use_failed$|^failed to call a function\./im,
    source: "groq/groq-typescript#28",
  },
  {
    kind: "server",
    from: "openai",
    pattern: /had an error while processing your request/i,
    source: "acheong08/ChatGPT#607",
  },
];

/** Provider error rows in the order in which they count. */
export const failureRows: readonly FailureRow[] = [
  ...limitRows,
  ...lookAlikeRows,
  ...overflowRows,
  ...otherRows,
];

/** By HTTP status, when no row matches. */
export const statusKinds: { readonly [status: number]: ModelFailureKind } = {
  401: "unauthorized",
  403: "unauthorized",
  404: "not_found",
  408: "timeout",
  409: "server",
  424: "server", // Bedrock: the model failed
  425: "server",
  498: "overloaded", // Groq: no flex capacity
  499: "interrupted",
  503: "overloaded",
  504: "timeout",
  522: "timeout", // Cloudflare
  524: "timeout", // Cloudflare
  529: "overloaded", // Anthropic
};

/** By the type that the body gives, when there is no status: errors in a stream. Types of Anthropic, OpenAI and Google. */
export const typeKinds: { readonly [type: string]: ModelFailureKind } = {
  api_error: "server",
  server_error: "server",
  INTERNAL: "server",
  timeout_error: "timeout",
  DEADLINE_EXCEEDED: "timeout",
  UNAVAILABLE: "overloaded",
  billing_error: "quota",
  authentication_error: "unauthorized",
  permission_error: "unauthorized",
  invalid_api_key: "unauthorized",
  UNAUTHENTICATED: "unauthorized",
  PERMISSION_DENIED: "unauthorized",
  not_found_error: "not_found",
  NOT_FOUND: "not_found",
  request_too_large: "invalid_request",
  invalid_request_error: "invalid_request",
  INVALID_ARGUMENT: "invalid_request",
};

/** By the name or the code of an error that has no response: of the SDK, of Node, or of its HTTP client. */
export const codeRows: readonly {
  readonly pattern: RegExp;
  readonly kind: ModelFailureKind;
  /** In words, after the host. */
  readonly says?: string;
}[] = [
  {
    pattern: /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/,
    kind: "tls",
    says: "it does not speak TLS there",
  },
  {
    pattern:
      /^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|HOSTNAME_MISMATCH)/,
    kind: "tls",
    says: "its certificate is not trusted",
  },
  { pattern: /^EPROTO$/, kind: "tls", says: "it does not speak TLS there" },
  { pattern: /^ENOTFOUND$/, kind: "network", says: "there is no such host" },
  { pattern: /^EAI_/, kind: "network", says: "its name could not be looked up" },
  { pattern: /^ECONNREFUSED$/, kind: "network", says: "it refuses the connection" },
  {
    pattern: /^(?:EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL)$/,
    kind: "network",
    says: "there is no route to it",
  },
  {
    pattern: /^(?:ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/,
    kind: "network",
    says: "it gave no connection in time",
  },
  {
    pattern:
      /^(?:UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT|ESOCKETTIMEDOUT|TimeoutError|UND_ERR_REQ_TIMEOUT)$/,
    kind: "timeout",
    says: "no answer in time",
  },
  {
    pattern:
      /^(?:UND_ERR_ABORTED|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|AbortError)$/,
    kind: "interrupted",
    says: "the answer broke off",
  },
  {
    pattern:
      /^(?:ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_CLOSED|UND_ERR_DESTROYED|UND_ERR_INFO)$/,
    kind: "network",
    says: "the connection broke",
  },
  { pattern: /^ERR_INVALID_URL$/, kind: "invalid_request", says: "the base URL is no URL" },
  {
    pattern:
      /^(?:HPE_|HTTPParserError$|UND_ERR_EXCEEDED_|AI_JSONParseError$|AI_TypeValidationError$|AI_InvalidResponseDataError$)/,
    kind: "garbled",
  },
  { pattern: /^(?:AI_EmptyResponseBodyError|AI_NoContentGeneratedError)$/, kind: "interrupted" },
  { pattern: /^(?:AI_LoadAPIKeyError|AI_LoadSettingError)$/, kind: "unauthorized" },
  { pattern: /^AI_NoSuchModelError$/, kind: "not_found" },
];
