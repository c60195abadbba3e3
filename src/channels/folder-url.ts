import { HoldpointError } from "../core/errors.ts";

/** The service's public address, to put paths of its own behind. @throws `usage` for one that is none. */
export function folderUrl(publicUrl: string): URL {
  const url = URL.parse(publicUrl.endsWith("/") ? publicUrl : `${publicUrl}/`);
  if (url && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "") return url;
  throw new HoldpointError("usage", "`publicUrl` is where people reach the HTTP service: https://…");
}
