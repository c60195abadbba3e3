import type { VerdictKind } from "../../core/events.ts";
import { type RequestField, viewRequest } from "../../core/request-view.ts";
import { utcTime } from "../../core/utc-time.ts";
import { visible } from "../../core/visible.ts";
import type { RequestRow } from "../../ports/store.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { escapeHtml, page } from "./html.ts";
import { signedIn } from "./inbox.ts";

export interface RequestPage {
  readonly row: RequestRow;
  readonly caller: TokenRow;
  /** Why the caller may not decide, a sentence without its subject; `null` when they may. */
  readonly whyNot: string | null;
  /** For the forms: see `formKey`. */
  readonly key: string;
  /** What to say first, of a verdict that was refused. */
  readonly note?: string;
  /** What they had typed into the form that was refused. */
  readonly typed?: ReadonlyMap<string, string>;
  readonly status?: number;
}

/** One request, as every channel shows it, with a form for each verdict that it takes. */
export function requestPage(options: RequestPage): Response {
  const { row, caller, note, status = 200 } = options;
  const { title, question, fields } = viewRequest(row);
  return page({
    status,
    title,
    aside: signedIn(caller),
    main: `${note === undefined ? "" : `<p class="note refused" role="alert">${escapeHtml(visible(note))}</p>`}
<p class="question">${escapeHtml(question)}</p>
<dl>
${fields.map(term).join("\n")}
</dl>
<h2>${row.status === "open" ? "Decide" : "Decided"}</h2>
${row.status === "open" ? decision(options) : outcome(row)}
<p><a href="/inbox">All open requests</a></p>`,
  });
}

/** Forms for whoever may decide; others are told why there are none. */
function decision(options: RequestPage): string {
  const { row, caller, whyNot } = options;
  if (whyNot !== null)
    return `<p class="note">${escapeHtml(visible(`You cannot decide this: ${caller.principal} ${whyNot}.`))}</p>`;
  const voted = row.votes.some(({ by }) => by === caller.principal)
    ? '<p class="note">You have approved this. It waits for others.</p>\n'
    : "";
  const choices = viewRequest(row).choices.filter(({ kind }) => voted === "" || kind !== "approve");
  return voted + choices.map((choice) => form(options, choice)).join("\n");
}

/** What takes several lines gets the whole width. */
function term({ label, text }: RequestField): string {
  return text.includes("\n")
    ? `<dt class="block">${escapeHtml(label)}</dt><dd class="block"><pre>${escapeHtml(text)}</pre></dd>`
    : `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(text)}</dd>`;
}

interface Choice {
  readonly kind: VerdictKind;
  readonly label: string;
}

/** A POST decides; following a link never does. The digest says on what. */
function form({ row: { requestId, opened }, key, typed }: RequestPage, { kind, label }: Choice): string {
  const digest = opened.action?.digest;
  const mine = typed?.get("kind") === kind ? typed : undefined;
  const body = `${inputOf(kind, opened, mine)}
<button class="${styleOf(kind)}">${escapeHtml(label)}</button>`;
  return `<form method="post" action="/requests/${encodeURIComponent(requestId)}">
<input type="hidden" name="key" value="${escapeHtml(key)}">
<input type="hidden" name="kind" value="${kind}">
${digest === undefined ? "" : `<input type="hidden" name="digest" value="${escapeHtml(digest)}">`}
${kind === "edit" ? `<details${mine ? " open" : ""}><summary>Run it with other arguments</summary>\n${body}\n</details>` : body}
</form>`;
}

/** One thing is the usual one, and what ends things looks like it. */
function styleOf(kind: VerdictKind): string {
  if (kind === "reject" || kind === "stop") return "danger";
  return kind === "edit" || kind === "not_done" ? "" : "main";
}

function inputOf(
  kind: VerdictKind,
  { action }: RequestRow["opened"],
  typed: ReadonlyMap<string, string> | undefined,
): string {
  const value = typed?.get("value");
  const why = typed?.get("why") ?? "";
  switch (kind) {
    case "approve":
      return "";
    case "edit":
      return textArea(
        kind,
        "Arguments, as JSON",
        value ?? visible(JSON.stringify(action?.args ?? {}, null, 2)),
      );
    case "answer":
      return textArea(kind, "Your answer", value ?? "");
    case "done":
      return textArea(kind, "Its result, as JSON", value ?? "");
    case "reject":
    case "not_done":
      return reason(kind, "Why", why, true);
    case "continue":
    case "stop":
      return reason(kind, "Why (may be left out)", why, false);
    default:
      return kind satisfies never;
  }
}

function textArea(kind: VerdictKind, label: string, text: string): string {
  return `<label for="${kind}-value">${label}</label>
<textarea id="${kind}-value" name="value" rows="${linesOf(text)}" required spellcheck="false">
${escapeHtml(text)}</textarea>`; // the line break after the tag belongs to it, and not to the text
}

/** As many lines as the text has, within a screen. */
function linesOf(text: string): number {
  return Math.min(20, Math.max(3, text.split("\n").length));
}

function reason(kind: VerdictKind, label: string, text: string, isRequired: boolean): string {
  return `<label for="${kind}-why">${label}</label>
<input id="${kind}-why" name="why" value="${escapeHtml(text)}" maxlength="10000" autocomplete="off"${isRequired ? " required" : ""}>`;
}

function outcome({ status, verdict, by, via, decidedAt }: RequestRow): string {
  if (!verdict) return `<p>This request is ${status}.</p>`;
  const said = visible(JSON.stringify(verdict, null, 2));
  const who = visible(`By ${by ?? ""} via ${via ?? ""} at ${utcTime(decidedAt ?? "")}`);
  return `<p>${escapeHtml(who)}:</p><pre>${escapeHtml(said)}</pre>`;
}
