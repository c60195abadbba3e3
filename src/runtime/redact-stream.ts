import type { ModelProgress } from "../ports/model.ts";
import type { Redactor } from "./redact.ts";

/**
 * Passes a model's pieces on without secrets (I11). A secret may come in two pieces, so the last characters are held
 * back, one fewer than the longest secret has; what is held back at the end is not shown at all.
 */
export function streamRedactor(
  redact: Redactor,
  show: (progress: ModelProgress) => void,
): (progress: ModelProgress) => void {
  if (redact.longest === 0) return show;
  const held = new Map<string, string>();
  return (progress) => {
    const source = progress.kind === "call" ? `call ${progress.callId}` : progress.kind;
    const text = redact.value(`${held.get(source) ?? ""}${progress.text}`);
    const shown = Math.max(0, text.length - (redact.longest - 1));
    held.set(source, text.slice(shown));
    if (shown > 0) show({ ...progress, text: text.slice(0, shown) });
  };
}
