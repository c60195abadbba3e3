import type { Server as NodeServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { HoldpointError } from "../core/errors.ts";
import type { TokenStore } from "../ports/token-store.ts";
import type { HttpServer } from "./app.ts";
import { isLoopback } from "./guard.ts";
import { isUsable } from "./tokens.ts";

export interface ListenOptions {
  /** Default 127.0.0.1. Any that others can reach needs a token to be there first. */
  readonly host?: string;
  /** Default 7433; 0 takes any that is free. */
  readonly port?: number;
  /** To see whether there is a token. */
  readonly tokens: TokenStore;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How long a request's headers may take to arrive, in milliseconds. Default 10 s. */
  readonly headersTimeoutMs?: number;
}

export interface Listening {
  /** As the machine knows it: `http://127.0.0.1:7433`. */
  readonly url: string;
  /**
   * Stops accepting, ends streams, and resolves when what is under way is answered, after `graceMs` (default 5 s) at
   * the latest; what is left then is cut off.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export const defaultPort = 7433;

/**
 * Binds the service to a port.
 *
 * @throws `usage` for an address that cannot be had, and for one that others can reach while no token could keep them out.
 */
export async function listen(server: HttpServer, options: ListenOptions): Promise<Listening> {
  const { host = "127.0.0.1", port = defaultPort, tokens, now, headersTimeoutMs = 10_000 } = options;
  if (!isLoopback(host)) await assertToken(tokens, now, host);
  const node = createAdaptorServer({
    overrideGlobalObjects: false,
    fetch: (request, env) => server.fetch(request, { remote: env.incoming.socket.remoteAddress ?? null }),
    serverOptions: {
      headersTimeout: headersTimeoutMs,
      requestTimeout: 2 * headersTimeoutMs + 10_000, // the service's own limit for bodies comes first, and says so
      connectionsCheckingInterval: Math.min(1_000, headersTimeoutMs),
      keepAliveTimeout: 5_000,
      maxHeaderSize: 16 * 1024,
    },
  }) as NodeServer; // http/1.1, since no other kind was asked for
  dropWhenAnswered(node);
  await bind(node, host, port);
  const { port: bound } = node.address() as AddressInfo; // it listens on a port, not on a pipe
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${name}:${bound}`,
    close: ({ graceMs = 5_000 } = {}) => close(node, server, graceMs),
  };
}

async function assertToken(tokens: TokenStore, now: number, host: string): Promise<void> {
  if ((await tokens.list()).some((row) => isUsable(row, now))) return;
  throw new HoldpointError("usage", `nobody could be kept out of ${host}: there is no token`, {
    fix: "Make one first: holdpoint token create --principal you@example.com --scope read,run,decide.",
  });
}

function bind(node: NodeServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    node.once("error", (cause) =>
      reject(
        new HoldpointError("usage", `${host}:${port} cannot be listened on: ${cause.message}`, {
          fix: "Name another --port or --host.",
          cause,
        }),
      ),
    );
    node.listen(port, host, resolve);
  });
}

async function close(node: NodeServer, server: HttpServer, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => node.close(() => resolve()));
  const cut = setTimeout(() => node.closeAllConnections(), graceMs); // a client may be slow to take the end
  await server.close({ graceMs });
  node.closeIdleConnections();
  await closed;
  clearTimeout(cut);
}

/** Connections that are kept alive would hold up a stop: once it has begun, each goes with its answer. */
function dropWhenAnswered(node: NodeServer): void {
  node.on("request", (_request, response) => {
    response.once("close", () => {
      if (!node.listening) setImmediate(() => node.closeIdleConnections()); // after Node has put it among the idle
    });
  });
}
