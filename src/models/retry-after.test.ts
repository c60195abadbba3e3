import { describe, expect, test } from "vitest";
import { retryAfterOf } from "./retry-after.ts";

const now = Date.UTC(2026, 0, 1);
const date = "Thu, 01 Jan 2026 00:00:00 GMT";

describe("retryAfterOf", () => {
  const cases: readonly {
    name: string;
    headers?: Record<string, string>;
    text?: string;
    now?: number;
    is: number | undefined;
  }[] = [
    { name: "seconds", headers: { "retry-after": "20" }, is: 20_000 },
    { name: "part of a second", headers: { "retry-after": "1.5" }, is: 1_500 },
    { name: "milliseconds first", headers: { "retry-after": "20", "retry-after-ms": "250" }, is: 250 },
    { name: "a date", headers: { "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }, now, is: 30_000 },
    {
      name: "a date by the response's own clock, whatever ours says",
      headers: { date, "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" },
      now: now + 86_400_000,
      is: 30_000,
    },
    {
      name: "a date without a clock",
      headers: { "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" },
      is: undefined,
    },
    {
      name: "a date that has passed",
      headers: { "retry-after": "Wed, 31 Dec 2025 23:59:00 GMT" },
      now,
      is: 0,
    },
    { name: "Google's RetryInfo", text: "no quota\nretryDelay=34.4s", is: 34_400 },
    {
      name: "a message: seconds",
      text: "Used 8554, Requested 3082. Please try again in 9.816s. Visit …",
      is: 9_816,
    },
    { name: "a message: minutes", text: "Please try again in 1m20.5s. Visit …", is: 80_500 },
    { name: "a message: hours", text: "Please try again in 1h2m3s.", is: 3_600_000 },
    { name: "a message: milliseconds", text: "Please try again in 20ms. Visit …", is: 20 },
    {
      name: "a message in words",
      text: "pricing tier. Please retry after 23 seconds. Please go",
      is: 23_000,
    },
    { name: "a message: retry in", text: "Please retry in 58.821668433s.", is: 58_822 },
    { name: "a day is an hour at most", text: "Please retry after 86400 seconds.", is: 3_600_000 },
    {
      name: "a header wins over the message",
      headers: { "retry-after": "2" },
      text: "try again in 20s",
      is: 2_000,
    },
    { name: "a message without a time", text: "Please try again in a few minutes", is: undefined },
    {
      name: "the empty bucket of two",
      headers: {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "6m0s",
        "x-ratelimit-remaining-tokens": "5843",
        "x-ratelimit-reset-tokens": "1.57s",
      },
      is: 360_000,
    },
    {
      name: "a reset as a date",
      headers: {
        date,
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-01-01T00:00:07Z",
      },
      is: 7_000,
    },
    {
      name: "a reset as seconds since the epoch",
      headers: { "x-ratelimit-reset": String(now / 1_000 + 5) },
      now,
      is: 5_000,
    },
    {
      name: "a reset as milliseconds since the epoch",
      headers: { "x-ratelimit-reset": String(now + 5) },
      now,
      is: 5,
    },
    {
      name: "full buckets",
      headers: { "x-ratelimit-remaining": "3", "x-ratelimit-reset": "9s" },
      is: undefined,
    },
    { name: "nonsense", headers: { "retry-after": "soon", "x-ratelimit-reset": "-1" }, now, is: undefined },
    { name: "a negative number", headers: { "retry-after": "-5" }, now, is: undefined },
    { name: "nothing", is: undefined },
  ];
  for (const { name, headers = {}, text = "", now: at, is } of cases) {
    test(name, () => expect(retryAfterOf({ headers, text }, at)).toBe(is));
  }
});
