// What a model was given is kept exactly, and once: by the hash of each part, as a difference from the call before in its
// thread. A turn that was shown whole is not kept a second time, since its events have it.
import type { WindowPart, WindowRecord } from "../events.ts";
import type { ThreadState } from "../state.ts";
import type { Part } from "./parts.ts";

/** The JSON of a part by its SHA-256, kept as an artifact. */
export interface PartText {
  readonly digest: string;
  readonly text: string;
}

/** Longer texts are artifacts, which threads share; shorter ones stand in the event. */
const longestInline = 1_000;

export function recordParts(
  { lastWindow, windows }: ThreadState,
  parts: readonly Part[],
  requestText: string,
): {
  readonly difference: NonNullable<WindowRecord["parts"]>;
  readonly texts: readonly PartText[];
} {
  const from = lastWindow?.seq ?? 0;
  const before = windows.get(from) ?? [];
  let keep = 0;
  while (keep < before.length && keep < parts.length && isSame(before[keep], parts[keep])) keep += 1;
  const texts: PartText[] = [];
  const add = parts.slice(keep).map((part): WindowPart => {
    const { kind, name, seqs, tokens, treatment, digest } = part;
    const recorded: WindowPart = {
      kind,
      ...(name === undefined ? {} : { name }),
      ...(seqs === undefined ? {} : { seqs }),
      tokens,
      treatment,
      digest,
    };
    if (isPlain(part)) return { ...recorded, plain: true };
    const text = kind === "request" ? requestText : JSON.stringify(part.messages);
    if (text.length <= longestInline) return { ...recorded, text };
    texts.push({ digest, text });
    return recorded;
  });
  return { difference: { from, keep, add }, texts };
}

function isSame(recorded: WindowPart | undefined, part: Part | undefined): boolean {
  return (
    recorded !== undefined &&
    part !== undefined &&
    recorded.digest === part.digest &&
    recorded.kind === part.kind &&
    recorded.name === part.name &&
    recorded.treatment === part.treatment &&
    recorded.tokens === part.tokens &&
    recorded.seqs?.[0] === part.seqs?.[0] &&
    recorded.seqs?.[1] === part.seqs?.[1]
  );
}

/** A turn in the messages of a conversation, shown whole: what its events say. */
function isPlain({ kind, treatment, messages }: Part): boolean {
  const [first] = messages;
  return kind === "turn" && treatment === "kept" && first?.role === "assistant" && first.calls.length > 0;
}
