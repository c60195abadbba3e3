import { viewRequest } from "../../core/request-view.ts";
import { visible } from "../../core/visible.ts";
import type { Page, RequestRow } from "../../ports/store.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { escapeHtml, page } from "./html.ts";

/** The open requests, oldest first. */
export function inboxPage({ rows, nextCursor }: Page<RequestRow>, caller: TokenRow): Response {
  const items = rows.map(item).join("\n");
  const more =
    nextCursor === null ? "" : `<p><a href="/inbox?cursor=${encodeURIComponent(nextCursor)}">More</a></p>`;
  return page({
    title: "Open requests",
    aside: signedIn(caller),
    main: rows.length === 0 ? "<p>Nothing waits for a person.</p>" : `<ul>\n${items}\n</ul>${more}`,
  });
}

function item(row: RequestRow): string {
  const { title, question } = viewRequest(row);
  const until = row.opened.expiresAt === null ? "" : ` · until ${escapeHtml(row.opened.expiresAt)}`;
  return `<li><a href="/requests/${encodeURIComponent(row.requestId)}">${escapeHtml(question)}</a><br>
<small>${escapeHtml(title)} · ${escapeHtml(visible(row.agent))} · ${escapeHtml(row.requestId)}${until}</small></li>`;
}

/** Who is signed in, and the way out. */
export function signedIn({ principal }: TokenRow): string {
  return `<form method="post" action="/sign-out"><small>${escapeHtml(visible(principal))}</small> <button>Sign out</button></form>`;
}
