// Who is signed in: the text of a session lies in a cookie that scripts cannot read, that other sites' requests do not
// bring, and that the API does not look at. It is no token: with a copy of it nobody uses the API, nor outlives its end.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { TokenRow } from "../../ports/token-store.ts";
import { isSameOrigin } from "../guard.ts";
import type { Service } from "../service.ts";
import { sessionMs, tokenOfSession } from "../tokens.ts";

/** Browsers take a name with `__Host-` over https only, from this host only. */
const cookieNames = { plain: "holdpoint_session", secure: "__Host-holdpoint_session" } as const;

/** The session's text in the cookie; `null` without one. */
export function sessionText(headers: Headers, isSecure: boolean): string | null {
  const name = isSecure ? cookieNames.secure : cookieNames.plain;
  const pairs = (headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}

/** Who is signed in; `null` for nobody, and for what another site's page asked for. */
export async function callerOfPage(service: Service, request: Request): Promise<TokenRow | null> {
  const { headers } = request;
  const text = sessionText(headers, isSecure(service, request));
  if (text === null || !isSameOrigin({ headers, rules: service.hosts })) return null;
  return tokenOfSession(service.tokens, text, service.runtime.clock.now());
}

/** Over TLS, and behind a public https address, the cookie never goes over plain http. */
export function isSecure({ hosts }: Service, { url }: Request): boolean {
  return url.startsWith("https:") || (hosts.publicOrigin?.startsWith("https:") ?? false);
}

/** For `Set-Cookie`; an empty text signs out. */
export function sessionCookie(text: string, secure: boolean): string {
  const name = secure ? cookieNames.secure : cookieNames.plain;
  const age = text === "" ? 0 : sessionMs / 1_000;
  return `${name}=${text}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure ? "; Secure" : ""}`;
}

/** What a form must bring back: it can be made by whoever has the session, for this one request. */
export function formKey(text: string, requestId: string): string {
  return createHmac("sha256", text).update(`verdict ${requestId}`).digest("hex");
}

export function isFormKey(given: string, text: string, requestId: string): boolean {
  const expected = Buffer.from(formKey(text, requestId));
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}
