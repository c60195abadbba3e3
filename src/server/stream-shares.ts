import { HoldpointError } from "../core/errors.ts";

export interface StreamShares {
  /**
   * Counts a stream of a token until what it returns is called.
   *
   * @throws `too_many_streams` for one that holds its share already.
   */
  take(tokenId: string): () => void;
}

/** Streams are few, and whoever follows everything must leave some to the others. */
export function createStreamShares(most: number): StreamShares {
  const held = new Map<string, number>();
  return {
    take(tokenId) {
      const count = held.get(tokenId) ?? 0;
      if (count >= most) throw tooMany(most);
      held.set(tokenId, count + 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        const left = (held.get(tokenId) ?? 1) - 1;
        if (left > 0) held.set(tokenId, left);
        else held.delete(tokenId);
      };
    },
  };
}

function tooMany(most: number): HoldpointError {
  return new HoldpointError("too_many_streams", `this token holds ${most} streams, which is its share`, {
    retryable: true,
    retryAfterMs: 5_000,
    fix: "End streams that nobody reads, or read pages of events (without Accept: text/event-stream).",
  });
}
