// What a model was given is kept exactly, and once: by the hash of each part, as a difference from the call before in its
// thread. A turn that was shown whole is not kept a second time, since its events have it.
import type { SharedParts, WindowPart, WindowRecord } from "../events.ts";
import type { Json } from "../json.ts";
import type { ThreadState } from "../state.ts";
import type { Part } from "./parts.ts";

/** The JSON of a part by its SHA-256, kept as an artifact. */
export interface PartText {
  readonly digest: string;
  readonly text: string;
}

/** Longer texts are artifacts, which threads share; shorter ones stand in the event. */
const longestInline = 1_000;

/** @param requestContent what the part of kind `request` stands for */
export function recordParts(
  { lastWindow, windows }: ThreadState,
  parts: readonly Part[],
  requestContent: Json,
): { readonly parts: NonNullable<WindowRecord["parts"]>; readonly texts: readonly PartText[] } {
  const from = lastWindow?.seq ?? 0;
  const places = new Map((windows.get(from) ?? []).map((part, place) => [identityOf(part), place]));
  const list: (SharedParts | WindowPart)[] = [];
  const texts: PartText[] = [];
  for (const part of parts) {
    const place = places.get(identityOf(part));
    if (place !== undefined) share(list, place);
    else list.push(recorded(part, requestContent, texts));
  }
  return { parts: { from: places.size === 0 ? 0 : from, list }, texts };
}

/** Parts of one identity read the same, word for word. */
function identityOf({
  kind,
  name = "",
  seqs = [0, 0],
  treatment,
  tokens,
  digest,
}: Part | WindowPart): string {
  return `${kind} ${name} ${seqs[0]} ${seqs[1]} ${treatment} ${tokens} ${digest}`;
}

function share(list: (SharedParts | WindowPart)[], place: number): void {
  const last = list.at(-1);
  if (Array.isArray(last) && last[0] + last[1] === place) list[list.length - 1] = [last[0], last[1] + 1];
  else list.push([place, 1]);
}

function recorded(part: Part, requestContent: Json, texts: PartText[]): WindowPart {
  const { kind, name, seqs, tokens, treatment, digest } = part;
  const about: WindowPart = {
    kind,
    ...(name === undefined ? {} : { name }),
    ...(seqs === undefined ? {} : { seqs }),
    tokens,
    treatment,
    digest,
  };
  if (isPlain(part)) return { ...about, plain: true };
  const content = kind === "request" ? requestContent : (part.messages as unknown as Json); // messages are JSON
  const text = JSON.stringify(content);
  if (text.length <= longestInline) return { ...about, content };
  texts.push({ digest, text });
  return about;
}

/** A turn in the messages of a conversation, shown whole: what its events say. */
function isPlain({ kind, treatment, messages }: Part): boolean {
  const [first] = messages;
  return kind === "turn" && treatment === "kept" && first?.role === "assistant" && first.calls.length > 0;
}
