// A small page for those who approve. It is rendered here, so that it works without JavaScript, and decides by POST only.
import { whyNotApprover } from "../../core/approvers.ts";
import { HoldpointError, isHoldpointError } from "../../core/errors.ts";
import { html } from "../../core/html.ts";
import { typedVerdict } from "../../core/typed-verdict.ts";
import { visible } from "../../core/visible.ts";
import type { RequestRow } from "../../ports/store.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { requestRow } from "../../runtime/thread-report.ts";
import { isSameOrigin } from "../guard.ts";
import { statusOf } from "../problem.ts";
import { readForm } from "../read-body.ts";
import type { App } from "../route.ts";
import { decidableBy, decide } from "../routes/requests.ts";
import { principalOf, type Service } from "../service.ts";
import { assertScope, closeSession, hasScope, openSession } from "../tokens.ts";
import { inboxPage, signedIn } from "./inbox.ts";
import { page, redirect, refusal } from "./page.ts";
import { type RequestPage, requestPage } from "./request.ts";
import { formKey, isFormKey, isSecure, sessionCookie, sessionText } from "./session.ts";
import { safeNext, signInPage } from "./sign-in.ts";

export { callerOfPage } from "./session.ts";

/** Addresses of pages: they go by the cookie, all others by the Authorization header. */
export function isPage(path: string): boolean {
  return ["/", "/inbox", "/sign-in", "/sign-out"].includes(path) || path.startsWith("/requests/");
}

interface PageRequest {
  readonly service: Service;
  readonly request: Request;
  readonly caller: TokenRow;
  /** The session's text. */
  readonly text: string;
  readonly signal: AbortSignal;
  readonly param: string;
}

type Answer = (request: PageRequest) => Promise<Response>;

export function addPages(app: App, service: Service): void {
  function add(method: "get" | "post", path: string, answer: Answer): void {
    app.on(method, path, async ({ env: { facts }, req }) => {
      facts.route = path.replace(":requestId", "{requestId}");
      const request = req.raw;
      const text = sessionText(request.headers, isSecure(service, request));
      const { caller, signal } = facts;
      if (!caller || text === null) return askToSignIn(service, request);
      return guarded(caller, () =>
        answer({ service, request, caller, text, signal, param: req.param("requestId") ?? "" }),
      );
    });
  }

  add("get", "/", async () => redirect("/inbox"));
  add("get", "/inbox", showInbox);
  add("get", "/requests/:requestId", showRequest);
  add("post", "/requests/:requestId", decideRequest);
  app.get("/sign-in", ({ env: { facts } }) => {
    facts.route = "/sign-in";
    return signInPage({ next: "/inbox" });
  });
  app.post("/sign-in", ({ env: { facts }, req }) => {
    facts.route = "/sign-in";
    return signIn(service, req.raw);
  });
  app.post("/sign-out", ({ env: { facts }, req }) => {
    facts.route = "/sign-out";
    return signOut(service, req.raw);
  });
}

function askToSignIn({ hosts }: Service, request: Request): Response {
  const isFromElsewhere = !isSameOrigin({ headers: request.headers, rules: hosts });
  return signInPage({ next: safeNext(pathOf(request)), isFromElsewhere });
}

function pathOf({ url }: Request): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** A refusal is a page too. Faults of the service are answered where all are. */
async function guarded(caller: TokenRow, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    const status = statusOf(error);
    if (!isHoldpointError(error) || status >= 500) throw error;
    const fix = error.fix === undefined ? [] : [html`<p>${error.fix}</p>`];
    const main = html`${refusal(visible(error.message))}${fix}<p><a href="/inbox">All open requests</a></p>`;
    return page({ status, title: "Not possible", aside: signedIn(caller), main });
  }
}

async function signIn(service: Service, request: Request): Promise<Response> {
  const fields = await readForm(request, service.bodyLimits);
  const next = safeNext(fields.get("next"));
  const text = await sessionFor(service, fields.get("token")?.trim() ?? "");
  if (text === null) return signInPage({ next, isWrong: true });
  await endSession(service, request); // the one before, in this browser
  return redirect(next, { "set-cookie": sessionCookie(text, isSecure(service, request)) });
}

async function sessionFor({ tokens, runtime }: Service, tokenText: string): Promise<string | null> {
  try {
    return await openSession(tokens, tokenText, runtime.clock.now());
  } catch (error) {
    if (isHoldpointError(error, "unauthenticated")) return null;
    throw error;
  }
}

/** A copy of the cookie opens nothing after it. */
async function signOut(service: Service, request: Request): Promise<Response> {
  await endSession(service, request);
  return redirect("/sign-in", { "set-cookie": sessionCookie("", isSecure(service, request)) });
}

async function endSession(service: Service, request: Request): Promise<void> {
  const text = sessionText(request.headers, isSecure(service, request));
  if (text !== null) await closeSession(service.tokens, text);
}

const rowsOfPage = 50;

const showInbox: Answer = async ({ service, request, caller }) => {
  assertScope(caller, "read");
  const { searchParams } = new URL(request.url);
  const cursor = searchParams.get("cursor");
  const query = { status: "open", limit: rowsOfPage, ...(cursor !== null && { cursor }) } as const;
  const isOwn = searchParams.get("decidable") === "true";
  const rows = isOwn
    ? await decidableBy(service, caller, query)
    : await service.runtime.store.requests(query);
  return inboxPage(rows, { caller, isOwn, mayDecide: hasScope(caller, "decide") });
};

const showRequest: Answer = async ({ service, caller, text, param }) => {
  assertScope(caller, "read");
  const row = await requestRow(service.runtime.store, param);
  return requestPage(whatIsShown(service, row, caller, text));
};

function whatIsShown(service: Service, row: RequestRow, caller: TokenRow, text: string): RequestPage {
  const { by: id, roles } = principalOf(service, caller);
  const whyNot = !hasScope(caller, "decide")
    ? "has a token without the scope decide"
    : whyNotApprover(row.opened, row.approvers, { id, roles });
  return { row, caller, whyNot, key: formKey(text, row.requestId) };
}

/** The form says what was shown (its digest) and that it is ours (its key); without either nothing is decided. */
const decideRequest: Answer = async ({ service, request, caller, text, signal, param }) => {
  assertScope(caller, "decide");
  const fields = await readForm(request, service.bodyLimits);
  if (!isFormKey(fields.get("key") ?? "", text, param))
    throw new HoldpointError("origin_refused", "this form is not of your session", {
      fix: "Load the request again.",
    });
  const row = await requestRow(service.runtime.store, param);
  const typed = { kind: fields.get("verdict") ?? "", text: fields.get("text") ?? "" };
  try {
    const digest = fields.get("digest") ?? (row.opened.action ? "" : undefined);
    const verdict = typedVerdict(row.opened, typed);
    await decide(service, param, { verdict, digest, caller, via: "page", signal });
  } catch (error) {
    const status = statusOf(error);
    if (!isHoldpointError(error) || status >= 500) throw error;
    const now = await requestRow(service.runtime.store, param);
    return requestPage({
      ...whatIsShown(service, now, caller, text),
      refused: error.message,
      typed,
      status,
    });
  }
  return redirect(`/requests/${encodeURIComponent(param)}`);
};
