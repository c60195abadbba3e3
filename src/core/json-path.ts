// A small part of JSONPath (RFC 9535), for paths that a model writes: names, indices (from the end with a minus), slices
// and `*`. Left out on purpose: `..` and filters, whose results and regular expressions have no bound in time; each
// step here looks at a value once. It knows what the standard does not say: where a path that finds nothing went wrong.
import { describeValue, isArray, isJsonText } from "./describe-value.ts";
import type { Json } from "./json.ts";
import { headWithin } from "./shown-length.ts";

export type PathStep =
  | { readonly kind: "member"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "slice"; readonly from: number; readonly to: number }
  | { readonly kind: "all" };

export type ParsedPath =
  | { readonly ok: true; readonly steps: readonly PathStep[] }
  | { readonly ok: false; readonly why: string };

/** A value and how it was come to; the path is put into words only for values that are shown. */
export interface PathNode {
  readonly value: Json;
  readonly parent: PathNode | null;
  readonly key: string | number;
}

export type PathResult =
  | { readonly ok: true; readonly nodes: readonly PathNode[]; readonly isOne: boolean }
  /** `has`: names that there are where the path went wrong. */
  | { readonly ok: false; readonly why: string; readonly has?: readonly string[] };

/** More matches than anybody reads. */
const mostNodes = 100_000;
const namesShown = 30;

const grammar = "A path is made of .name, ['name'], [0], [-1], [2:5] and [*], such as $.orders[0].id.";

type Reader = readonly [pattern: RegExp, step: (match: RegExpExecArray) => PathStep];

const readers: readonly Reader[] = [
  [/\.?\[\s*\*\s*\]|\.\*/y, () => ({ kind: "all" })],
  [/\.?\[\s*(-?\d{1,15})\s*\]/y, ([, index]) => ({ kind: "index", index: Number(index) })],
  [
    /\.?\[\s*(-?\d{1,15})?\s*:\s*(-?\d{1,15})?\s*\]/y,
    ([, from, to]) => ({
      kind: "slice",
      from: Number(from ?? 0),
      to: to === undefined ? Number.POSITIVE_INFINITY : Number(to),
    }),
  ],
  [/\.?\[\s*'((?:[^'\\]|\\.)*)'\s*\]/y, ([, name = ""]) => member(unescaped(name))],
  [/\.?\[\s*"((?:[^"\\]|\\.)*)"\s*\]/y, ([, name = ""]) => member(unescaped(name))],
  [/\.([^\s.[\]()'"*?@]+)/y, ([, name = ""]) => member(name)],
];

function member(name: string): PathStep {
  return { kind: "member", name };
}

function unescaped(name: string): string {
  return name.replace(/\\(.)/g, "$1");
}

/** Reads a path. `$` at its start may be missing. */
export function parsePath(path: string): ParsedPath {
  const text = normalised(path.trim());
  const steps: PathStep[] = [];
  let at = 0;
  while (at < text.length) {
    const read = readStep(text, at);
    if (!read) return { ok: false, why: `${quoted(text.slice(at))} cannot be read in a path. ${grammar}` };
    steps.push(read.step);
    at = read.end;
  }
  return { ok: true, steps };
}

function normalised(path: string): string {
  const rest = path.startsWith("$") ? path.slice(1) : path;
  return rest === "" || rest.startsWith(".") || rest.startsWith("[") ? rest : `.${rest}`;
}

function readStep(text: string, at: number): { readonly step: PathStep; readonly end: number } | null {
  for (const [pattern, step] of readers) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return { step: step(match), end: pattern.lastIndex };
  }
  return null;
}

/** What a path leads to. A text that is JSON itself is entered: what services answer is often kept as it came. */
export function followPath(value: Json, steps: readonly PathStep[]): PathResult {
  let nodes: readonly PathNode[] = [{ value, parent: null, key: "" }];
  for (const step of steps) {
    const next: PathNode[] = [];
    for (const node of nodes) {
      for (const inner of innerNodes(opened(node), step)) {
        if (next.length === mostNodes)
          return {
            ok: false,
            why: `the path leads to more than ${mostNodes} values; use an index or a slice`,
          };
        next.push(inner);
      }
    }
    const [first] = nodes;
    if (next.length === 0 && first) return lost(opened(first), step);
    nodes = next;
  }
  const isOne = steps.every(({ kind }) => kind === "member" || kind === "index");
  return { ok: true, nodes, isOne };
}

function opened(node: PathNode): PathNode {
  const { value } = node;
  return typeof value === "string" && isJsonText(value)
    ? { ...node, value: JSON.parse(value) as Json } // isJsonText
    : node;
}

function* innerNodes(parent: PathNode, step: PathStep): Generator<PathNode> {
  const { value } = parent;
  if (typeof value !== "object" || value === null) return;
  if (isArray(value)) {
    const [from, to] = rangeOf(step, value.length);
    for (let key = from; key < to; key++) yield { value: value[key] ?? null, parent, key };
    return;
  }
  const keys = step.kind === "all" ? Object.keys(value) : step.kind === "member" ? [step.name] : [];
  for (const key of keys) if (Object.hasOwn(value, key)) yield { value: value[key] ?? null, parent, key };
}

function rangeOf(step: PathStep, length: number): readonly [from: number, to: number] {
  const fromEnd = (index: number): number =>
    index < 0 ? Math.max(0, length + index) : Math.min(index, length);
  switch (step.kind) {
    case "all":
      return [0, length];
    case "slice":
      return [fromEnd(step.from), fromEnd(step.to)];
    case "index":
      return step.index >= length || step.index < -length
        ? [0, 0]
        : [fromEnd(step.index), fromEnd(step.index) + 1];
    case "member":
      return [0, 0];
    default:
      return step satisfies never;
  }
}

/** Says what there is at the place where a path found nothing. */
function lost(node: PathNode, step: PathStep): PathResult {
  const { value } = node;
  const what = `${formatNode(node)} is ${withArticle(describeValue(value))}`;
  if (typeof value !== "object" || value === null) return { ok: false, why: `${what}; nothing is inside it` };
  if (isArray(value)) {
    const hint = step.kind === "member" ? `; its elements are at [0] to [${value.length - 1}], or [*]` : "";
    return { ok: false, why: `${what}${value.length === 0 ? "" : hint}` };
  }
  const has = Object.keys(value)
    .slice(0, namesShown)
    .map((key) => headWithin(key, 60));
  return { ok: false, why: step.kind === "member" ? `${what}; it has no ${quoted(step.name)}` : what, has };
}

function withArticle(kind: string): string {
  if (kind === "null" || kind.startsWith("text") || kind.startsWith("base64")) return kind;
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${headWithin(text, 60)}…` : text);
}

/** The path of a node, such as `$.orders[0]['first name']`. */
export function formatNode(node: PathNode): string {
  const keys: string[] = [];
  for (let at: PathNode = node; at.parent !== null; at = at.parent) keys.push(formatKey(at.key));
  return `$${keys.reverse().join("")}`;
}

function formatKey(key: string | number): string {
  if (typeof key === "number") return `[${key}]`;
  return /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `['${key.replace(/[\\']/g, "\\$&")}']`;
}
