// Server-sent events, by hand: what goes wrong ends the stream, and the client comes back for the rest.
import type { Follower } from "./live.ts";

const encoder = new TextEncoder();

/** When a client comes back after a stream broke off, in milliseconds; spread, so that not all come at once. */
const retryMs = { usual: 1_000, stopping: 2_000, spread: 3_000 } as const;

interface StreamOptions {
  readonly follower: Follower;
  /** The last event that the client has. */
  readonly afterSeq: number;
  /** True when the thread's end is among those that the client has: what came after it is all there is. */
  readonly isOver: boolean;
  /** Asked before whatever is sent: a token that is revoked or expires ends the stream. */
  readonly mayGoOn: () => Promise<boolean>;
  readonly random: () => number;
}

/** A stream of a thread's events from a place on; it ends with the thread. */
export function eventStream(options: StreamOptions): Response {
  const source = chunksOf(options);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await source.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      options.follower.leave(); // first: the source may be waiting
      await source.return(undefined);
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no", // or nginx holds it back
    },
  });
}

/** Nothing is read ahead of the client: one that is slow has its events wait in the log, not in memory. */
async function* chunksOf(options: StreamOptions): AsyncGenerator<Uint8Array, undefined> {
  const { follower, isOver, mayGoOn, random } = options;
  let seq = options.afterSeq;
  try {
    yield encoder.encode(`retry: ${retryMs.usual}\n\n`);
    for (;;) {
      const version = follower.version();
      const { chunks, lastSeq, hasEnd } = await follower.read(seq);
      for (const chunk of chunks) {
        if (!(await mayGoOn())) return;
        yield chunk;
      }
      seq = lastSeq;
      if (hasEnd || isOver) return;
      const news = await follower.wait(version);
      if (news === "gone") return;
      if (news === "beat") {
        if (!(await mayGoOn())) return;
        yield encoder.encode(": still here\n\n");
      }
      if (news === "closing") {
        const backAfterMs = Math.round(retryMs.stopping + random() * retryMs.spread);
        yield encoder.encode(`retry: ${backAfterMs}\n: the service stops\n\n`);
        return;
      }
    }
  } finally {
    follower.leave();
  }
}
