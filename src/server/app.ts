// The HTTP service as one function from Request to Response. What is asked of every request stands here, in order:
// its host, where it came from, who sent it, how many there were; then its route; then the headers of every answer.
import { OpenAPIHono } from "@hono/zod-openapi";
import { HoldpointError } from "../core/errors.ts";
import type { Person } from "../core/person.ts";
import type { EventFeed } from "../ports/event-feed.ts";
import type { Mount } from "../ports/mount.ts";
import type { NumbersStore } from "../ports/numbers-store.ts";
import type { TokenRow, TokenStore } from "../ports/token-store.ts";
import type { Hint, Runtime } from "../runtime/runtime.ts";
import { type LogAccess, requestIdOf, writeLog } from "./access-log.ts";
import { assertHost, assertSameOrigin, hostRefused, hostRules, securityHeaders } from "./guard.ts";
import { createInFlight } from "./in-flight.ts";
import { createLive } from "./live.ts";
import { createMetrics } from "./metrics.ts";
import { answerMount, mountOf } from "./mounts.ts";
import { addPages, callerOfPage, isPage } from "./pages/pages.ts";
import { problemResponse } from "./problem.ts";
import { createRateLimit, type RateLimit } from "./rate-limit.ts";
import { loopback, remoteOf } from "./remote-of.ts";
import type { App, Env, RequestFacts } from "./route.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addOperationRoutes } from "./routes/operations.ts";
import { addRequestRoutes } from "./routes/requests.ts";
import { addStandingRoutes } from "./routes/standing.ts";
import { addStatsRoute } from "./routes/stats.ts";
import { addThreadRoutes } from "./routes/threads.ts";
import type { Service } from "./service.ts";
import { createStreamShares } from "./stream-shares.ts";
import { authenticate, unauthenticated } from "./tokens.ts";

export interface ServerOptions {
  readonly runtime: Runtime;
  /** Of `openSqliteStore`, as is `feed`. */
  readonly tokens: TokenStore;
  readonly feed: EventFeed;
  /** Of `openSqliteStore` too; without it there is no `/v1/stats`, and nothing of agents in `/metrics`. */
  readonly numbers?: NumbersStore;
  /** Their roles count for the tokens of their principals. Default: nobody. */
  readonly people?: readonly Person[];
  /** By path: `/hooks/<name>` or `/channels/<name>`. They get what is sent to this path and below it. */
  readonly mounts?: ReadonlyMap<string, Mount>;
  /** Host names under which the service is reached, besides those of the loopback. */
  readonly allowedHosts?: readonly string[];
  /** Where people reach it, such as `https://approve.example.com`, when that is not where it listens. */
  readonly publicUrl?: string;
  /** Longest body in bytes. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** How long a body may take to arrive, in milliseconds. Default 10 s. */
  readonly bodyTimeoutMs?: number;
  /** For each token, and for each address without one, also at mounts. Default: 100 a second, 200 at once. `null`: none. */
  readonly rateLimit?: RateLimit | null;
  /** Streams of events at a time. Default 5,000. */
  readonly maxStreams?: number;
  /** Of those, at most so many with one token. Default: a quarter. */
  readonly maxStreamsPerToken?: number;
  /**
   * Proxies, by address or network: of what they send, the last entry of `X-Forwarded-For` is the address that the rate is
   * limited for. Default: those on this machine. @throws `usage` for an entry that is no address.
   */
  readonly trustedProxies?: readonly string[];
  /** How often events of other processes are looked for while anybody follows a thread. Default 250 ms. */
  readonly pollMs?: number;
  /** How often a quiet stream is kept open. Default 15 s. */
  readonly beatMs?: number;
  /** Metrics without a token. Default false. */
  readonly isMetricsOpen?: boolean;
  /** Told in the OpenAPI document. Default "0". */
  readonly version?: string;
  /** Called once for each answered request. */
  readonly log?: LogAccess;
}

export interface FetchInfo {
  /** The address that the request came from. */
  readonly remote?: string | null;
}

