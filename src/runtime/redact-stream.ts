import type { ModelProgress } from "../ports/model.ts";
import type { Redactor } from "./redact.ts";

/**
 * Passes a model's pieces on without secrets (I11). A secret may come in several pieces, so what may still become one
 * is held back as it came; what is held back at the end is not shown at all.
 */
export function streamRedactor(
  redact: Redactor,
  show: (progress: ModelProgress) => void,
): (progress: ModelProgress) => void {
  const longest = Math.max(0, ...redact.secrets.map((secret) => secret.length));
  if (longest === 0) return show;
  const held = new Map<string, string>();
  return (progress) => {
    const source = progress.kind === "call" ? `call ${progress.callId}` : progress.kind;
    const text = `${held.get(source) ?? ""}${progress.text}`;
    const shown = beforeSecret(text, Math.max(0, text.length - (longest - 1)), redact.secrets);
    held.set(source, text.slice(shown));
    if (shown > 0) show({ ...progress, text: redact.value(text.slice(0, shown)) });
  };
}

/** The last place up to `end` that does not cut a secret in two. */
function beforeSecret(text: string, end: number, secrets: readonly string[]): number {
  let place = end;
  for (let before = -1; before !== place; ) {
    before = place;
    for (const secret of secrets) {
      const at = text.indexOf(secret, Math.max(0, place - secret.length + 1));
      if (at >= 0 && at < place && at + secret.length > place) place = at;
    }
  }
  return place;
}
