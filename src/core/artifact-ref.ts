// A large value is shown by reference: what it is, how large, and what is worth seeing of it. The reference follows
// from the value's JSON text alone, so it is the same whether the value stands in an event or in the store.
import { describeValue } from "./describe-value.ts";
import { sha256 } from "./digest.ts";
import type { ArtifactRef, Stored } from "./events.ts";
import { defineMember, type Json } from "./json.ts";
import { previewOf } from "./preview.ts";
import { headWithin, shownJson } from "./shown-length.ts";

/** Values whose JSON has at most this many characters have no reference: showing them costs little more. */
const leastReferenced = 200;

/** The built-in tool by which a model reads what it is shown by reference. */
export const readerName = "read_artifact";

/** Hex digits of the digest in a reference: 64 bits tell the values of one thread apart. */
const digits = 16;
/** Room of the preview that an event keeps beside a large value's digest. */
const keptPreview = 1_000;

/** The reference of the value with this SHA-256 of its JSON text: `art_` and 16 hex digits. */
export function refOfDigest(digest: string): string {
  return `art_${digest.slice(0, digits)}`;
}

/** The reference of a value by its JSON text, as `JSON.stringify` writes it. */
export function refOfText(text: string): string {
  return refOfDigest(sha256(text));
}

/** What an event keeps of a value that the store holds, so that a window needs nothing but events. */
export function artifactRefOf(value: Json, text: string, bytes: number): ArtifactRef {
  return {
    digest: sha256(text),
    bytes,
    kind: describeValue(value),
    preview: shownJson(previewOf(value, keptPreview)),
  };
}

/** Recomputable: the same stored value is hashed once. */
const refs = new WeakMap<Stored, string | null>();

/** The reference of a stored value; `null` for one that is too small to have any. */
export function refOf(stored: Stored): string | null {
  const known = refs.get(stored);
  if (known !== undefined) return known;
  const ref = stored.artifact ? refOfDigest(stored.artifact.digest) : refOfValue(stored.value);
  refs.set(stored, ref);
  return ref;
}

function refOfValue(value: Json | undefined): string | null {
  const text = value === undefined ? "" : JSON.stringify(value);
  return text.length <= leastReferenced ? null : refOfText(text);
}

/**
 * The JSON text that a window shows in place of a large value, of at most `maxCharacters`:
 * `{"artifact":"art_…","bytes":…,"kind":"array of 120 objects (id, total)","preview":[…]}`. With little room the
 * preview goes, then the kind; the reference and the size (some 60 characters) always stay.
 */
export function renderReference(stored: Stored, maxCharacters: number): string {
  const { ref, bytes, kind, value } = contentsOf(stored);
  const reference: Record<string, Json> = { artifact: ref, bytes };
  const nameRoom = maxCharacters - shownJson({ ...reference, kind: "" }).length;
  if (nameRoom >= 16) defineMember(reference, "kind", headWithin(kind, nameRoom));
  const room = maxCharacters - shownJson(reference).length - ',"preview":'.length;
  if (room >= 32) defineMember(reference, "preview", previewOf(value, room));
  return shownJson(reference);
}

function contentsOf({ artifact, value = null }: Stored): {
  readonly ref: string;
  readonly bytes: number;
  readonly kind: string;
  readonly value: Json;
} {
  if (artifact) {
    const preview = previewIn(artifact);
    const kind = artifact.kind ?? kindOfStart(artifact.preview);
    return { ref: refOfDigest(artifact.digest), bytes: artifact.bytes, kind, value: preview };
  }
  const text = JSON.stringify(value);
  return { ref: refOfText(text), bytes: Buffer.byteLength(text), kind: describeValue(value), value };
}

/** Older logs keep the start of the JSON text, which seldom is JSON itself. */
function previewIn({ preview }: ArtifactRef): Json {
  try {
    return JSON.parse(preview) as Json; // what JSON.parse returns
  } catch {
    return preview;
  }
}

function kindOfStart(text: string): string {
  const kinds: { readonly [start: string]: string } = { "{": "object", "[": "array", '"': "text" };
  return kinds[text.charAt(0)] ?? "value";
}
