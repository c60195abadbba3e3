// Where the arguments of an action come from: each id, address and number is looked up, word for word, in what the
// thread was given before. What is nowhere was made up by whoever made the call.
import type { ArgumentSource } from "./events.ts";
import type { Json } from "./json.ts";
import type { ThreadState } from "./state.ts";
import type { Artifacts } from "./thread-values.ts";

/** Shorter leaves occur anywhere; longer ones were written, not copied. */
const leastCharacters = 3;
const mostCharacters = 200;
/** Who shows as many says that there may be more. */
export const mostLeaves = 40;
/** Characters of the log's values that are searched, oldest first: some 20 ms for 40 leaves. */
const mostSearched = 500_000;

interface Leaf {
  readonly path: string;
  readonly text: string;
}

/** The first place in the log of each short string and number of `args`, which validation made of `requested`. */
export function argumentSources(
  state: ThreadState,
  artifacts: Artifacts,
  { args, requested = args }: { readonly args: Json; readonly requested?: Json | undefined },
): readonly ArgumentSource[] {
  const leaves = leavesOf(args);
  const asked = new Set(leavesOf(requested).map(({ text }) => text));
  const found = new Map<string, ArgumentSource["found"]>();
  const wanted = new Set(leaves.map(({ text }) => text));
  let room = mostSearched;
  for (const { seq, from, stored } of state.values) {
    if (wanted.size === 0 || room <= 0) break;
    if (state.operations.get(from)?.child?.seq === seq) continue; // what a child was given, not what it gave
    const texts = textsOf(stored.artifact ? parsed(artifacts.get(stored.artifact.digest)) : stored.value);
    for (const text of texts) {
      const searched = text.slice(0, room);
      room -= searched.length;
      for (const leaf of wanted) {
        if (!occursIn(searched, leaf)) continue;
        found.set(leaf, { seq, from });
        wanted.delete(leaf);
      }
      if (room <= 0) break;
    }
  }
  return leaves.map(({ path, text }) => {
    const isFilledIn = !asked.has(text) && !found.has(text);
    return { path, found: found.get(text) ?? null, ...(isFilledIn ? { filledIn: true } : {}) };
  });
}

function leavesOf(value: Json): readonly Leaf[] {
  const leaves: Leaf[] = [];
  collectLeaves(value, "", leaves);
  return leaves;
}

function collectLeaves(value: Json, path: string, leaves: Leaf[]): void {
  if (leaves.length >= mostLeaves) return;
  if (typeof value === "string" || typeof value === "number") {
    const text = String(value).trim();
    if (text.length >= leastCharacters && text.length <= mostCharacters)
      leaves.push({ path: path === "" ? "(all)" : path.slice(0, mostCharacters), text });
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collectLeaves(item, `${path}[${index}]`, leaves);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value))
    collectLeaves(member, path === "" ? name : `${path}.${name}`, leaves);
}

function parsed(text: string | undefined): Json | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Json); // a Json's text, by its digest
}

/** Every string and number in a value, members' names too; in parts, so that no long text is put together. */
function* textsOf(value: Json | undefined): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "number") yield String(value);
  else if (Array.isArray(value)) for (const item of value) yield* textsOf(item);
  else if (typeof value === "object" && value !== null)
    for (const [name, member] of Object.entries(value)) {
      yield name;
      yield* textsOf(member);
    }
}

/** As a whole: `dana@example.com` is neither in `not-dana@example.com` nor in `dana@example.com.evil.test`. */
function occursIn(text: string, leaf: string): boolean {
  for (let at = text.indexOf(leaf); at >= 0; at = text.indexOf(leaf, at + 1)) {
    const end = at + leaf.length;
    if (!joinsBefore(text, at) && !joinsAfter(text, end)) return true;
  }
  return false;
}

const wordCharacter = /[\p{L}\p{N}\p{M}_@+-]/u;

function joinsBefore(text: string, at: number): boolean {
  const before = text.charAt(at - 1);
  if (/[.,]/.test(before)) return /\p{N}/u.test(text.charAt(at - 2)) && /\p{N}/u.test(text.charAt(at));
  return wordCharacter.test(before) && wordCharacter.test(text.charAt(at));
}

/** A dot may end a sentence; before a letter or a digit it goes on. */
function joinsAfter(text: string, end: number): boolean {
  const after = text.charAt(end);
  if (/[.,]/.test(after)) return /[\p{L}\p{N}]/u.test(text.charAt(end + 1));
  return wordCharacter.test(after) && wordCharacter.test(text.charAt(end - 1));
}
