// One POST to an address that a config names. The name is resolved once, the addresses are checked, and the connection
// goes to one of those (a second look-up could give another answer); redirects are answers, not followed.
import type { LookupAddress } from "node:dns";
import type { IncomingMessage, RequestOptions } from "node:http";
import { isIP } from "node:net";
import { HoldpointError } from "../core/errors.ts";
import { isPrivateAddress } from "./private-address.ts";

export interface PostRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  /** Also to addresses that are not of the public internet. */
  readonly allowPrivate: boolean;
  readonly signal: AbortSignal;
}

export interface PostAnswer {
  readonly status: number;
  /** Of the header `retry-after`, as it came. */
  readonly retryAfter: string | undefined;
}

/**
 * Posts a body, and waits for the status. What is answered besides is not read.
 *
 * @throws `channel_unavailable`, saying whether the request may have arrived; `channel_refused` for a private address.
 */
export async function post(request: PostRequest): Promise<PostAnswer> {
  const { url, headers, body, allowPrivate, timeoutMs } = request;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) throw privateAddress(url);
  const { request: open } =
    url.protocol === "https:" ? await import("node:https") : await import("node:http");
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
  const options: RequestOptions = {
    method: "POST",
    headers: { ...headers, "content-length": Buffer.byteLength(body) },
    agent: false,
    signal,
    ...(allowPrivate ? {} : { lookup: await publicLookup(url) }),
  };
  return new Promise((resolve, reject) => {
    let isSent = false;
    const sending = open(url, options, (answer: IncomingMessage) => {
      answer.destroy();
      resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers["retry-after"] });
    });
    sending.on("finish", () => {
      isSent = true;
    });
    sending.on("error", (cause) => {
      if (cause instanceof HoldpointError) reject(cause);
      else
        reject(
          unreachable(url, signal.aborted ? `no answer within ${timeoutMs} ms` : messageOf(cause), isSent),
        );
    });
    sending.end(body);
  });
}

/**
 * Connects, and closes: nothing is asked of the other side.
 *
 * @throws `channel_unavailable`; `channel_refused` for a private address.
 */
export async function reach(request: Omit<PostRequest, "headers" | "body">): Promise<void> {
  const { url, allowPrivate, timeoutMs } = request;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) throw privateAddress(url);
  const { connect } = await import("node:net");
  const lookup = allowPrivate ? {} : { lookup: await publicLookup(url) };
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port, signal, ...lookup });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", (cause) => {
      if (cause instanceof HoldpointError) reject(cause);
      else
        reject(
          unreachable(url, signal.aborted ? `no answer within ${timeoutMs} ms` : messageOf(cause), false),
        );
    });
  });
}

function messageOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

async function publicLookup(url: URL): Promise<NonNullable<RequestOptions["lookup"]>> {
  const { lookup } = await import("node:dns");
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, []);
      const addresses = found.filter(({ address }: LookupAddress) => !isPrivateAddress(address));
      const [first] = addresses;
      if (!first) return done(privateAddress(url), []);
      if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

/** Names the origin only: a path may hold a secret. */
function unreachable(url: URL, why: string, isSent: boolean): HoldpointError {
  return new HoldpointError("channel_unavailable", `${url.origin} cannot be reached: ${why}`, {
    retryable: true,
    details: isSent ? {} : { arrived: false },
  });
}

function privateAddress(url: URL): HoldpointError {
  return new HoldpointError(
    "channel_refused",
    `${url.origin} leads to an address that is not of the public internet`,
    { fix: "Set `allowPrivate: true` for a receiver in your own network." },
  );
}

/** Milliseconds to wait, of a `retry-after` header: seconds, or a date. `undefined` for neither. */
export function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  if (header === null || header === undefined) return undefined;
  const ms = /^\s*\d+(?:\.\d+)?\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, Math.ceil(ms));
}
