// The comparison costs about 2 ms of a core for a body of 450 KB and 0.05 ms for one of 10 KB (200 and 10 messages, on the
// machine of docs/benchmarks.md): the body is parsed, walked and hashed once.
import { AsyncLocalStorage } from "node:async_hooks";
import { hash } from "node:crypto";
import { HoldpointError } from "../../core/errors.ts";
import type { WireRecord } from "../../core/events.ts";
import { isRefused, type WireDifference, type WireExpectation } from "./wire-difference.ts";
import { wireDifferences } from "./wire-differences.ts";

export interface WireCheck extends WireExpectation {
  /** The model's, for messages. */
  readonly id: string;
  /** Refuse what differs, before it is sent where that can be. Default true; else differences are warnings. */
  readonly strict?: boolean;
}

export interface Captured<Result> {
  readonly result: Result;
  /** The request that the result answers; `null` when neither fetch nor result showed it. */
  readonly wire: WireRecord | null;
  /** Differences that were let pass, one line each. */
  readonly warnings: readonly string[];
}

/** One model call, as long as it makes requests. */
interface Call {
  readonly check: WireCheck;
  wire: WireRecord | null;
  readonly warnings: Set<string>;
}

const calls = new AsyncLocalStorage<Call>();

/**
 * Makes one call of a model object and compares what it sends with its input: before it is sent when the object's
 * provider was given `wireFetch()`, else by the request that `doGenerate` and `doStream` show with their result.
 *
 * @throws `wire_mismatch` in strict mode, not retryable, naming the differences; `details.isSent` says whether it was
 *   too late to keep the request back. A stream that has begun is then cancelled.
 */
export async function captureWire<Result extends object>(
  check: WireCheck,
  run: () => PromiseLike<Result>,
): Promise<Captured<Result>> {
  const call: Call = { check, wire: null, warnings: new Set() };
  const result = await calls.run(call, run);
  if (call.wire === null) checkShown(call, result);
  return { result, wire: call.wire, warnings: [...call.warnings] };
}

/**
 * Compares a request's body (`null`: no text) with the input of the call that it is part of. Requests of other purpose that are part of a call (an upload, a token) have no form that is known, and are warned of.
 *
 * @throws `wire_mismatch` in strict mode.
 */
export function checkRequest(body: string | null): void {
  const call = calls.getStore();
  if (!call) return;
  if (body !== null) compare(call, body, false);
  else call.warnings.add("wire: a request that is no text was sent, and not compared");
}

/** Whether requests are part of a call just now. */
export function isCapturing(): boolean {
  return calls.getStore() !== undefined;
}

function checkShown(call: Call, result: object): void {
  const request = (result as { readonly request?: { readonly body?: unknown } | undefined }).request;
  if (request?.body === undefined) return;
  const text = typeof request.body === "string" ? request.body : JSON.stringify(request.body);
  try {
    compare(call, text, true);
  } catch (error) {
    const { stream } = result as { readonly stream?: ReadableStream };
    void stream?.cancel(error).catch(() => {}); // the error is what counts
    throw error;
  }
}

function compare(call: Call, text: string, isSent: boolean): void {
  const body = Buffer.from(text);
  const wire = { digest: hash("sha256", body, "hex"), bytes: body.length };
  const { check } = call;
  const differences = wireDifferences(parsed(text), check);
  const refused = (check.strict ?? true) ? differences.filter(isRefused) : [];
  if (refused.length > 0) throw mismatch(check.id, refused, wire, isSent);
  for (const { kind, what } of differences) call.warnings.add(`wire: ${kind}: ${what}`);
  // What another request says, such as one for a token, is not what the result answers.
  if (call.wire === null || !differences.some(({ kind }) => kind === "form_unknown")) call.wire = wire;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const maxNamed = 5;

function mismatch(
  id: string,
  differences: readonly WireDifference[],
  wire: WireRecord,
  isSent: boolean,
): HoldpointError {
  const named = differences.slice(0, maxNamed).map(({ what }) => what);
  const more = differences.length - named.length;
  const lines = more > 0 ? [...named, `and ${more} more differences`] : named;
  const what = isSent
    ? `${id} was sent another request than the window asks for (its answer is not used)`
    : `the request to ${id} is not what the window asks for, and was not sent`;
  return new HoldpointError("wire_mismatch", `${what}: ${lines.join("; ")}`, {
    fix: fixFor(differences),
    details: {
      differences: differences.slice(0, 100).map(({ kind, what: line }) => ({ kind, what: line })),
      digest: wire.digest,
      bytes: wire.bytes,
      isSent,
    },
  });
}

function fixFor(differences: readonly WireDifference[]): string {
  const has = (kind: WireDifference["kind"]) => differences.some((difference) => difference.kind === kind);
  const otherwise = "`strict: false` lets it pass with a warning.";
  if (has("schema_dropped"))
    return `This model takes no such JSON schema: use another encoding, or, for an endpoint that does take one, set \`supportsStructuredOutputs\`; ${otherwise}`;
  if (has("limit_changed")) return `Ask for no more output tokens than the model can give; ${otherwise}`;
  return `Take what is named out of the model's own settings and middleware; ${otherwise}`;
}
