// What a sender is answered: JSON, and errors as problem+json (RFC 9457) with a stable code.
import { type ErrorCode, type HoldpointError, isHoldpointError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";

/** Stable: senders' operators look for them. */
export type WebhookProblemCode =
  | ErrorCode
  | "body_broken"
  | "message_invalid"
  | "signature_invalid"
  | "stopping";

export interface Problem {
  readonly status: number;
  readonly code: WebhookProblemCode;
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
  const document = {
    type: `urn:holdpoint:problem:${code}`,
    title: code.replaceAll("_", " "),
    status,
    code,
    detail,
    retryable: status === 503 || status === 408,
  };
  return new Response(JSON.stringify(document), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}

/**
 * What went wrong with a verified message, for its sender. Only what is the sender's to mend is told in words, since ours
 * name files and code; `clean` takes secrets out of it.
 */
export function problemOf(error: unknown, clean: (text: string) => string): Problem {
  if (!isHoldpointError(error)) return { status: 500, code: "internal", detail: notHandled };
  const { code, message } = error;
  const status = statusOf(error);
  if (status === 503) return { status, code, detail: notNow, headers: retryAfter(error) };
  return { status, code, detail: status === 500 ? notHandled : clean(message).slice(0, maxDetailLength) };
}

const notHandled = "the message was not handled";
const notNow = "the message could not be taken now: deliver it again later";

export function unavailable(code: WebhookProblemCode, detail: string): Problem {
  return { status: 503, code, detail, headers: { "retry-after": String(retryAfterSeconds) } };
}

function statusOf(error: HoldpointError): number {
  if (error.retryable) return 503;
  switch (error.code) {
    case "check_failed":
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
