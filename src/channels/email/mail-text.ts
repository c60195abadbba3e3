// What a mail says. All of it that was written by models or strangers is visible, escaped, and bounded; a header takes
// one line, and in plain text no line of theirs begins where ours do.
import { type Html, html } from "../../core/html.ts";
import { type RequestView, viewRequest } from "../../core/request-view.ts";
import { visible } from "../../core/visible.ts";
import type { Notice } from "../../ports/channel.ts";
import { describeOutcome } from "../describe-outcome.ts";

export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Longer fields are whole on the page only, which is where people decide. */
const maxFieldLength = 20_000;
const maxSubjectLength = 150;

/** `link` leads to where this person decides. */
export function mailText(notice: Notice, link: string): MailText {
  const view = viewRequest(notice.request);
  return notice.kind === "close" ? closing(notice, view) : asking(notice, view, link);
}

function asking({ kind, person }: Notice, view: RequestView, link: string): MailText {
  const fields = view.fields.map(({ label, text }) => ({ label, text: shortened(text) }));
  const again = kind === "remind" ? "This still waits for an answer. " : "";
  const notes = `${again}The link is for ${visible(person?.id ?? "you")} alone: do not pass it on. Opening it decides nothing.`;
  const text = [
    `${view.title}: ${indented(view.question)}`,
    fields.map(({ label, text }) => `${label}: ${indented(text)}`).join("\n"),
    `Look at it and decide:\n${link}`,
    notes,
  ].join("\n\n");
  const body = html`<h1>${view.title}</h1><p>${view.question}</p>${fieldTable(fields)}
<p><a href="${link}">Look at it and decide</a></p><p>${notes}</p>`;
  return { subject: subjectOf(view, kind === "remind"), text, html: page(body) };
}

function closing({ request }: Notice, view: RequestView): MailText {
  const outcome = describeOutcome(request);
  const body = html`<p><strong>${outcome}</strong></p><p>${view.title}: ${view.question}</p>
<p>Request ${request.requestId}, thread ${request.threadId}. There is nothing left to do.</p>`;
  const text = `${indented(outcome)}\n\n${view.title}: ${indented(view.question)}\nRequest ${request.requestId}, thread ${request.threadId}. There is nothing left to do.`;
  return { subject: subjectOf(view, true), text, html: page(body) };
}

function subjectOf({ title, question }: RequestView, isReply: boolean): string {
  return `${isReply ? "Re: " : ""}${oneLine(`${title}: ${question}`)}`;
}

/** Text for a header: no line breaks, nothing invisible, bounded. */
export function oneLine(text: string): string {
  const line = visible(text).replaceAll(/\s+/g, " ").trim();
  return line.length <= maxSubjectLength ? line : `${line.slice(0, maxSubjectLength - 1).toWellFormed()}…`;
}

function indented(text: string): string {
  return text.replaceAll("\n", "\n    ");
}

function shortened(text: string): string {
  if (text.length <= maxFieldLength) return text;
  return `${text.slice(0, maxFieldLength).toWellFormed()}… (${text.length - maxFieldLength} MORE CHARACTERS: see the page)`;
}

/** Also of the page: a request's fields as a table. */
export function fieldTable(fields: RequestView["fields"]): Html {
  const rows = fields.map(({ label, text }) => html`<tr><th>${label}</th><td><pre>${text}</pre></td></tr>`);
  return html`<table>${rows}</table>`;
}

function page(body: Html): string {
  return html`<!doctype html><html lang="en"><head><meta charset="utf-8"></head><body>${body}</body></html>`
    .html;
}
