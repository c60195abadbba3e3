// Values of one thread by reference. Nothing else can be read: a reference of another thread is not found here.
import { refOf } from "./artifact-ref.ts";
import { HoldpointError } from "./errors.ts";
import type { ArtifactRef, Stored } from "./events.ts";
import { deepFreeze, type Json } from "./json.ts";
import type { KeptValue, ThreadState } from "./state.ts";

/** Text of large values by digest: loaded before a replay, since a replay performs nothing. */
export type Artifacts = ReadonlyMap<string, string>;

interface ValueIndex {
  /** How many of the state's values are in it. */
  upTo: number;
  readonly byRef: Map<string, KeptValue>;
}

/** Recomputable. Built at the first look-up and grown by what came since, so that each value is hashed once. */
const indexes = new WeakMap<ThreadState, ValueIndex>();

function indexOf(state: ThreadState): ValueIndex["byRef"] {
  const index = indexes.get(state) ?? { upTo: 0, byRef: new Map<string, KeptValue>() };
  indexes.set(state, index);
  for (const kept of state.values.slice(index.upTo)) {
    const ref = refOf(kept.stored);
    if (ref !== null && !index.byRef.has(ref)) index.byRef.set(ref, kept);
  }
  index.upTo = state.values.length;
  return index.byRef;
}

/**
 * The first value of the thread with this reference, among those that its log holds up to `upToSeq` (default: all).
 *
 * @throws `artifact_missing`, naming the references that there are.
 */
export function findValue(
  state: ThreadState,
  ref: string,
  upToSeq: number = Number.POSITIVE_INFINITY,
): KeptValue {
  const index = indexOf(state);
  const found = index.get(ref.trim());
  if (found && found.seq <= upToSeq) return found;
  const known = [...index].filter(([, { seq }]) => seq <= upToSeq);
  throw new HoldpointError("artifact_missing", `there is no ${refName(ref)} in this thread`, {
    fix: known.length === 0 ? "No value of it is large enough to have a reference." : listKnown(known),
  });
}

/** As many references as an error names: the newest, since those are what somebody may have meant. */
const mostNamed = 10;

function listKnown(known: readonly (readonly [string, KeptValue])[]): string {
  const named = known.slice(-mostNamed).map(([ref, { from }]) => `${ref} (${from.slice(0, 80)})`);
  const which = known.length > mostNamed ? `The newest ${mostNamed} of ${known.length}` : "There are";
  return `${which}: ${named.join(", ")}.`;
}

/** What was asked for may be anything that a model wrote. */
function refName(ref: string): string {
  return /^art_[0-9a-f]{16}$/.test(ref.trim())
    ? `value ${ref.trim()}`
    : `value ${JSON.stringify(ref.slice(0, 40))}`;
}

/**
 * A stored value, frozen; `undefined` for none.
 *
 * @throws `artifact_missing` when the text of a large one is not among `artifacts`.
 */
export function storedValue(stored: Stored, artifacts: Artifacts): Json | undefined {
  if (!stored.artifact) return deepFreeze(stored.value);
  return deepFreeze(JSON.parse(textOf(stored.artifact, artifacts)) as Json); // a Json's text, by its digest
}

function textOf({ digest }: ArtifactRef, artifacts: Artifacts): string {
  const text = artifacts.get(digest);
  if (text !== undefined) return text;
  throw new HoldpointError("artifact_missing", `artifact ${digest} was not loaded`);
}

/** The value that a reference names, frozen. @throws `artifact_missing`, as `findValue` */
export function valueByRef(state: ThreadState, artifacts: Artifacts, ref: string, upToSeq?: number): Json {
  return storedValue(findValue(state, ref, upToSeq).stored, artifacts) ?? null;
}

/** A copy of it, which its reader may change. @throws as `valueByRef` */
export function copyByRef(state: ThreadState, artifacts: Artifacts, ref: string): Json {
  const { artifact, value } = findValue(state, ref).stored;
  return JSON.parse(artifact ? textOf(artifact, artifacts) : JSON.stringify(value)) as Json; // a Json's text
}
