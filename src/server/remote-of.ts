// Whom a request counts for where it has no token. The address that connected, unless that is a proxy's: then the last
// entry of `X-Forwarded-For`, which is the one that the proxy itself wrote. It bounds how often somebody asks, and decides
// nothing else: the log has the address that connected.
import { BlockList, isIP } from "node:net";
import { HoldpointError } from "../core/errors.ts";

export type RemoteOf = (headers: Headers, connected: string | null) => string;

/** A proxy on the same machine. */
export const loopback: readonly string[] = ["127.0.0.0/8", "::1"];

/**
 * @param proxies addresses and networks (`10.0.0.0/8`).
 * @throws `usage` for an entry that is neither.
 */
export function remoteOf(proxies: readonly string[]): RemoteOf {
  const trusted = new BlockList();
  for (const entry of proxies) addTo(trusted, entry);
  return (headers, connected) => {
    const address = plain(connected ?? "");
    if (!isIn(trusted, address)) return address;
    const last = headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
    return isIP(last) === 0 ? address : plain(last);
  };
}

function addTo(list: BlockList, entry: string): void {
  const [address = "", bits] = entry.split("/");
  const kind = kindOf(address);
  const most = kind === "ipv4" ? 32 : 128;
  const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (kind === null || !(prefix <= most))
    throw new HoldpointError("usage", `${JSON.stringify(entry)} is no address of a proxy`, {
      fix: 'Write an address or a network, such as "10.0.0.7" or "10.0.0.0/8".',
    });
  list.addSubnet(address, prefix, kind);
}

function isIn(list: BlockList, address: string): boolean {
  const kind = kindOf(address);
  return kind !== null && list.check(address, kind);
}

function kindOf(address: string): "ipv4" | "ipv6" | null {
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? "ipv4" : "ipv6";
}

/** IPv4 as a socket of both kinds tells it (`::ffff:10.0.0.7`). */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}
