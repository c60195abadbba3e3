import type { ThreadEvent } from "../../src/core/events.ts";
import type { Store } from "../../src/ports/store.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import type { RandomThread } from "./random-threads.ts";

const together = 2_000;

/** Appends the logs in pieces of one to five events, many threads at a time, each piece by one of the stores. */
export async function appendThreads(
  stores: readonly Store[],
  threads: readonly RandomThread[],
): Promise<void> {
  const random = seededRandom("pieces");
  for (let first = 0; first < threads.length; first += together)
    await Promise.all(threads.slice(first, first + together).map(appendOne));

  async function appendOne({ threadId, events }: RandomThread): Promise<void> {
    for (let seq = 0; seq < events.length; ) {
      const piece = events.slice(seq, seq + random.between(1, 5)).map(asNew);
      await random.pick(stores)?.append({ threadId, expectedSeq: seq, events: piece });
      seq += piece.length;
    }
  }
}

function asNew({ seq: _seq, at, ...body }: ThreadEvent) {
  return { body: body as never, at }; // the rest of an event is its body
}
