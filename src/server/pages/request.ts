import type { VerdictKind } from "../../core/events.ts";
import { type Html, html } from "../../core/html.ts";
import { type RequestField, type RequestView, viewRequest } from "../../core/request-view.ts";
import { typedInput } from "../../core/typed-verdict.ts";
import { visible } from "../../core/visible.ts";
import type { RequestRow } from "../../ports/store.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { signedIn } from "./inbox.ts";
import { page, refusal } from "./page.ts";

export interface RequestPage {
  readonly row: RequestRow;
  readonly caller: TokenRow;
  /** For the forms: see `formKey`. */
  readonly key: string;
  /** Why the verdict that was just given is none. */
  readonly refused?: string;
  readonly status?: number;
}

/** One request, as every channel shows it, with a form for each verdict that it takes. */
export function requestPage({ row, caller, key, refused, status = 200 }: RequestPage): Response {
  const { title, question, fields, choices } = viewRequest(row);
  const isOpen = row.status === "open";
  return page({
    status,
    title,
    aside: signedIn(caller),
    main: html`${refused === undefined ? [] : [refusal(visible(refused))]}
<p><strong>${question}</strong></p>
<dl>
${fields.map(term)}</dl>
<h2>${isOpen ? "Decide" : "Decided"}</h2>
${isOpen ? choices.map((choice) => form(row, choice, key)) : outcome(row)}
<p><a href="/inbox">All open requests</a></p>`,
  });
}

function term({ label, text }: RequestField): Html {
  return html`<dt>${label}</dt><dd><pre>${text}</pre></dd>
`;
}

/** A POST decides; following a link never does. The digest says on what. */
function form(
  { requestId, opened }: RequestRow,
  { kind, label }: RequestView["choices"][number],
  key: string,
): Html {
  const digest = opened.action?.digest;
  return html`<form method="post" action="/requests/${encodeURIComponent(requestId)}">
${hidden("key", key)}${hidden("verdict", kind)}${digest === undefined ? [] : [hidden("digest", digest)]}
${typedInput(opened, kind)}
<button class="${isDangerous(kind) ? "danger" : "main"}">${label}</button>
</form>
`;
}

function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}">`;
}

function isDangerous(kind: VerdictKind): boolean {
  return kind === "reject" || kind === "stop";
}

function outcome({ status, verdict, by, via, decidedAt }: RequestRow): Html {
  if (!verdict) return html`<p>This request is ${status}.</p>`;
  const said = visible(JSON.stringify(verdict, null, 2));
  return html`<p>By ${visible(by ?? "")} via ${visible(via ?? "")} at ${decidedAt ?? ""}:</p><pre>${said}</pre>`;
}
