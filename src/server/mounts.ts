import type { Mount } from "../ports/mount.ts";
import { assertNotCrossSite } from "./guard.ts";
import { type BodyLimits, readBody } from "./read-body.ts";
import type { RequestFacts } from "./route.ts";

/** Longest body that a mount is handed, in bytes. */
const maxBytes = 1024 * 1024;

/** The mount at whose path, or below it, an address is. */
export function mountOf(
  mounts: ReadonlyMap<string, Mount>,
  path: string,
): { readonly prefix: string; readonly mount: Mount } | null {
  const [, prefix] = /^(\/(?:hooks|channels)\/[^/]+)(?:\/|$)/.exec(path) ?? [];
  const mount = prefix === undefined ? undefined : mounts.get(prefix);
  return prefix === undefined || !mount ? null : { prefix, mount };
}

/** Hands a request on with the bytes that came: what signed them is checked by the mount. */
export async function answerMount(
  request: Request,
  mount: Mount,
  { signal, remote }: RequestFacts,
  limits: BodyLimits,
): Promise<Response> {
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (!isRead) assertNotCrossSite(request.headers);
  const body = isRead ? null : await readBody(request, { ...limits, maxBytes });
  const { url, method, headers } = request;
  const response = await mount(new Request(url, { method, headers, ...(body && { body }) }), {
    signal,
    remote,
  });
  return new Response(response.body, response); // a mount's response may have headers that cannot be added to
}
