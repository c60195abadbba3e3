// I6. What one principal may decide now, of all that is open. It is asked of each request by the same rules that its
// verdict goes by, so a list never shows what `decideRequest` would refuse for who asks.
import { isSamePrincipal, type Principal, whyNotApprover } from "../core/approvers.ts";
import type { Page, RequestRow, Store } from "../ports/store.ts";

export interface DecidableQuery {
  readonly principal: Principal;
  /** Milliseconds since the epoch: what is past its deadline is decided by nobody. */
  readonly now: number;
  /** At most so many rows, 1 to 1,000. Default 50. */
  readonly limit?: number;
  readonly cursor?: string;
  readonly threadId?: string;
}

/** Most open requests that are looked at for one page. */
export const mostLookedAt = 1_000;

/**
 * Open requests that the principal may decide, oldest first. The work of a page is bounded: it may hold fewer rows than
 * asked for, or none, and still name a next one.
 */
export async function decidableRequests(
  store: Pick<Store, "requests">,
  { principal, now, limit = 50, cursor, threadId }: DecidableQuery,
): Promise<Page<RequestRow>> {
  const rows: RequestRow[] = [];
  let at = cursor;
  for (let looked = 0; looked < mostLookedAt; ) {
    const query = {
      status: "open",
      limit,
      ...(at !== undefined && { cursor: at }),
      ...(threadId && { threadId }),
    } as const;
    const page = await store.requests(query);
    const own = page.rows.filter((row) => mayDecideNow(row, principal, now));
    if (rows.length + own.length > limit) return { rows, nextCursor: at ?? null }; // its rows are the next page's
    rows.push(...own);
    looked += page.rows.length;
    if (page.nextCursor === null) return { rows, nextCursor: null };
    at = page.nextCursor;
  }
  return { rows, nextCursor: at ?? null };
}

/** Whoever has approved already waits for others. */
function mayDecideNow(row: RequestRow, principal: Principal, now: number): boolean {
  const { expiresAt } = row.opened;
  if (row.status !== "open" || (expiresAt !== null && Date.parse(expiresAt) <= now)) return false;
  if (row.votes.some(({ by }) => isSamePrincipal(by, principal.id))) return false;
  return whyNotApprover(row.opened, row.approvers, principal) === null;
}
