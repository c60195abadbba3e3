// I11. What is logged of a request: never its body, its query, its headers or a token.
import { randomUUID } from "node:crypto";
import { isHoldpointError } from "../core/errors.ts";
import type { RequestFacts } from "./route.ts";

/** One answered request. */
export interface AccessEntry {
  readonly at: string;
  readonly requestId: string;
  readonly method: string;
  /** As it was sent, without the query; of a mount its prefix only, since what follows may be a secret. */
  readonly path: string;
  readonly status: number;
  /** To the beginning of the answer. */
  readonly durationMs: number;
  /** `null` without a token. */
  readonly principal: string | null;
  readonly remote: string | null;
  /** Of a refusal, its code. */
  readonly code?: string;
  /** Of a fault of the service, what went wrong. */
  readonly error?: string;
}

export type LogAccess = (entry: AccessEntry) => void;

/** The id of a request: the sender's when it is well-formed, else a new one. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id") ?? "";
  return /^[\w.:-]{1,64}$/.test(given) ? given : newRequestId();
}

/** Of a UUID, since Node draws the randomness of many of those at once. */
function newRequestId(): string {
  return `req_${randomUUID().replaceAll("-", "").slice(0, 16)}`;
}

interface Answered {
  readonly request: Request;
  readonly facts: RequestFacts;
  readonly status: number;
  readonly seconds: number;
  readonly failure: unknown;
  readonly at: number;
  readonly clean: <T>(value: T) => T;
}

/** A log that breaks must not break the service. */
export function writeLog(log: LogAccess, answered: Answered): void {
  const { request, facts, status, seconds, failure, at, clean } = answered;
  const entry: AccessEntry = {
    at: new Date(at).toISOString(),
    requestId: facts.requestId,
    method: request.method,
    path: pathOf(request, facts),
    status,
    durationMs: Math.round(seconds * 100_000) / 100,
    principal: facts.caller?.principal ?? null,
    remote: facts.remote,
    ...(failure !== undefined && { code: isHoldpointError(failure) ? failure.code : "internal" }),
    ...(failure !== undefined && status >= 500 && { error: faultOf(failure) }),
  };
  try {
    log(clean(entry));
  } catch {
    // what was to be told is lost with its log
  }
}

function pathOf(request: Request, { route }: RequestFacts): string {
  const { pathname } = new URL(request.url);
  return route.startsWith("/hooks/") || route.startsWith("/channels/") ? route : pathname.slice(0, 500);
}

function faultOf(failure: unknown): string {
  if (isHoldpointError(failure)) return failure.message;
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
