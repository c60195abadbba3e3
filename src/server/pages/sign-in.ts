import { html } from "../../core/html.ts";
import { page, refusal } from "./page.ts";

/** Where somebody signs in, and goes on to `next`. */
export function signInPage(options: {
  readonly next: string;
  readonly isWrong?: boolean;
  /** They came by a link of another site, from which browsers do not send the cookie. */
  readonly isFromElsewhere?: boolean;
}): Response {
  const { next, isWrong = false, isFromElsewhere = false } = options;
  const goOn = isFromElsewhere ? [html`<p>Signed in before? <a href="${next}">Go on</a></p>`] : [];
  const wrong = isWrong ? [refusal("This token opens nothing: it may be mistyped, expired or revoked.")] : [];
  return page({
    status: isWrong ? 401 : 200,
    title: "Sign in",
    main: html`${wrong}${goOn}
<form method="post" action="/sign-in">
<input type="hidden" name="next" value="${next}">
<label for="token">Your token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button class="main">Sign in</button>
</form>
<p>A token is made by whoever runs this service: <code>holdpoint token create --principal you@example.com --scope read,decide</code></p>`,
  });
}

/** A place of these pages, whatever was asked for: never another site. */
export function safeNext(next: string | undefined): string {
  return next !== undefined &&
    /^\/(inbox(\?(decidable=true&?)?(cursor=[\w%.:+-]*)?)?|requests\/[\w%.~-]+)$/.test(next)
    ? next
    : "/inbox";
}
