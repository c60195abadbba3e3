// One POST to an address that a config names. The name is resolved once, the addresses are checked, and the connection
// goes to one of those (a second look-up could give another answer); redirects are answers, not followed.
import type { LookupAddress } from "node:dns";
import type { IncomingMessage, RequestOptions } from "node:http";
import { isIP, type NetConnectOpts, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { errorCode } from "../core/error-code.ts";
import { HoldpointError } from "../core/errors.ts";
import { type ConnectionProblem, connectionProblem, timeoutProblem } from "./connection-problem.ts";
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
      else reject(unreachable(url, signal.aborted ? timeoutProblem(timeoutMs) : problemOf(cause), isSent));
    });
    sending.end(body);
  });
}

/**
 * Connects, greets by TLS where the address is https, and closes: nothing is asked of the other side.
 *
 * @throws `channel_unavailable`; `channel_refused` for a private address.
 */
export async function reach(request: Omit<PostRequest, "headers" | "body">): Promise<void> {
  const { url, allowPrivate, timeoutMs } = request;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) throw privateAddress(url);
  const isTls = url.protocol === "https:";
  const connect: (options: ConnectionOptions & NetConnectOpts) => Socket = isTls
    ? (await import("node:tls")).connect
    : (await import("node:net")).connect;
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const options = {
    ...{ host, port },
    ...(isTls && isIP(host) === 0 && { servername: host }),
    ...(allowPrivate ? {} : { lookup: await publicLookup(url) }),
  };
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
  await new Promise<void>((resolve, reject) => {
    const socket = connect(options);
    const giveUp = (): void => void socket.destroy(new Error("told to stop"));
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", giveUp));
    socket.once(isTls ? "secureConnect" : "connect", () => {
      resolve();
      socket.destroy();
    });
    socket.once("error", (cause: Error) => {
      if (cause instanceof HoldpointError) reject(cause);
      else reject(unreachable(url, signal.aborted ? timeoutProblem(timeoutMs) : problemOf(cause), false));
    });
  });
}

function problemOf(error: Error): ConnectionProblem {
  const code = errorCode(error);
  const why = typeof code === "string" ? code : error.message;
  return connectionProblem(code) ?? { why, fix: "Check the address, and the network between." };
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
function unreachable(url: URL, { why, fix }: ConnectionProblem, isSent: boolean): HoldpointError {
  return new HoldpointError("channel_unavailable", `${url.origin} cannot be reached: ${why}`, {
    fix,
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
