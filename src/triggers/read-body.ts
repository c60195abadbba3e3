import type { Clock } from "../ports/clock.ts";
import { withTimeout } from "../runtime/with-timeout.ts";

/** A body as it arrived, or why there is none. */
export type ReadBody =
  | { readonly kind: "read"; readonly bytes: Uint8Array }
  | { readonly kind: "too_large" }
  /** It did not arrive in time. */
  | { readonly kind: "slow" }
  /** The sender went away, or this process was told to stop. */
  | { readonly kind: "broken" };

export interface ReadBodyOptions {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Reads a request's raw body. What is over `maxBytes`, or late, is left unread: no more than that is ever held. */
export async function readBody(request: Request, options: ReadBodyOptions): Promise<ReadBody> {
  const { maxBytes, timeoutMs, clock, signal } = options;
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return { kind: "too_large" };
  if (request.body === null) return { kind: "read", bytes: new Uint8Array() };
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  const ended = await withTimeout(clock, timeoutMs, signal, (inner) => readAll(reader, maxBytes, inner));
  switch (ended.kind) {
    case "returned":
      return ended.value === null ? { kind: "too_large" } : { kind: "read", bytes: ended.value };
    case "timeout":
      return { kind: "slow" };
    default:
      return { kind: "broken" };
  }
}

/** Told to stop, it reads no further: what was read so far is not the body. @returns `null` for more than `maxBytes`. */
async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  const leave = (): void => void reader.cancel().catch(() => {}); // the connection is the server's to close
  signal.addEventListener("abort", leave, { once: true });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    signal.throwIfAborted(); // cancelling ends the stream as if it were complete
    if (done) return Buffer.concat(chunks, length);
    length += value.byteLength;
    if (length > maxBytes) {
      leave();
      return null;
    }
    chunks.push(value);
  }
}
