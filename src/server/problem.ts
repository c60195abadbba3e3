// Every refusal leaves as problem+json (RFC 9457) with the same stable code as on the command line.
import { type ErrorCode, HoldpointError, isHoldpointError } from "../core/errors.ts";

/** The one table from error to HTTP status. */
const statuses: { readonly [Code in ErrorCode]: number } = {
  usage: 400,
  invalid_json: 400,
  invalid_input: 422,
  agent_not_found: 404,
  agent_invalid: 500,
  tool_invalid: 500,
  prompt_invalid: 500,
  suite_invalid: 500,
  thread_not_found: 404,
  request_not_found: 404,
  operation_not_found: 404,
  token_not_found: 404,
  standing_not_found: 404,
  delivery_not_found: 404,
  standing_invalid: 422,
  route_not_found: 404,
  method_not_allowed: 405,
  media_type_unsupported: 415,
  body_too_large: 413,
  body_too_slow: 408,
  request_already_decided: 409,
  verdict_invalid: 422,
  thread_ended: 409,
  not_an_approver: 403,
  digest_mismatch: 409,
  key_conflict: 409,
  unauthenticated: 401,
  scope_missing: 403,
  origin_refused: 403,
  append_conflict: 503,
  lease_lost: 503,
  tally_exceeded: 503,
  channel_unavailable: 503,
  rate_limited: 429,
  too_many_streams: 429,
  service_busy: 503,
  store_busy: 503,
  store_unavailable: 503,
  store_full: 507,
  channel_refused: 502,
  check_failed: 409,
  store_corrupt: 500,
  store_newer: 500,
  store_read_only: 500,
  event_unknown: 500,
  not_json: 422,
  artifact_missing: 500,
  flow_changed: 500,
  flow_stuck: 500,
  flow_failed: 500,
  operation_ambiguous: 500,
  crash_loop: 500,
  step_failed: 500,
  tool_unknown: 500,
  tool_failed: 500,
  tool_timeout: 500,
  tool_aborted: 500,
  invalid_arguments: 500,
  result_not_json: 500,
  result_too_large: 413,
  did_not_happen: 500,
  model_unavailable: 500,
  model_not_installed: 500,
  model_failed: 500,
  model_timeout: 500,
  model_throttled: 503,
  model_overflow: 500,
  model_interrupted: 503,
  model_circuit_open: 503,
  wire_mismatch: 500,
  invalid_decision: 500,
  window_over_budget: 500,
  window_failed: 500,
  limit_reached: 500,
  child_failed: 500,
  stopped_by_person: 500,
  internal: 500,
};

/** What is said of faults of our own, whose messages may name files and libraries. */
const ownFaults: { readonly [Status: number]: string } = {
  500: "the service could not do this; its log says why, under this request's id",
  503: "the service cannot do this now",
  507: "the service has no room left to write",
};

/** A refusal as it leaves. */
interface Problem {
  readonly type: string;
  /** For people, the same for every problem of this code. */
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  /** What to do next. */
  readonly fix?: string;
  /** The same request may succeed later, unchanged. */
  readonly retryable: boolean;
  readonly requestId: string;
}

export function statusOf(error: unknown): number {
  return isHoldpointError(error) ? statuses[error.code] : 500;
}

/** An error for whoever sent the request: no stack, and no message of a fault that is not theirs. */
function problemOf(error: unknown, requestId: string): Problem {
  const known = isHoldpointError(error) ? error : new HoldpointError("internal", "");
  const status = statuses[known.code];
  const isOwnFault = status >= 500;
  return {
    type: `urn:holdpoint:problem:${known.code}`,
    title: known.code.replaceAll("_", " "),
    status,
    code: known.code,
    detail: (isOwnFault && known.code !== "service_busy" && ownFaults[status]) || known.message,
    ...(known.fix === undefined || isOwnFault ? {} : { fix: known.fix }),
    retryable: known.retryable || status === 429 || status === 503 || status === 408,
    requestId,
  };
}

/** The response for an error. `clean` takes declared secrets out of what it says. */
export function problemResponse(error: unknown, requestId: string, clean: <T>(value: T) => T): Response {
  const problem = clean(problemOf(error, requestId));
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", ...extraHeaders(error, problem.status) },
  });
}

function extraHeaders(error: unknown, status: number): Readonly<Record<string, string>> {
  const afterMs = isHoldpointError(error) ? error.retryAfterMs : undefined;
  if (status === 401) return { "www-authenticate": 'Bearer realm="holdpoint"' };
  if (status === 405 && isHoldpointError(error)) return { allow: String(error.details?.allow ?? "") };
  if (status === 429 || status === 503)
    return { "retry-after": String(Math.max(1, Math.ceil((afterMs ?? 1_000) / 1_000))) };
  return status === 408 || status === 413 ? { connection: "close" } : {};
}
