// A browser sends what a page tells it to, with its user's cookies, to any address that the page can name. What gives a
// page away is its host (DNS rebinding) and its origin (cross-site requests): both are checked before anything else.
import { isIP } from "node:net";
import { HoldpointError } from "../core/errors.ts";

export interface HostRules {
  /** Host names under which the service is reached, besides those of the loopback; in lower case, without a port. */
  readonly names: ReadonlySet<string>;
  /** Addresses by number: no name was rebound to them. For a service that listens on all of the machine's. */
  readonly anyAddress: boolean;
  /** `https://approve.example.com`: where people reach it, when that is not where it listens. */
  readonly publicOrigin: string | null;
}

/** The rules for names that are given as text; `0.0.0.0` and `::` stand for all addresses of the machine. @throws `usage` */
export function hostRules(allowedHosts: readonly string[], publicUrl: string | undefined): HostRules {
  const url = publicUrl === undefined ? null : parseUrl(publicUrl);
  const names = [...allowedHosts, ...(url ? [url.hostname] : [])].map((name) => name.toLowerCase());
  return {
    names: new Set(names),
    anyAddress: names.includes("0.0.0.0") || names.includes("::"),
    publicOrigin: url?.origin ?? null,
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && (url.protocol === "https:" || url.protocol === "http:") && url.pathname === "/") return url;
  throw new HoldpointError("usage", `${JSON.stringify(text)} cannot be the public URL`, {
    fix: "Write it as https://approve.example.com, without a path.",
  });
}

/** The name of the `Host` header without its port, in lower case; `null` when it is none. */
function hostName(host: string | null): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host ?? "");
  return match?.[1]?.toLowerCase() ?? null;
}

/** True for names and addresses that only this machine can reach. */
export function isLoopback(name: string): boolean {
  const bare = name.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return bare === "localhost" || bare === "::1" || (isIP(bare) === 4 && bare.startsWith("127."));
}

/** @throws `origin_refused` for a host under which this service is not reached. */
export function assertHost(host: string | null, rules: HostRules): void {
  const name = hostName(host);
  if (name !== null) {
    if (isLoopback(name) || rules.names.has(name)) return;
    if (rules.anyAddress && isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0) return;
  }
  throw hostRefused(host);
}

export function hostRefused(host: string | null): HoldpointError {
  return new HoldpointError(
    "origin_refused",
    `this service is not reached as ${JSON.stringify(host ?? "")}`,
    {
      fix: "Name the host with --public-url, or in `server.allowedHosts` of the config.",
    },
  );
}

/** What tells of the page that a request came from. */
interface Origins {
  readonly headers: Headers;
  readonly rules: HostRules;
}

/**
 * True for what a page of this service, or a program, sent. `Sec-Fetch-Site` is the browser's own word, and decides
 * where it is there; older browsers, and those on plain http, send `Origin` only; programs neither.
 */
export function isSameOrigin({ headers, rules }: Origins): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin" || site === "none";
  const origin = headers.get("origin");
  if (origin === null) return true;
  return origin === rules.publicOrigin || hostOf(origin) === headers.get("host")?.toLowerCase();
}

function hostOf(origin: string): string | null {
  try {
    const { protocol, host } = new URL(origin);
    return protocol === "http:" || protocol === "https:" ? host : null;
  } catch {
    return null;
  }
}

/** @throws `origin_refused` for a request that changes something and was sent by another site's page. */
export function assertSameOrigin(request: Origins): void {
  if (!isSameOrigin(request)) throw crossSite();
}

function crossSite(): HoldpointError {
  return new HoldpointError("origin_refused", "this request came from a page of another site", {
    fix: "Send it from a program, or from the pages of this service.",
  });
}

/** For what authenticates by itself, and may be a page that sends no origin. @throws `origin_refused` */
export function assertNotCrossSite(headers: Headers): void {
  if (headers.get("sec-fetch-site") === "cross-site") throw crossSite();
}

/** On every response, unless it says otherwise. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};
