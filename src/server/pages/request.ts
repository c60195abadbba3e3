import type { VerdictKind } from "../../core/events.ts";
import { type Html, html } from "../../core/html.ts";
import { type RequestField, type RequestView, viewRequest } from "../../core/request-view.ts";
import { type TypedVerdict, typedInput } from "../../core/typed-verdict.ts";
import { utcTime } from "../../core/utc-time.ts";
import { visible } from "../../core/visible.ts";
import type { RequestRow } from "../../ports/store.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { signedIn } from "./inbox.ts";
import { page, refusal } from "./page.ts";

export interface RequestPage {
  readonly row: RequestRow;
  readonly caller: TokenRow;
  /** Why the caller may not decide, a sentence without its subject; `null` when they may. */
  readonly whyNot: string | null;
  /** For the forms: see `formKey`. */
  readonly key: string;
  /** Why the verdict that was just given is none. */
  readonly refused?: string;
  /** What they had typed into the form that was refused. */
  readonly typed?: TypedVerdict;
  readonly status?: number;
}

/** One request, as every channel shows it, with a form for each verdict that the caller may give. */
export function requestPage(options: RequestPage): Response {
  const { row, caller, refused, status = 200 } = options;
  const { title, question, fields, choices } = viewRequest(row);
  const isOpen = row.status === "open";
  return page({
    status,
    title,
    aside: signedIn(caller),
    main: html`${refused === undefined ? [] : [refusal(visible(refused))]}
<p class="question">${question}</p>
<dl>
${fields.map(term)}</dl>
<h2>${isOpen ? "Decide" : "Decided"}</h2>
${isOpen ? decision(options, choices) : outcome(row)}
<p><a href="/inbox">All open requests</a></p>`,
  });
}

/** Forms for whoever may decide; others are told why there are none. */
function decision(options: RequestPage, choices: RequestView["choices"]): readonly Html[] {
  const { row, caller, whyNot } = options;
  if (whyNot !== null) return [note(`You cannot decide this: ${caller.principal} ${whyNot}.`)];
  if (!row.votes.some(({ by }) => by === caller.principal))
    return choices.map((choice) => form(options, choice));
  const left = choices.filter(({ kind }) => kind !== "approve");
  return [
    note("You have approved this. It waits for others."),
    ...left.map((choice) => form(options, choice)),
  ];
}

function note(text: string): Html {
  return html`<p class="note">${visible(text)}</p>
`;
}

/** What takes several lines gets the whole width. */
function term({ label, text }: RequestField): Html {
  return text.includes("\n")
    ? html`<dt class="block">${label}</dt><dd class="block"><pre>${text}</pre></dd>
`
    : html`<dt>${label}</dt><dd>${text}</dd>
`;
}

/** A POST decides; following a link never does. The digest says on what. */
function form(
  { row: { requestId, opened }, key, typed }: RequestPage,
  { kind, label }: RequestView["choices"][number],
): Html {
  const digest = opened.action?.digest;
  const mine = typed?.kind === kind ? typed.text : undefined;
  const body = html`${typedInput(opened, kind, mine)}
<button class="${styleOf(kind)}">${label}</button>`;
  return html`<form method="post" action="/requests/${encodeURIComponent(requestId)}">
${hidden("key", key)}${hidden("verdict", kind)}${digest === undefined ? [] : [hidden("digest", digest)]}
${kind === "edit" ? collapsed(body, mine !== undefined) : body}
</form>
`;
}

/** Editing is the rare choice, and its form the longest. */
function collapsed(body: Html, isOpen: boolean): Html {
  return html`<details${isOpen ? " open" : ""}><summary>Run it with other arguments</summary>
${body}
</details>`;
}

function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}">`;
}

/** One thing is the usual one, and what ends things looks like it. */
function styleOf(kind: VerdictKind): string {
  if (kind === "reject" || kind === "stop") return "danger";
  return kind === "edit" || kind === "not_done" ? "" : "main";
}

function outcome({ status, verdict, by, via, decidedAt }: RequestRow): Html {
  if (!verdict) return html`<p>This request is ${status}.</p>`;
  const said = visible(JSON.stringify(verdict, null, 2));
  const who = visible(`By ${by ?? ""} via ${via ?? ""} at ${utcTime(decidedAt ?? "")}`);
  return html`<p>${who}:</p><pre>${said}</pre>`;
}
