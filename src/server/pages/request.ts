import type { VerdictKind } from "../../core/events.ts";
import { type RequestField, viewRequest } from "../../core/request-view.ts";
import { visible } from "../../core/visible.ts";
import type { RequestRow } from "../../ports/store.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { escapeHtml, page } from "./html.ts";
import { signedIn } from "./inbox.ts";

export interface RequestPage {
  readonly row: RequestRow;
  readonly caller: TokenRow;
  /** For the forms: see `formKey`. */
  readonly key: string;
  /** What to say first, of a verdict that was just given or refused. */
  readonly note?: { readonly text: string; readonly isRefusal: boolean };
  readonly status?: number;
}

/** One request, as every channel shows it, with a form for each verdict that it takes. */
export function requestPage({ row, caller, key, note, status = 200 }: RequestPage): Response {
  const { title, question, fields, choices } = viewRequest(row);
  const forms =
    row.status === "open" ? choices.map((choice) => form(row, choice, key)).join("\n") : outcome(row);
  return page({
    status,
    title,
    aside: signedIn(caller),
    main: `${note ? `<p class="note${note.isRefusal ? " refused" : ""}" role="alert">${escapeHtml(visible(note.text))}</p>` : ""}
<p><strong>${escapeHtml(question)}</strong></p>
<dl>
${fields.map(term).join("\n")}
</dl>
<h2>${row.status === "open" ? "Decide" : "Decided"}</h2>
${forms}
<p><a href="/inbox">All open requests</a></p>`,
  });
}

function term({ label, text }: RequestField): string {
  return `<dt>${escapeHtml(label)}</dt><dd><pre>${escapeHtml(text)}</pre></dd>`;
}

interface Choice {
  readonly kind: VerdictKind;
  readonly label: string;
}

/** A POST decides; following a link never does. The digest says on what. */
function form({ requestId, opened }: RequestRow, { kind, label }: Choice, key: string): string {
  const digest = opened.action?.digest;
  return `<form method="post" action="/requests/${encodeURIComponent(requestId)}">
<input type="hidden" name="key" value="${escapeHtml(key)}">
<input type="hidden" name="kind" value="${kind}">
${digest === undefined ? "" : `<input type="hidden" name="digest" value="${escapeHtml(digest)}">`}
${inputOf(kind, opened)}
<button class="${isDangerous(kind) ? "danger" : "main"}">${escapeHtml(label)}</button>
</form>`;
}

function isDangerous(kind: VerdictKind): boolean {
  return kind === "reject" || kind === "stop";
}

function inputOf(kind: VerdictKind, { action }: RequestRow["opened"]): string {
  switch (kind) {
    case "approve":
      return "";
    case "edit":
      return textArea(kind, "Arguments, as JSON", visible(JSON.stringify(action?.args ?? {}, null, 2)));
    case "answer":
      return textArea(kind, "Your answer", "");
    case "done":
      return textArea(kind, "Its result, as JSON", "");
    case "reject":
    case "not_done":
      return reason(kind, "Why", true);
    case "continue":
    case "stop":
      return reason(kind, "Why (may be left out)", false);
    default:
      return kind satisfies never;
  }
}

function textArea(kind: VerdictKind, label: string, text: string): string {
  return `<label for="${kind}-value">${label}</label>
<textarea id="${kind}-value" name="value" required spellcheck="false">
${escapeHtml(text)}</textarea>`; // the line break after the tag belongs to it, and not to the text
}

function reason(kind: VerdictKind, label: string, isRequired: boolean): string {
  return `<label for="${kind}-why">${label}</label>
<input id="${kind}-why" name="why" maxlength="10000" autocomplete="off"${isRequired ? " required" : ""}>`;
}

function outcome({ status, verdict, by, via, decidedAt }: RequestRow): string {
  if (!verdict) return `<p>This request is ${status}.</p>`;
  const said = visible(JSON.stringify(verdict, null, 2));
  return `<p>By ${escapeHtml(visible(by ?? ""))} via ${escapeHtml(visible(via ?? ""))} at ${escapeHtml(decidedAt ?? "")}:</p><pre>${escapeHtml(said)}</pre>`;
}
