// A client of the HTTP service: `fetch` and types, nothing else of this package at run time.
import type { Risk, ThreadEvent, Verdict, VerdictKind } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import type { StatsGrouping, StatsReport } from "../core/numbers/stats.ts";
import type { StandingGrant } from "../core/standing.ts";
import type { RequestStatus, ThreadRow, ThreadStatus } from "../ports/store.ts";
import type { StandingDocument as ClientStanding } from "../runtime/standing-document.ts";
import type { RequestDocument as ClientRequest } from "../runtime/thread-report.ts";
import { errorOf, HoldpointClientError } from "./client-error.ts";
import { followEvents } from "./follow-events.ts";

export type { StandingDocument as ClientStanding } from "../runtime/standing-document.ts";
export type { RequestDocument as ClientRequest } from "../runtime/thread-report.ts";
export { HoldpointClientError } from "./client-error.ts";

export interface ClientOptions {
  /** Where the service is, such as `http://127.0.0.1:7433`. */
  readonly url: string;
  /** `hp_…`, of `holdpoint token create`. */
  readonly token: string;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
}

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface PageOptions extends CallOptions {
  /** 1 to 1,000. Default 50. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** A request, and what to show of it to a person. */
export interface ShownRequest {
  readonly request: ClientRequest;
  readonly view: {
    readonly title: string;
    readonly question: string;
    readonly fields: readonly { readonly label: string; readonly text: string }[];
    readonly choices: readonly { readonly kind: VerdictKind; readonly label: string }[];
  };
}

/** A thread: how it stands, what it gave, what it waits for. */
export interface ClientThread extends Omit<ThreadRow, "waits"> {
  readonly output?: Json;
  readonly error?: { readonly code: string; readonly message: string; readonly fix?: string };
  readonly requests: readonly ClientRequest[];
  readonly waits: readonly {
    readonly threadId: string;
    readonly key: string;
    readonly kind: "timer" | "retry" | "signal" | "child";
    readonly dueAt: string | null;
    readonly signal?: string;
    readonly childId?: string;
  }[];
}

export interface ClientAgent {
  readonly name: string;
  readonly version: string;
  /** Codes of the errors of its check. With any, it starts no new thread here. */
  readonly checkErrors: readonly string[];
  readonly tools: readonly {
    readonly name: string;
    readonly description: string;
    readonly version: string;
    readonly risk: Risk | null;
    readonly effect: "read" | "repeatable" | "once";
  }[];
}

/** All calls reject with `HoldpointClientError`, or with the signal's reason when it aborts. */
export interface HoldpointClient {
  /** With `key`, starting twice starts once; with another input it is refused (`key_conflict`). */
  startThread(
    start: { readonly agent: string; readonly input?: Json; readonly key?: string } & CallOptions,
  ): Promise<{ readonly threadId: string; readonly created: boolean }>;
  threads(
    query?: {
      readonly agent?: string;
      readonly status?: ThreadStatus;
      readonly parentId?: string;
    } & PageOptions,
  ): Promise<{ readonly threads: readonly ThreadRow[]; readonly nextCursor: string | null }>;
  thread(threadId: string, options?: CallOptions): Promise<ClientThread>;
  /** Events after `cursor`, the `seq` of one. */
  eventPage(
    threadId: string,
    options?: PageOptions,
  ): Promise<{ readonly events: readonly ThreadEvent[]; readonly nextCursor: string | null }>;
  /**
   * Follows a thread to its end: events after `afterSeq` (default: all), each once and in order. A stream that breaks
   * off is taken up where it was; what the service refuses is thrown.
   */
  events(
    threadId: string,
    options?: { readonly afterSeq?: number } & CallOptions,
  ): AsyncIterable<ThreadEvent>;
  /** The exact input of a model call, by the event that ended it. */
  prompt(threadId: string, seq: number, options?: CallOptions): Promise<Readonly<Record<string, Json>>>;
  sendSignal(
    threadId: string,
    signal: { readonly name: string; readonly value?: Json; readonly signalId?: string } & CallOptions,
  ): Promise<void>;
  cancelThread(threadId: string, options: { readonly why: string } & CallOptions): Promise<void>;
  /** @returns the id of the new thread. */
  forkThread(threadId: string, options: { readonly at: number } & CallOptions): Promise<string>;
  requests(
    query?: {
      readonly status?: RequestStatus;
      readonly threadId?: string;
      /** Only what this token may decide now; a page may hold fewer than `limit`, and name a next one. */
      readonly decidable?: true;
    } & PageOptions,
  ): Promise<{ readonly requests: readonly ClientRequest[]; readonly nextCursor: string | null }>;
  request(requestId: string, options?: CallOptions): Promise<ShownRequest>;
  /** With `digest`, of the action that was shown, nothing is decided when it is not what would run (`digest_mismatch`). */
  decide(
    requestId: string,
    verdict: Verdict,
    options?: { readonly digest?: string } & CallOptions,
  ): Promise<{ readonly request: ClientRequest; readonly first: boolean }>;
  /**
   * Says that an action which ran was wrong, also after its thread's end. `key` is the action's, such as
   * `act:issue_refund#1`. @returns false when the same principal had flagged it before.
   */
  flagAction(
    threadId: string,
    key: string,
    options: { readonly why: string } & CallOptions,
  ): Promise<boolean>;
  /** Standing approvals that can still be used, newest first; with `all` also those that are over. */
  standing(options?: { readonly all?: boolean } & CallOptions): Promise<readonly ClientStanding[]>;
  /** `where` may be left out for tools of low or medium risk. */
  grantStanding(
    grant: Omit<StandingGrant, "where" | "roles"> & Partial<Pick<StandingGrant, "where">> & CallOptions,
  ): Promise<ClientStanding>;
  revokeStanding(
    standingId: string,
    options: { readonly why: string } & CallOptions,
  ): Promise<ClientStanding>;
  agents(options?: CallOptions): Promise<readonly ClientAgent[]>;
  /** Statistics of a period: `since` is an age such as `24h` (default `7d`), or an ISO 8601 date or time. */
  stats(
    query?: {
      readonly since?: string;
      readonly until?: string;
      readonly agent?: string;
      readonly by?: StatsGrouping;
    } & CallOptions,
  ): Promise<StatsReport>;
}

export function createClient(options: ClientOptions): HoldpointClient {
  const call = caller(options);
  const at = (...parts: readonly string[]): string => `/v1/${parts.map(encodeURIComponent).join("/")}`;
  return {
    startThread: ({ signal, key, ...body }) =>
      call(at("threads"), { body, signal, headers: key === undefined ? {} : { "idempotency-key": key } }),
    threads: ({ signal, ...query } = {}) => call(at("threads"), { query, signal }),
    thread: (threadId, { signal } = {}) => call(at("threads", threadId), { signal }),
    eventPage: (threadId, { signal, ...query } = {}) =>
      call(at("threads", threadId, "events"), { query, signal }),
    events: (threadId, { signal, afterSeq = 0 } = {}) =>
      followEvents((headers) => call.raw(at("threads", threadId, "events"), { headers, signal }), {
        afterSeq,
        signal,
      }),
    prompt: (threadId, seq, { signal } = {}) =>
      call(at("threads", threadId, "prompt", String(seq)), { signal }),
    async sendSignal(threadId, { name, signal, ...body }) {
      await call(at("threads", threadId, "signals", name), { body, signal });
    },
    async cancelThread(threadId, { why, signal }) {
      await call(at("threads", threadId, "cancel"), { body: { why }, signal });
    },
    async forkThread(threadId, { at: seq, signal }) {
      const forked = await call<{ threadId: string }>(at("threads", threadId, "fork"), {
        body: { at: seq },
        signal,
      });
      return forked.threadId;
    },
    requests: ({ signal, decidable, ...query } = {}) =>
      call(at("requests"), { query: { ...query, ...(decidable && { decidable: "true" }) }, signal }),
    request: (requestId, { signal } = {}) => call(at("requests", requestId), { signal }),
    decide: (requestId, verdict, { signal, digest } = {}) =>
      call(at("requests", requestId, "verdict"), {
        body: { verdict, ...(digest !== undefined && { digest }) },
        signal,
      }),
    async flagAction(threadId, key, { why, signal }) {
      const path = at("threads", threadId, "actions", key, "flag");
      return (await call<{ first: boolean }>(path, { body: { why }, signal })).first;
    },
    async standing({ all = false, signal } = {}) {
      const query = all ? { all: "true" } : {};
      return (await call<{ standing: readonly ClientStanding[] }>(at("standing"), { query, signal }))
        .standing;
    },
    async grantStanding({ signal, ...body }) {
      return (await call<{ standing: ClientStanding }>(at("standing"), { body, signal })).standing;
    },
    async revokeStanding(standingId, { why, signal }) {
      const path = at("standing", standingId, "revoke");
      return (await call<{ standing: ClientStanding }>(path, { body: { why }, signal })).standing;
    },
    stats: ({ signal, ...query } = {}) => call(at("stats"), { query, signal }),
    async agents({ signal } = {}) {
      return (await call<{ agents: readonly ClientAgent[] }>(at("agents"), { signal })).agents;
    },
  };
}

interface Call {
  /** Makes it a POST. */
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

interface Caller {
  /** The service and its document say what comes back. */
  <Answer>(path: string, call: Call): Promise<Answer>;
  readonly raw: (path: string, call: Call) => Promise<Response>;
}

function caller({ url, token, fetch: send = fetch }: ClientOptions): Caller {
  const base = url.replace(/\/+$/, "");

  async function raw(path: string, { body, query = {}, headers = {}, signal }: Call): Promise<Response> {
    const address = `${base}${path}${queryOf(query)}`;
    const response = await reached(address, signal, () =>
      send(address, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          authorization: `Bearer ${token}`,
          accept: "application/json",
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        redirect: "error",
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      }),
    );
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  async function call<Answer>(path: string, options: Call): Promise<Answer> {
    const response = await raw(path, options);
    return reached(path, options.signal, () => response.json() as Promise<Answer>);
  }

  return Object.assign(call, { raw });

  async function reached<T>(
    where: string,
    signal: AbortSignal | undefined,
    act: () => Promise<T>,
  ): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      signal?.throwIfAborted();
      throw new HoldpointClientError("unreachable", `no answer from ${where}`, { retryable: true, cause });
    }
  }
}

function queryOf(query: NonNullable<Call["query"]>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(Object.fromEntries(given))}`;
}
