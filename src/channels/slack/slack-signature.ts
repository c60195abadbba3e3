import { verifySlack } from "../../core/webhook-signature.ts";

/** How far Slack's timestamp may be from now, either way. */
const toleranceMs = 300_000;
/** Signatures that are remembered; each is 67 characters. */
const maxRemembered = 10_000;

export interface SlackGuard {
  /** Why a request is refused, or `null` for a genuine one that was not seen before. `now` in milliseconds. */
  refuse(headers: Headers, body: Uint8Array, now: number): string | null;
}

/** Checks requests that claim to come from Slack. */
export function slackGuard(signingSecret: string): SlackGuard {
  const seen = new Map<string, number>();

  function isReplay(signature: string, now: number): boolean {
    for (const [old, at] of seen) {
      const isOfUse = at > now - 2 * toleranceMs; // a timestamp may have been ahead of us
      if (isOfUse && seen.size < maxRemembered) break; // the oldest come first
      seen.delete(old);
    }
    if (seen.has(signature)) return true;
    seen.set(signature, now);
    return false;
  }

  return {
    refuse(headers, body, now) {
      const checked = verifySlack({ headers, body }, { secrets: [signingSecret], now, toleranceMs });
      if (!checked.ok) return checked.why;
      const signature = headers.get("x-slack-signature") ?? "";
      return isReplay(signature, now) ? "the request was received before" : null;
    },
  };
}
