// Pages without JavaScript.
import { hash } from "node:crypto";
import { type Html, html } from "../../core/html.ts";

const styles = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --dim: color-mix(in srgb, CanvasText 65%, Canvas); --accent: #087a4d; --danger: #b92c2c; }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; }
header { display: flex; gap: 1rem; align-items: center; justify-content: space-between; }
h1 { font-size: 1.25rem; margin: .5rem 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
a { color: inherit; } small { color: var(--dim); } .question { font-size: 1.1rem; font-weight: 600; white-space: pre-line; }
ul { list-style: none; padding: 0; } li { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0; overflow-wrap: anywhere; }
li a { font-weight: 600; } li code { display: block; margin: .25rem 0; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .35rem 1rem; margin: 1rem 0; }
dt { color: var(--dim); } dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; } .block { grid-column: 1 / -1; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); border-radius: .5rem; padding: .5rem .75rem; margin: 0; font-size: .9rem; }
form { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0; }
header form { border: 0; padding: 0; margin: 0; display: flex; gap: .75rem; align-items: center; }
summary { cursor: pointer; padding: .35rem 0; } label { display: block; font-weight: 600; margin-bottom: .25rem; }
textarea, input { width: 100%; font: inherit; font-weight: 400; padding: .5rem; border: 1px solid var(--line); border-radius: .4rem; margin-bottom: .5rem; }
textarea { font-family: ui-monospace, monospace; min-height: 5rem; }
button { font: inherit; padding: .6rem 1.1rem; border: 1px solid var(--line); border-radius: .4rem; cursor: pointer; min-height: 2.75rem; }
header button { white-space: nowrap; padding: .2rem .75rem; font-size: .9rem; } .main { background: var(--accent); color: #fff; } .danger { background: var(--danger); color: #fff; }
.note { border-left: .25rem solid var(--accent); padding: .25rem .75rem; } .refused { border-color: var(--danger); }
`;

/** Only these styles, no script, and forms that go nowhere else. */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${hash("sha256", styles, "base64")}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export interface Page {
  readonly status?: number;
  readonly title: string;
  readonly main: Html;
  /** At the right of the title. */
  readonly aside?: Html;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A whole page. Its referrer goes to no other site, but to this one: without, browsers say `Origin: null` with its
 * forms, and they could not be told from those of another site.
 */
export function page({ status = 200, title, main, aside = html``, headers = {} }: Page): Response {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Holdpoint</title>
<style>${{ html: styles }}</style>
</head>
<body>
<header><h1>${title}</h1>${aside}</header>
<main>
${main}
</main>
</body>
</html>
`;
  return new Response(document.html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "referrer-policy": "same-origin",
      ...headers,
    },
  });
}

/** What is told before all else: why something was not done. */
export function refusal(text: string): Html {
  return html`<p class="note refused" role="alert">${text}</p>`;
}

/** To another page, by GET. */
export function redirect(path: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { status: 303, headers: { location: path, ...headers } });
}