export interface HttpServer {
  /** Answers any request; it never rejects. */
  fetch(request: Request, info?: FetchInfo): Promise<Response>;
  /** To be called with the runtime's hints: events of this process are then streamed at once. */
  observe(hint: Hint): void;
  /** From here on `/readyz` says that it stops, and streams end, telling their clients to come back elsewhere. */
  stop(): Promise<void>;
  /** Stops; resolves when nothing is being answered any more, or after `graceMs` (default 5 s) gives up what still is. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * The HTTP service over a runtime, as a function of the web's own types: `listen` binds it to a port, and any other
 * server of `fetch` functions can. It runs no threads; `startWorker` does.
 *
 * @throws `usage` for a public URL that is none.
 */
export function createServer(options: ServerOptions): HttpServer {
  const { runtime, mounts = new Map<string, Mount>(), log = () => {} } = options;
  const inFlight = createInFlight();
  let isStopping = false;
  const service = createService(options, () => isStopping);
  const app = createApp(service, options.numbers);
  const limit = options.rateLimit === null ? null : createRateLimit(options.rateLimit ?? defaultRate);
  const remoteAddress = remoteOf(options.trustedProxies ?? loopback);
  const clean = runtime.redact.value;

  async function answer(request: Request, facts: MutableFacts): Promise<Response> {
    assertHost(request.headers.get("host") ?? new URL(request.url).host, service.hosts);
    const path = new URL(request.url).pathname;
    const mounted = mountOf(mounts, path);
    if (mounted) {
      facts.route = mounted.prefix;
      limit?.(`mount:${remoteAddress(request.headers, facts.remote)}`, runtime.clock.now()); // first: a signature costs
      return answerMount(request, mounted.mount, facts, service.bodyLimits);
    }
    if (request.method !== "GET" && request.method !== "HEAD")
      assertSameOrigin({ headers: request.headers, rules: service.hosts });
    if (isProbe(path)) return app.fetch(request, { facts });
    facts.caller = await limitedCaller(path, request, facts);
    return app.fetch(request, { facts });
  }

  /** Whoever guesses at tokens is limited as one without. */
  async function limitedCaller(
    path: string,
    request: Request,
    { remote }: MutableFacts,
  ): Promise<TokenRow | null> {
    let who = `remote:${remoteAddress(request.headers, remote)}`;
    try {
      const find = isPage(path) ? callerOfPage(service, request) : callerOf(service, request);
      const caller = await find;
      who = caller?.tokenId ?? who;
      return caller;
    } finally {
      limit?.(who, runtime.clock.now());
    }
  }

  async function fetch(request: Request, { remote = null }: FetchInfo = {}): Promise<Response> {
    const startedAt = performance.now();
    const requestId = requestIdOf(request.headers);
    if (!URL.canParse(request.url)) return answerNowhere(request, requestId); // of a `Host` such as 127.999.1.1
    const { signal, done } = inFlight.begin(request);
    const facts: MutableFacts = { requestId, remote, signal, caller: null, route: "none" };
    const isHead = request.method === "HEAD";
    let failure: unknown;
    let response: Response;
    try {
      response = await answer(isHead ? asGet(request) : request, facts);
    } catch (error) {
      failure = error;
      response = problemResponse(error, requestId, clean);
    }
    const whole = isHead ? withoutBody(response) : response;
    addHeaders(whole.headers, requestId);
    const seconds = (performance.now() - startedAt) / 1_000;
    service.metrics.answered({
      method: methodName(request.method),
      route: facts.route,
      status: whole.status,
      seconds,
    });
    writeLog(log, { request, facts, status: whole.status, seconds, failure, at: runtime.clock.now(), clean });
    done();
    return whole;
  }

  /** What has no address has no route, no metrics and no line in the log. */
  function answerNowhere({ headers }: Request, requestId: string): Response {
    const response = problemResponse(hostRefused(headers.get("host")), requestId, clean);
    addHeaders(response.headers, requestId);
    return response;
  }

  async function stop(): Promise<void> {
    isStopping = true;
    await service.live.close();
  }

  return {
    fetch,
    observe: (hint) => {
      if (hint.kind === "appended") service.live.nudge(hint.threadId);
    },
    stop,
    async close({ graceMs = 5_000 } = {}) {
      await stop();
      await inFlight.drain(runtime.clock, graceMs);
    },
  };
}

/** Filled in on the way; a route's pattern serves metrics and log. */
type MutableFacts = { -readonly [Name in keyof RequestFacts]: RequestFacts[Name] };

const defaultRate: RateLimit = { perSecond: 100, burst: 200 };

function createService(options: ServerOptions, isStopping: () => boolean): Service {
  const { runtime, tokens, feed, people = [], maxStreams = 5_000, pollMs = 250, beatMs = 15_000 } = options;
  const {
    maxBodyBytes = 1024 * 1024,
    bodyTimeoutMs = 10_000,
    isMetricsOpen = false,
    version = "0",
  } = options;
  return {
    runtime,
    tokens,
    feed,
    people,
    bodyLimits: { maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs, clock: runtime.clock },
    hosts: hostRules(options.allowedHosts ?? [], options.publicUrl),
    live: createLive({ runtime, feed, pollMs, beatMs }),
    metrics: createMetrics(),
    maxStreams,
    streamShares: createStreamShares(options.maxStreamsPerToken ?? Math.ceil(maxStreams / 4)),
    isMetricsOpen,
    version,
    isStopping,
  };
}

function createApp(service: Service, numbers: NumbersStore | undefined): App {
  const app: App = new OpenAPIHono<Env>();
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "A token of `holdpoint token create`; each operation names the scope that it needs.",
  });
  addThreadRoutes(app, service);
  addEventRoutes(app, service);
  addRequestRoutes(app, service);
  addStandingRoutes(app, service);
  addOperationRoutes(app, service, numbers);
  if (numbers) addStatsRoute(app, service, numbers);
  addPages(app, service);
  app.notFound(({ req }) => {
    throw notFound(app, req.method, req.path);
  });
  app.onError((error) => {
    throw error; // `fetch` has the one place that answers
  });
  return app;
}

