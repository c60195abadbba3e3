import { viewRequest } from "../../core/request-view.ts";
import { utcTime } from "../../core/utc-time.ts";
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

/** Most characters of the arguments in the list: enough to tell requests apart; the page of each shows the whole. */
const shownOfArguments = 160;

function item(row: RequestRow): string {
  const { title, question, fields } = viewRequest(row);
  const fieldOf = (label: string) => fields.find((field) => field.label === label)?.text;
  const { action, expiresAt } = row.opened;
  const args =
    action === undefined ? "" : `<code>${escapeHtml(begun(visible(JSON.stringify(action.args))))}</code>`;
  const approvals = fieldOf("approvals");
  const facts = [
    title,
    visible(row.agent),
    row.requestId,
    ...(approvals === undefined ? [] : [`approved by ${begun(approvals)}`]),
    ...(expiresAt === null ? [] : [`until ${utcTime(expiresAt)}`]),
  ];
  return `<li><a href="/requests/${encodeURIComponent(row.requestId)}">${escapeHtml(begun(question))}</a>
${args}<div>${escapeHtml(begun(fieldOf("why") ?? ""))}</div>
<small>${facts.map(escapeHtml).join(" · ")}</small></li>`;
}

function begun(text: string): string {
  return text.length <= shownOfArguments ? text : `${text.slice(0, shownOfArguments).toWellFormed()}…`;
}

/** Who is signed in, and the way out. */
export function signedIn({ principal }: TokenRow): string {
  return `<form method="post" action="/sign-out"><small>${escapeHtml(visible(principal))}</small> <button>Sign out</button></form>`;
}
