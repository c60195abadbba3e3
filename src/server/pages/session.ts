// Who is signed in: the token itself lies in a cookie that scripts cannot read, that other sites' requests do not bring,
// and that the API does not look at.
import { createHmac, timingSafeEqual } from "node:crypto";
import { isHoldpointError } from "../../core/errors.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { isSameOrigin } from "../guard.ts";
import type { Service } from "../service.ts";
import { authenticate } from "../tokens.ts";

/** Browsers take a name with `__Host-` over https only, from this host only. */
const cookieNames = { plain: "holdpoint_token", secure: "__Host-holdpoint_token" } as const;

/** The token's text in the cookie; `null` without one. */
export function sessionText(headers: Headers, isSecure: boolean): string | null {
  const name = isSecure ? cookieNames.secure : cookieNames.plain;
  const pairs = (headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}

/** Who is signed in; `null` for nobody, and for what another site's page asked for. */
export async function callerOfPage(service: Service, headers: Headers): Promise<TokenRow | null> {
  const text = sessionText(headers, isSecure(service));
  if (text === null || !isSameOrigin({ headers, rules: service.hosts })) return null;
  return callerOfText(service, text);
}

/** The token with this text; `null` when it opens nothing (any more). */
export async function callerOfText({ tokens, runtime }: Service, text: string): Promise<TokenRow | null> {
  try {
    return await authenticate(tokens, text, runtime.clock.now());
  } catch (error) {
    if (isHoldpointError(error, "unauthenticated")) return null;
    throw error;
  }
}

/** Behind a public https address the cookie never goes over plain http. */
export function isSecure({ hosts }: Service): boolean {
  return hosts.publicOrigin?.startsWith("https:") ?? false;
}

/** For `Set-Cookie`; an empty text signs out. */
export function sessionCookie(text: string, secure: boolean): string {
  const name = secure ? cookieNames.secure : cookieNames.plain;
  const age = text === "" ? 0 : sessionSeconds;
  return `${name}=${text}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure ? "; Secure" : ""}`;
}

/** Twelve hours: a working day, and not the next one. */
const sessionSeconds = 12 * 60 * 60;

/** What a form must bring back: it can be made by whoever knows the token, for this one request. */
export function formKey(text: string, requestId: string): string {
  return createHmac("sha256", text).update(`verdict ${requestId}`).digest("hex");
}

export function isFormKey(given: string, text: string, requestId: string): boolean {
  const expected = Buffer.from(formKey(text, requestId));
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}
