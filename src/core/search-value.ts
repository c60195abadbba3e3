// Where a text occurs in a value. Plain text, whatever its case: a regular expression that a model writes may take for ever.
import { isArray } from "./describe-value.ts";
import type { Json } from "./json.ts";
import { formatNode, type PathNode } from "./json-path.ts";
import { splitsPair } from "./shown-length.ts";

/** Characters that are shown on each side of what was found. */
const context = 80;

/** Lower case of the same length, whatever the locale: positions in it are positions in the text. */
function folded(text: string): string {
  return text.replaceAll("\u0130", "i").toLowerCase(); // the one character whose lower case is longer
}

/** Places in the value where `search` occurs, in order: lines of a text, else members and elements by their path. */
export function findText(value: Json, search: string): Iterable<Json> {
  const wanted = folded(search);
  return typeof value === "string" ? matchingLines(value, wanted) : matchingNodes(value, wanted);
}

function* matchingLines(text: string, wanted: string): Generator<Json> {
  const lower = folded(text);
  let line = 1;
  let counted = 0;
  for (let at = lower.indexOf(wanted); at >= 0; ) {
    for (let end = text.indexOf("\n", counted); end >= 0 && end < at; end = text.indexOf("\n", counted)) {
      line += 1;
      counted = end + 1;
    }
    const lineEnd = text.indexOf("\n", at);
    const from = Math.max(counted, at - context);
    const to = Math.min(lineEnd < 0 ? text.length : lineEnd, at + wanted.length + context);
    yield { line, at, text: excerpt(text, from, to) };
    at = lower.indexOf(wanted, Math.max(to, at + wanted.length)); // a line without an end counts once per excerpt
  }
}

function excerpt(text: string, from: number, to: number): string {
  const start = splitsPair(text, from) ? from + 1 : from;
  const end = splitsPair(text, to) ? to - 1 : to;
  const before = start > 0 && text[start - 1] !== "\n" ? "…" : "";
  const after = end < text.length && text[end] !== "\n" ? "…" : "";
  return `${before}${text.slice(start, end)}${after}`;
}

function* matchingNodes(value: Json, wanted: string): Generator<Json> {
  for (const node of allNodes(value)) {
    const { value: inner } = node;
    const isNamed = typeof node.key === "string" && folded(node.key).includes(wanted);
    if (typeof inner === "string") {
      const at = folded(inner).indexOf(wanted);
      if (at < 0 && !isNamed) continue;
      const from = Math.max(0, at - context);
      const shown = excerpt(inner, from, Math.min(inner.length, Math.max(at, 0) + wanted.length + context));
      yield { path: formatNode(node), ...(from > 0 ? { at } : {}), text: shown };
    } else if (typeof inner !== "object" || inner === null) {
      if (isNamed || folded(String(inner)).includes(wanted)) yield { path: formatNode(node), value: inner };
    } else if (isNamed) yield { path: formatNode(node) };
  }
}

/** Every value inside a value, in the order of its text; without recursion, so that no depth is too much. */
function* allNodes(value: Json): Generator<PathNode> {
  const open: Iterator<PathNode>[] = [innerOf({ value, parent: null, key: "" })];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { value: node, done } = top.next();
    if (done) open.pop();
    else {
      yield node;
      open.push(innerOf(node));
    }
  }
}

function* innerOf(parent: PathNode): Generator<PathNode, undefined> {
  const { value } = parent;
  if (typeof value !== "object" || value === null) return;
  if (isArray(value)) for (const [key, inner] of value.entries()) yield { value: inner, parent, key };
  else for (const key of Object.keys(value)) yield { value: value[key] ?? null, parent, key };
}
