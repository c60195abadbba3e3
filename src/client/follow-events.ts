import type { ThreadEvent } from "../core/events.ts";
import { HoldpointClientError } from "./client-error.ts";
import { readStream } from "./read-stream.ts";

/** Opens the stream; rejects as every call does. */
type Open = (headers: Readonly<Record<string, string>>) => Promise<Response>;

interface Following {
  readonly afterSeq: number;
  readonly signal: AbortSignal | undefined;
}

/** Longest wait before a broken stream is taken up again, in milliseconds. */
const maxWaitMs = 30_000;

/** The events of a thread to its end, over as many streams as it takes. */
export async function* followEvents(
  open: Open,
  { afterSeq, signal }: Following,
): AsyncGenerator<ThreadEvent, void> {
  const place: Place = { seq: afterSeq, retryMs: 1_000, failures: 0, wasOpen: false, isOver: false };
  while (!place.isOver) {
    try {
      yield* oneStream(open, place);
    } catch (error) {
      signal?.throwIfAborted();
      if (!place.wasOpen || !mayComeBack(error)) throw error;
      place.failures += 1;
      if (error instanceof HoldpointClientError && error.retryAfterMs !== undefined)
        place.retryMs = error.retryAfterMs;
    }
    if (!place.isOver) await wait(Math.min(maxWaitMs, place.retryMs * 2 ** place.failures), signal);
  }
}

interface Place {
  seq: number;
  retryMs: number;
  /** In a row, without one event between them. */
  failures: number;
  /** A service that never answered is the wrong address, more likely than one that is away. */
  wasOpen: boolean;
  isOver: boolean;
}

async function* oneStream(open: Open, place: Place): AsyncGenerator<ThreadEvent, void> {
  const response = await open({
    accept: "text/event-stream",
    ...(place.seq > 0 && { "last-event-id": String(place.seq) }),
  });
  place.wasOpen = true;
  if (response.status === 204 || !response.body) {
    place.isOver = true;
    return;
  }
  let hasEnd = false;
  for await (const { data, retryMs } of readStream(response.body)) {
    if (retryMs !== undefined) place.retryMs = retryMs;
    if (data === undefined) continue;
    const event = JSON.parse(data) as ThreadEvent; // as the log has it
    place.failures = 0;
    place.seq = event.seq;
    hasEnd ||= ["thread_completed", "thread_failed", "thread_cancelled"].includes(event.type);
    yield event;
  }
  place.isOver = hasEnd; // the service ends the stream after the end, and after nothing else
}

/** A connection that broke off (which `fetch` tells by a TypeError), and a service that is busy or being restarted. */
function mayComeBack(error: unknown): boolean {
  return error instanceof HoldpointClientError ? error.retryable : error instanceof TypeError;
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}
