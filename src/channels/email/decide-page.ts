// Mail scanners open links, and prefetch them: GET and HEAD show, and only the form's POST decides. A request has one
// verdict (I6), so the form works once, and says who decided when it comes too late.
import { createHash } from "node:crypto";
import { isHoldpointError } from "../../core/errors.ts";
import { type Html, html } from "../../core/html.ts";
import type { Person } from "../../core/person.ts";
import { type RequestView, viewRequest } from "../../core/request-view.ts";
import { typedInput, typedVerdict } from "../../core/typed-verdict.ts";
import { visible } from "../../core/visible.ts";
import type { Desk } from "../../ports/channel.ts";
import type { Mount } from "../../ports/mount.ts";
import type { RequestRow } from "../../ports/store.ts";
import { describeOutcome, describeRecorded } from "../describe-outcome.ts";
import { shownDigest } from "../shown-digest.ts";
import type { DecideGrant, DecideSigner } from "./decide-link.ts";
import { fieldTable } from "./mail-text.ts";

interface PageOptions {
  readonly name: string;
  readonly signer: DecideSigner;
}

/** A request, and the person whose link or form is good for it. */
interface Admitted {
  readonly request: RequestRow;
  readonly person: Person;
  readonly grant: DecideGrant;
}

export function decideMount(desk: Desk, options: PageOptions): Mount {
  return async (request, { signal }) => {
    const url = new URL(request.url);
    if (!url.pathname.endsWith(`/channels/${options.name}/decide`))
      return refusal(404, "There is no such page.");
    switch (request.method) {
      case "GET":
      case "HEAD":
        return show(desk, options, url.searchParams);
      case "POST":
        return decide(desk, options, request, signal);
      default:
        return refusal(405, "This page can be opened, and its forms sent.", { allow: "GET, HEAD, POST" });
    }
  };
}

async function show(desk: Desk, options: PageOptions, query: URLSearchParams): Promise<Response> {
  const admitted = await admit(desk, options, "link", query);
  return admitted instanceof Response ? admitted : requestPage(options, admitted);
}

async function decide(
  desk: Desk,
  options: PageOptions,
  request: Request,
  signal: AbortSignal,
): Promise<Response> {
  if (request.headers.get("sec-fetch-site") === "cross-site")
    return refusal(403, "The form was sent from another site.");
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers.get("content-type") ?? ""))
    return refusal(415, "Only this page's forms are taken.");
  const form = new URLSearchParams(await request.text());
  const admitted = await admit(desk, options, "form", form);
  if (admitted instanceof Response) return admitted;
  try {
    const typed = { kind: form.get("verdict") ?? "", text: form.get("text") ?? "" };
    const verdict = typedVerdict(admitted.request.opened, typed);
    const decided = await desk.decide(admitted.request.requestId, verdict, admitted.person, signal);
    return page(200, "Recorded", html`<p><strong>${describeRecorded(decided)}</strong></p>`);
  } catch (error) {
    return refused(desk, options, admitted, error);
  }
}

/** What stands, or what is wrong, with the request as it is now. */
async function refused(
  desk: Desk,
  options: PageOptions,
  admitted: Admitted,
  error: unknown,
): Promise<Response> {
  if (!isHoldpointError(error)) throw error;
  const request = (await desk.find(admitted.request.requestId)) ?? admitted.request;
  switch (error.code) {
    case "request_already_decided":
      return requestPage(
        options,
        { ...admitted, request },
        409,
        `Nothing was changed: ${visible(error.message)}.`,
      );
    case "verdict_invalid":
      return requestPage(
        options,
        { ...admitted, request },
        400,
        `Nothing was recorded: ${visible(error.message)}.`,
      );
    default: {
      const status = error.retryable || error.code.startsWith("store_") ? 503 : 403;
      return refusal(status, `Nothing was recorded: ${visible(error.message)}. ${visible(error.fix ?? "")}`);
    }
  }
}

/** Checks signature, then end, then the person: whoever cannot sign learns nothing. */
async function admit(
  desk: Desk,
  { signer }: PageOptions,
  purpose: "link" | "form",
  given: URLSearchParams,
): Promise<Admitted | Response> {
  const requestId = given.get("request") ?? "";
  const personId = given.get("person") ?? "";
  const expires = given.get("expires") ?? "";
  const request = await desk.find(requestId);
  const digest = request ? shownDigest(request) : "";
  const grant = { requestId, personId, digest, expiresAt: /^\d{1,16}$/.test(expires) ? Number(expires) : 0 };
  const isGenuine = signer.isSigned(purpose, grant, given.get("signature") ?? "");
  if (!request || !isGenuine)
    return refusal(403, "This link is not genuine, or not whole. Use the one in the newest mail.");
  if (desk.now() >= grant.expiresAt)
    return page(410, "Too late", html`<p>This link is no longer good.</p><p>${describeOutcome(request)}</p>`);
  const person = desk.people.find(({ id }) => id === personId);
  if (!person) return refusal(403, `${visible(personId)} is no longer in the people directory.`);
  return { request, person, grant };
}

function requestPage(options: PageOptions, admitted: Admitted, status = 200, message = ""): Response {
  const { request, person } = admitted;
  const view = viewRequest(request);
  const forms =
    request.status === "open"
      ? view.choices.map((choice) => choiceForm(options, admitted, choice))
      : [html`<p><strong>${describeOutcome(request)}</strong></p>`];
  const body = html`${message === "" ? [] : [html`<p role="alert">${message}</p>`]}
<p class="question">${view.question}</p>${fieldTable(view.fields)}${forms}
<p>You decide as ${visible(person.id)}.</p>`;
  return page(status, view.title, body);
}

function choiceForm(
  { signer }: PageOptions,
  { grant, request }: Admitted,
  { kind, label }: RequestView["choices"][number],
): Html {
  const hidden = { request: grant.requestId, person: grant.personId, expires: String(grant.expiresAt) };
  const inputs = Object.entries({ ...hidden, signature: signer.sign("form", grant), verdict: kind }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form method="post" action="decide">${inputs}${typedInput(request.opened, kind)}<button class="${kind}">${label}</button></form>`;
}

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:1rem auto;padding:0 1rem}
h1{font-size:1.3rem}.question{font-size:1.1rem;font-weight:600;white-space:pre-line}table{width:100%;table-layout:fixed}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0}th{text-align:left;vertical-align:top;width:7rem;font-weight:400;opacity:.75}
form{border:1px solid #8884;border-radius:.5rem;padding:.75rem 1rem;margin:.75rem 0}label,textarea,input{display:block;width:100%;box-sizing:border-box;font:inherit}
button{font:inherit;margin-top:.5rem;padding:.6rem 1.1rem;min-height:2.75rem;border:1px solid #8884;border-radius:.4rem}
.approve{background:#087a4d;color:#fff}.reject,.stop{background:#b92c2c;color:#fff}`;

const headers = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-robots-tag": "noindex, nofollow",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
};

function refusal(status: number, message: string, more: Readonly<Record<string, string>> = {}): Response {
  return page(status, "Not done", html`<p role="alert">${message}</p>`, more);
}

function page(
  status: number,
  title: string,
  body: Html,
  more: Readonly<Record<string, string>> = {},
): Response {
  const document = html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width"><style>${{ html: style }}</style></head>
<body><h1>${title}</h1>${body}</body></html>`;
  return new Response(document.html, { status, headers: { ...headers, ...more } });
}
