import { describe, expect, test } from "vitest";
import { HoldpointError } from "../core/errors.ts";
import type { EventFeed } from "../ports/event-feed.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { createLive } from "./live.ts";

function liveOver(head: EventFeed["head"]) {
  const reads: number[] = [];
  const clock = manualClock(0);
  const store = {
    async read(_threadId: string, { afterSeq }: { readonly afterSeq: number }) {
      reads.push(afterSeq);
      return [];
    },
  };
  const runtime = { clock, store, observe: () => {} } as unknown as Runtime; // all that streams use of it
  const feed = { head, changed: async () => [] } as unknown as EventFeed;
  const live = createLive({ runtime, feed, pollMs: 250, beatMs: 15_000 });
  return { live, reads, clock };
}

describe("streams that follow threads", () => {
  test("leave nothing running when the store could not be asked", async () => {
    const busy = new HoldpointError("store_busy", "busy", { retryable: true });
    const { live, clock } = liveOver(() => Promise.reject(busy));
    for (let tries = 0; tries < 3; tries++) await expect(live.follow("th_1")).rejects.toBe(busy);
    await new Promise(setImmediate);
    expect([live.followers, clock.pending]).toEqual([0, 0]);
    await live.close();
  });

  test("share what is read, and keep it for a few places only", async () => {
    const { live, reads } = liveOver(async () => 0);
    const follower = await live.follow("th_1");
    await follower.read(5);
    await follower.read(5);
    expect(reads).toEqual([5]);
    for (let place = 10; place < 20; place++) await follower.read(place);
    await follower.read(5);
    expect(reads.filter((place) => place === 5)).toHaveLength(2);
    await live.close();
  });
});
