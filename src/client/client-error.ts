import type { ErrorCode } from "../core/errors.ts";

/** What the service refused, as a `HoldpointError` tells it; `unreachable` when there was no answer of the service's. */
export class HoldpointClientError extends Error {
  override readonly name = "HoldpointClientError";
  readonly code: ErrorCode | "unreachable";
  /** Of HTTP; `null` without an answer. */
  readonly status: number | null;
  /** The same call may succeed later, unchanged. */
  readonly retryable: boolean;
  /** What to do about it. */
  readonly fix: string | undefined;
  /** When a retry makes sense, in milliseconds from now, as far as the service said so. */
  readonly retryAfterMs: number | undefined;
  /** To be named when asking whoever runs the service. */
  readonly requestId: string | undefined;

  constructor(
    code: ErrorCode | "unreachable",
    message: string,
    options: {
      readonly status?: number | null;
      readonly retryable?: boolean;
      readonly fix?: string | undefined;
      readonly retryAfterMs?: number | undefined;
      readonly requestId?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? null;
    this.retryable = options.retryable ?? false;
    this.fix = options.fix;
    this.retryAfterMs = options.retryAfterMs;
    this.requestId = options.requestId;
  }
}

/** The error for an answer that is none of success. */
export async function errorOf(response: Response): Promise<HoldpointClientError> {
  const problem = await problemIn(response);
  const after = Number(response.headers.get("retry-after") ?? Number.NaN);
  const shared = {
    status: response.status,
    requestId: response.headers.get("x-request-id") ?? undefined,
    retryAfterMs: Number.isFinite(after) ? after * 1_000 : undefined,
  };
  if (problem === null) {
    const retryable = response.status >= 500 || response.status === 429;
    return new HoldpointClientError("unreachable", `answered ${response.status}, and not by Holdpoint`, {
      ...shared,
      retryable,
    });
  }
  const { code, detail, fix, retryable } = problem;
  return new HoldpointClientError(code, detail, { ...shared, fix, retryable });
}

interface Problem {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly fix?: string;
  readonly retryable: boolean;
}

async function problemIn(response: Response): Promise<Problem | null> {
  try {
    const type = response.headers.get("content-type") ?? "";
    return type.startsWith("application/problem+json") ? ((await response.json()) as Problem) : null; // the service's own shape
  } catch {
    return null;
  }
}
