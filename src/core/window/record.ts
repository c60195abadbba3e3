// What a model was given is kept exactly, and once: by the hash of each part, as a difference from the call before in its
// thread. A turn that was shown whole is not kept a second time, since its events have it.

import type { Json } from "../json.ts";
import type { ThreadState } from "../state.ts";
import type { Part } from "./parts.ts";
import type { SharedParts, WindowPart, WindowRecord } from "./window-record.ts";

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
  const before = windows.get(from) ?? [];
  const start = sharedStart(before, parts);
  const list: (SharedParts | WindowPart)[] = start === 0 ? [] : [[0, start]];
  const places = placesFrom(before, start);
  const texts: PartText[] = [];
  for (const part of parts.slice(start)) {
    const place = places.get(part.digest);
    if (place !== undefined && isSame(before[place], part)) share(list, place);
    else list.push(recorded(part, requestContent, texts));
  }
  return { parts: { from: before.length === 0 ? 0 : from, list }, texts };
}

/** How many parts, from the first on, are as they were: between compactions all but the newest. */
function sharedStart(before: readonly WindowPart[], parts: readonly Part[]): number {
  let start = 0;
  while (start < before.length && isSame(before[start], parts[start])) start += 1;
  return start;
}

function placesFrom(before: readonly WindowPart[], start: number): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (let place = start; place < before.length; place += 1) {
    const digest = before[place]?.digest;
    if (digest !== undefined) places.set(digest, place);
  }
  return places;
}

/** Such parts read the same, word for word, and are told of in the same way. */
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
  if (part.isPlain) return { ...about, plain: true };
  const content = kind === "request" ? requestContent : (part.messages as unknown as Json); // messages are JSON
  const text = JSON.stringify(content);
  if (text.length <= longestInline) return { ...about, content };
  texts.push({ digest, text });
  return about;
}
