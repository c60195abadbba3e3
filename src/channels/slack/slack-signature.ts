// docs.slack.dev/authentication/verifying-requests-from-slack: HMAC-SHA256 over `v0:timestamp:body`, five minutes.
import { createHmac, timingSafeEqual } from "node:crypto";

const maxAgeSeconds = 300;
/** From the earliest receipt to the latest, by a clock that is as far behind as is allowed. */
const goodSeconds = 2 * maxAgeSeconds;
/** Signatures that are remembered; each is 67 characters, and older ones are of no use. */
const maxRemembered = 10_000;

export interface SlackGuard {
  /** Why a request is refused, or `null` for a genuine one that was not seen before. `now` in milliseconds. */
  refuse(headers: Headers, body: string, now: number): string | null;
}

/** Checks requests that claim to come from Slack. */
export function slackGuard(signingSecret: string): SlackGuard {
  const seen = new Map<string, number>();

  function isReplay(signature: string, seconds: number): boolean {
    for (const [old, at] of seen) {
      if (at >= seconds - goodSeconds && seen.size < maxRemembered) break; // the oldest come first
      seen.delete(old);
    }
    if (seen.has(signature)) return true;
    seen.set(signature, seconds);
    return false;
  }

  return {
    refuse(headers, body, now) {
      const timestamp = headers.get("x-slack-request-timestamp") ?? "";
      const signature = headers.get("x-slack-signature") ?? "";
      const seconds = Math.floor(now / 1_000);
      if (!isSigned(signingSecret, timestamp, body, signature)) return "the signature is not Slack's";
      if (Math.abs(seconds - Number(timestamp)) > maxAgeSeconds)
        return "the request is too old, or a clock is wrong";
      return isReplay(signature, seconds) ? "the request was received before" : null;
    },
  };
}

/** `v0=` and 64 hex digits. */
export function slackSignature(signingSecret: string, timestamp: string, body: string): string {
  return `v0=${createHmac("sha256", signingSecret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
}

function isSigned(signingSecret: string, timestamp: string, body: string, signature: string): boolean {
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  const expected = Buffer.from(slackSignature(signingSecret, timestamp, body));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
