import { type Html, html } from "../../core/html.ts";
import { viewRequest } from "../../core/request-view.ts";
import { utcTime } from "../../core/utc-time.ts";
import { visible } from "../../core/visible.ts";
import type { Page, RequestRow } from "../../ports/store.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { page } from "./page.ts";

export interface InboxView {
  readonly caller: TokenRow;
  /** Only what the caller may decide is shown. */
  readonly isOwn: boolean;
  readonly mayDecide: boolean;
}

/** The open requests, oldest first. */
export function inboxPage({ rows, nextCursor }: Page<RequestRow>, { caller, ...view }: InboxView): Response {
  const own = view.isOwn ? "decidable=true&" : "";
  const more =
    nextCursor === null
      ? []
      : [html`<p><a href="/inbox?${own}cursor=${encodeURIComponent(nextCursor)}">More</a></p>`];
  const none = nextCursor === null ? "Nothing waits for a person." : "None among these; there are more.";
  const list = html`<ul>
${rows.map(item)}</ul>`;
  return page({
    title: view.isOwn ? "Requests that you may decide" : "Open requests",
    aside: signedIn(caller),
    main: html`${choice(view)}${rows.length === 0 ? html`<p>${none}</p>` : list}${more}`,
  });
}

function choice({ isOwn, mayDecide }: Pick<InboxView, "isOwn" | "mayDecide">): readonly Html[] {
  if (!mayDecide) return [];
  if (isOwn) return [html`<p><a href="/inbox">All open requests</a></p>`];
  return [html`<p><a href="/inbox?decidable=true">Only those that you may decide</a></p>`];
}

/** Most characters of the arguments in the list: enough to tell requests apart; the page of each shows the whole. */
const shownOfArguments = 160;

function item(row: RequestRow): Html {
  const { title, question, fields } = viewRequest(row);
  const fieldOf = (label: string) => fields.find((field) => field.label === label)?.text;
  const { action, expiresAt } = row.opened;
  const args =
    action === undefined ? [] : [html`<code>${begun(visible(JSON.stringify(action.args)))}</code>`];
  const approvals = fieldOf("approvals");
  const facts = [
    title,
    visible(row.agent),
    row.requestId,
    ...(approvals === undefined ? [] : [`approved by ${begun(approvals)}`]),
    ...(expiresAt === null ? [] : [`until ${utcTime(expiresAt)}`]),
  ];
  return html`<li><a href="/requests/${encodeURIComponent(row.requestId)}">${begun(question)}</a>
${args}<div>${begun(fieldOf("why") ?? "")}</div>
<small>${facts.join(" · ")}</small></li>
`;
}

function begun(text: string): string {
  return text.length <= shownOfArguments ? text : `${text.slice(0, shownOfArguments).toWellFormed()}…`;
}

/** Who is signed in, and the way out. */
export function signedIn({ principal }: TokenRow): Html {
  return html`<form method="post" action="/sign-out"><small>${visible(principal)}</small> <button>Sign out</button></form>`;
}
