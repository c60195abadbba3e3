import { type Html, html } from "../../core/html.ts";
import { viewRequest } from "../../core/request-view.ts";
import { visible } from "../../core/visible.ts";
import type { Page, RequestRow } from "../../ports/store.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { page } from "./page.ts";

/** The open requests, oldest first. */
export function inboxPage({ rows, nextCursor }: Page<RequestRow>, caller: TokenRow): Response {
  const more =
    nextCursor === null
      ? []
      : [html`<p><a href="/inbox?cursor=${encodeURIComponent(nextCursor)}">More</a></p>`];
  const list = html`<ul>
${rows.map(item)}</ul>${more}`;
  return page({
    title: "Open requests",
    aside: signedIn(caller),
    main: rows.length === 0 ? html`<p>Nothing waits for a person.</p>` : list,
  });
}

function item(row: RequestRow): Html {
  const { title, question } = viewRequest(row);
  const { expiresAt } = row.opened;
  const about = [
    title,
    visible(row.agent),
    row.requestId,
    ...(expiresAt === null ? [] : [`until ${expiresAt}`]),
  ];
  return html`<li><a href="/requests/${encodeURIComponent(row.requestId)}">${question}</a><br>
<small>${about.join(" · ")}</small></li>
`;
}

/** Who is signed in, and the way out. */
export function signedIn({ principal }: TokenRow): Html {
  return html`<form method="post" action="/sign-out"><small>${visible(principal)}</small> <button>Sign out</button></form>`;
}
