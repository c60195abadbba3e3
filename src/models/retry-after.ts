import type { ReadFailure } from "./read-failure.ts";

/** A provider's wait is taken seriously up to here; Azure has asked for 86,400 s (github.com/jasonacox/TinyLLM/issues/17). */
const maxRetryAfterMs = 3_600_000;

/**
 * When a retry makes sense, in milliseconds from now, as far as the provider said: in headers, in the body, or in the
 * message. A date is read against the response's own `date`, else against `now`; without either it is not used, since
 * a wrong clock would make it any time at all.
 */
export function retryAfterOf(
  { headers, text }: Pick<ReadFailure, "headers" | "text">,
  now?: number,
): number | undefined {
  const sentAt = dateMs(headers.date) ?? now;
  const found =
    numberOf(headers["retry-after-ms"], 1) ??
    numberOf(headers["retry-after"], 1_000) ??
    msUntil(headers["retry-after"], sentAt) ??
    durationMsOf(/^retryDelay=(\S+)/m.exec(text)?.[1]) ?? // google.rpc.RetryInfo
    messageMs(text) ??
    resetMs(headers, sentAt);
  return found === undefined ? undefined : Math.min(Math.max(0, Math.ceil(found)), maxRetryAfterMs);
}

/** `Please try again in 1m20.5s`, `Please retry after 23 seconds`, `Please retry in 58.8s`, `(reset after 1m 36s)`. */
function messageMs(text: string): number | undefined {
  const wait =
    /(?:try again|retry|retrying|reset|available)(?: your request)? (?:in|after) (?:about )?((?:\d+(?:\.\d+)? ?(?:days?|hours?|minutes?|mins?|milliseconds?|ms|seconds?|secs?|[dhms])(?![a-z]) ?)+)/i.exec(
      text,
    );
  return durationMsOf(wait?.[1]);
}

/**
 * When a bucket that is empty fills again: `x-ratelimit-reset-requests: 1s` (OpenAI, Groq),
 * `anthropic-ratelimit-tokens-reset: 2026-01-01T00:01:00Z`, `x-ratelimit-reset: 1767225600000` (OpenRouter).
 */
function resetMs(headers: ReadFailure["headers"], sentAt: number | undefined): number | undefined {
  const waits = Object.entries(headers).flatMap(([name, value]) => {
    if (!/ratelimit/.test(name) || !/reset/.test(name)) return [];
    const remaining = headers[name.replace("reset", "remaining")];
    if (remaining !== undefined && Number(remaining) > 0) return [];
    return durationMsOf(value) ?? msUntil(value, sentAt) ?? [];
  });
  return waits.length === 0 ? undefined : Math.max(...waits);
}

const unitMs: { readonly [unit: string]: number } = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

/** `34s`, `1m20.5s`, `6m0s`, `20ms`, `23 seconds`. */
function durationMsOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*(?:\d+(?:\.\d+)?\s*[a-z]+\s*)+$/i.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    const word = unit.toLowerCase();
    sum += Number(amount) * (unitMs[/^(?:ms|milli)/.test(word) ? "ms" : word.charAt(0)] ?? Number.NaN);
  }
  return Number.isNaN(sum) ? undefined : sum;
}

function numberOf(text: string | undefined, unit: number): number | undefined {
  return text !== undefined && /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) * unit : undefined;
}

/** A date, or seconds or milliseconds since the epoch. */
function msUntil(text: string | undefined, sentAt: number | undefined): number | undefined {
  const epoch = numberOf(text, 1);
  const at =
    epoch === undefined ? dateMs(text) : epoch > 1e12 ? epoch : epoch > 1e9 ? epoch * 1_000 : undefined;
  return at === undefined || sentAt === undefined ? undefined : at - sentAt;
}

function dateMs(text: string | undefined): number | undefined {
  const at = text === undefined || !/\d{4}/.test(text) ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
