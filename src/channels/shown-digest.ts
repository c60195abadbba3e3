import { sha256 } from "../core/digest.ts";
import { canonicalJson, toJson } from "../core/json.ts";
import type { RequestRow } from "../ports/store.ts";

/**
 * I5. What a button or a link is for: the digest of the action, else of the whole question. It goes out with the request
 * and comes back with the click.
 */
export function shownDigest({ opened }: RequestRow): string {
  return opened.action?.digest ?? sha256(canonicalJson(toJson(opened)));
}
