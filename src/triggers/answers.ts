// What a sender is answered: JSON, and errors as problem+json (RFC 9457) with a stable code.
import { type HoldpointError, isHoldpointError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Seconds after which a sender should try again, when nothing says better. */
const retryAfterSeconds = 5;
const maxDetailLength = 1_000;

export function answer(status: number, document: Json): Response {
  return Response.json(document, { status, headers: { "cache-control": "no-store" } });
}

export function problemAnswer({ status, code, detail, headers = {} }: Problem): Response {
  const document = { type: "about:blank", title: titles[status] ?? "Error", status, code, detail };
  return new Response(JSON.stringify(document), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}

const titles: { readonly [status: number]: string } = {
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** What went wrong with a verified delivery, for its sender. Only errors of ours are told; `clean` takes secrets out of them. */
export function problemOf(error: unknown, clean: (text: string) => string): Problem {
  if (!isHoldpointError(error))
    return { status: 500, code: "internal", detail: "the delivery was not handled" };
  const status = statusOf(error);
  const detail = clean(error.message).slice(0, maxDetailLength);
  if (status === 503) return { ...unavailable(error.code, detail), headers: retryAfter(error) };
  return status === 500
    ? { status, code: error.code, detail: "the delivery was not handled" }
    : { status, code: error.code, detail };
}

export function unavailable(code: string, detail: string): Problem {
  return { status: 503, code, detail, headers: { "retry-after": String(retryAfterSeconds) } };
}

function statusOf(error: HoldpointError): number {
  if (error.retryable) return 503;
  switch (error.code) {
    case "store_busy":
    case "store_full":
    case "store_unavailable":
      return 503;
    case "invalid_input":
    case "not_json":
    case "result_too_large":
      return 422;
    case "thread_not_found":
      return 404;
    case "thread_ended":
      return 409;
    default:
      return 500;
  }
}

function retryAfter({ retryAfterMs }: HoldpointError): Readonly<Record<string, string>> {
  return {
    "retry-after": String(retryAfterMs === undefined ? retryAfterSeconds : Math.ceil(retryAfterMs / 1_000)),
  };
}