function notFound(app: App, method: string, path: string): HoldpointError {
  const allowed = ["GET", "POST"].filter((other) => app.router.match(other, path)[0].length > 0);
  if (allowed.length === 0)
    return new HoldpointError("route_not_found", "there is nothing at this address", {
      fix: "See /openapi.json.",
    });
  return new HoldpointError(
    "method_not_allowed",
    `this address takes ${allowed.join(", ")}, not ${methodName(method)}`,
    {
      details: { allow: allowed.join(", ") },
    },
  );
}

/** Member by member: what comes from a port only looks like a `Request`, and cannot be copied as one. */
function asGet({ url, headers, signal }: Request): Request {
  return new Request(url, { method: "GET", headers, signal });
}

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Clients make up methods; labels must stay few. */
function methodName(method: string): string {
  return methods.has(method) ? method : "OTHER";
}

/** They are asked by machines that have no token, many times. */
function isProbe(path: string): boolean {
  return path === "/livez" || path === "/readyz";
}

/** Who sent it, by its bearer token. @throws `unauthenticated` for one that does not count. */
async function callerOf({ tokens, runtime }: Service, request: Request): Promise<TokenRow | null> {
  const header = request.headers.get("authorization");
  if (header === null) return null;
  const [, text] = /^Bearer +([\x21-\x7e]{1,200})$/i.exec(header) ?? [];
  if (text === undefined) throw unauthenticated("the Authorization header is not `Bearer <token>`");
  return authenticate(tokens, text, runtime.clock.now());
}

function withoutBody(response: Response): Response {
  void response.body?.cancel().catch(() => {}); // a stream lets go of what it follows
  return new Response(null, { status: response.status, headers: response.headers });
}

function addHeaders(headers: Headers, requestId: string): void {
  headers.set("x-request-id", requestId);
  for (const [name, value] of Object.entries(securityHeaders))
    if (!headers.has(name)) headers.set(name, value);
}
