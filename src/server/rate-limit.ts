import { HoldpointError } from "../core/errors.ts";

export interface RateLimit {
  /** Requests a second, in the long run. */
  readonly perSecond: number;
  /** Requests at once, after a pause. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** More bearers than this at a time: the one that was seen longest ago is forgotten, which only helps it. */
const maxBuckets = 10_000;

/**
 * A token bucket for each bearer.
 *
 * @returns a function that takes one out of the bucket of `who`. @throws `rate_limited`, saying when to come back.
 */
export function createRateLimit({ perSecond, burst }: RateLimit): (who: string, now: number) => void {
  const buckets = new Map<string, Bucket>();

  return (who, now) => {
    const bucket = buckets.get(who) ?? { tokens: burst, filledAt: now };
    const passedMs = Math.max(0, now - bucket.filledAt); // a clock may be set back
    bucket.tokens = Math.min(burst, bucket.tokens + (passedMs / 1_000) * perSecond);
    bucket.filledAt = now;
    buckets.delete(who); // and again at the end: the order is that of the last use
    buckets.set(who, bucket);
    if (buckets.size > maxBuckets) forgetOldest(buckets);
    if (bucket.tokens < 1) throw limited(((1 - bucket.tokens) / perSecond) * 1_000);
    bucket.tokens -= 1;
  };
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  for (const who of buckets.keys()) {
    buckets.delete(who);
    return;
  }
}

function limited(retryAfterMs: number): HoldpointError {
  return new HoldpointError("rate_limited", "too many requests", {
    retryable: true,
    retryAfterMs,
    fix: "Wait as long as Retry-After says.",
  });
}
