// What arrives is bounded in size and in time, and is JSON in UTF-8, before anything looks at it.
import { HoldpointError } from "../core/errors.ts";
import { strictJson } from "../core/strict-json.ts";
import type { Clock } from "../ports/clock.ts";

export interface BodyLimits {
  readonly maxBytes: number;
  /** How long a body may take to arrive. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * The bytes of a request's body.
 *
 * @throws `body_too_large`, without reading on; `body_too_slow`.
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array<ArrayBuffer>> {
  const { maxBytes, timeoutMs, clock } = limits;
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const over = new AbortController();
  const late = clock.sleep(timeoutMs, over.signal).then(() => "late" as const);
  try {
    return await (length === null
      ? collectPieces(request, late, limits)
      : collectWhole(request, late, limits));
  } finally {
    over.abort(isRead);
  }
}

/** The reason of an abort that is no failure: without one, an exception with its stack is made for each. */
const isRead = "the body was read";

/** What says its length is held to it by the server, so it can be taken in one piece: without a stream of its own. */
async function collectWhole(
  request: Request,
  late: Promise<"late">,
  { maxBytes, timeoutMs }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const whole = await Promise.race([request.arrayBuffer().catch(brokenOff), late]);
  if (whole === "late") throw tooSlow(timeoutMs);
  if (whole.byteLength > maxBytes) throw tooLarge(maxBytes);
  return new Uint8Array(whole);
}

async function collectPieces(
  request: Request,
  late: Promise<"late">,
  limits: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = request.body?.getReader();
  if (!reader) return new Uint8Array();
  try {
    return await collect(reader, late, limits);
  } catch (error) {
    reader.cancel().catch(() => {}); // the client may be gone
    throw error;
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  late: Promise<"late">,
  { maxBytes, timeoutMs }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const next = await Promise.race([reader.read().catch(brokenOff), late]);
    if (next === "late") throw tooSlow(timeoutMs);
    if (next.done) return joined(chunks, bytes);
    bytes += next.value.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(next.value);
  }
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}

/** A body as JSON. @throws `media_type_unsupported`; `invalid_json`; as `readBody`. */
export async function readJson(request: Request, limits: BodyLimits): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) throw notJsonType(type);
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null) throw encoded(encoding);
  return strictJson(textOf(await readBody(request, limits)), "the body");
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HoldpointError("invalid_json", "the body is not in UTF-8", { cause });
  }
}

/** The fields of an HTML form, the last of each name. @throws as `readJson` */
export async function readForm(request: Request, limits: BodyLimits): Promise<ReadonlyMap<string, string>> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(;.*)?$/i.test(type)) throw notFormType();
  const text = new TextDecoder().decode(await readBody(request, limits));
  return new Map(new URLSearchParams(text));
}

function tooLarge(maxBytes: number): HoldpointError {
  return new HoldpointError("body_too_large", `the body is longer than ${maxBytes} bytes`, {
    fix: "Send less: put the bulk elsewhere, and send where it is.",
  });
}

function tooSlow(timeoutMs: number): HoldpointError {
  return new HoldpointError("body_too_slow", `the body did not arrive within ${timeoutMs} ms`, {
    retryable: true,
    fix: "Send it again.",
  });
}

function brokenOff(cause: unknown): never {
  throw new HoldpointError("usage", "the body broke off", { cause });
}

function notJsonType(type: string): HoldpointError {
  const what = type === "" ? "no content type was given" : `the content type is ${JSON.stringify(type)}`;
  return new HoldpointError("media_type_unsupported", what, {
    fix: "Send `Content-Type: application/json`.",
  });
}

function encoded(encoding: string): HoldpointError {
  return new HoldpointError("media_type_unsupported", `the content encoding is ${JSON.stringify(encoding)}`, {
    fix: "Send the JSON as it is.",
  });
}

function notFormType(): HoldpointError {
  return new HoldpointError("media_type_unsupported", "this takes an HTML form", {
    fix: "Programs use `POST /v1/requests/{id}/verdict`.",
  });
}
