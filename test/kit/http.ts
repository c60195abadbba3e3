// The HTTP service over a real runtime on a real file, with a token for each need.
import { afterEach, beforeEach } from "vitest";
import type { TokenScope } from "../../src/ports/token-store.ts";
import { createServer, type HttpServer, type ServerOptions } from "../../src/server/app.ts";
import { createToken } from "../../src/server/tokens.ts";
import type { SqliteStore } from "../../src/stores/sqlite/store.ts";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import { type ManualClock, manualClock } from "../../src/testing/manual-clock.ts";
import {
  type Folder,
  openTestRuntime,
  type TestRuntime,
  type TestRuntimeOptions,
  tempFolder,
} from "./runtime.ts";

export interface TestService extends TestRuntime {
  readonly server: HttpServer;
  readonly sqlite: SqliteStore;
  /** The text of a new token. */
  token(scopes: readonly TokenScope[], options?: TokenOptions): Promise<string>;
  /** Sends a request, with a token for everything unless it says otherwise. */
  send(path: string, options?: SendOptions): Promise<Response>;
  /** The same, and the JSON of the answer. */
  json(path: string, options?: SendOptions): Promise<Answer>;
}

interface TokenOptions {
  readonly principal?: string;
  readonly roles?: readonly string[];
  readonly expiresInMs?: number;
}

export interface SendOptions {
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly rawBody?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  /** `null`: none. */
  readonly token?: string | null;
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of many shapes, and fail where they differ.
  readonly body: any;
  readonly headers: Headers;
}

export type TestServiceOptions = Omit<TestRuntimeOptions, "folder" | "store"> &
  Omit<ServerOptions, "runtime" | "tokens" | "feed">;

export const origin = "http://localhost:7433";

/** Opens services on a file of the test's own; those opened later go by the clock of the first. All are closed after it. */
export function servicesOfEachTest(): (options: TestServiceOptions) => Promise<TestService> {
  let folder: Folder;
  let clock: ManualClock;
  let open: TestService[] = [];
  beforeEach(() => {
    folder = tempFolder();
    clock = manualClock(Date.UTC(2026, 0, 1));
  });
  afterEach(async () => {
    for (const service of open) {
      await service.server.close({ graceMs: 0 });
      await service.close();
    }
    open = [];
    folder.remove();
  });
  return async (options) => {
    const service = await openService(folder, { clock, ...options });
    open.push(service);
    return service;
  };
}

async function openService(folder: Folder, options: TestServiceOptions): Promise<TestService> {
  const sqlite = await openSqliteStore({ path: `${folder.path}/holdpoint.db` });
  let observe: HttpServer["observe"] = () => {};
  const opened = await openTestRuntime({
    ...options,
    folder,
    store: sqlite,
    observe: (hint) => observe(hint),
  });
  const { runtime } = opened;
  const { tokens, feed, numbers } = sqlite;
  const server = createServer({ rateLimit: null, ...options, runtime, tokens, feed, numbers });
  observe = server.observe;

  async function token(scopes: readonly TokenScope[], given: TokenOptions = {}): Promise<string> {
    const principal = given.principal ?? "dana@example.com";
    const { text } = await createToken(tokens, {
      by: "cli:root",
      now: runtime.clock.now(),
      ...given,
      principal,
      scopes,
    });
    return text;
  }

  const all = await token(["admin"]);

  async function send(path: string, given: SendOptions = {}): Promise<Response> {
    const { body, rawBody, headers = {}, token: own = all } = given;
    const sent = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
    const request = new Request(new URL(path, origin), {
      method: given.method ?? (sent === undefined ? "GET" : "POST"),
      headers: {
        host: "localhost:7433",
        ...(own !== null && { authorization: `Bearer ${own}` }),
        ...(sent !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(sent !== undefined && { body: sent, duplex: "half" as const }),
    });
    return server.fetch(request, { remote: "127.0.0.1" });
  }

  return {
    ...opened,
    server,
    sqlite,
    token,
    send,
    async json(path, given) {
      const response = await send(path, given);
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === "" ? null : JSON.parse(text),
      };
    },
  };
}
