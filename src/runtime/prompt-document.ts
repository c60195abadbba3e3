import type { ExactInput } from "../core/window/exact-input.ts";

/** What a model call was given, as `holdpoint prompt --json` and the HTTP service show it. */
export function promptDocument(threadId: string, shown: ExactInput): Readonly<Record<string, unknown>> {
  const { event, record, parts, input } = shown;
  const { parts: _difference, ...window } = record;
  return {
    threadId,
    seq: event.seq,
    key: event.key,
    attempt: event.attempt,
    model: event.model,
    usage: event.usage,
    window,
    parts: parts.map(({ content: _content, ...part }) => part),
    input,
  };
}
