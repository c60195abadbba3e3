// The body of a prompt: a subset of Mustache without HTML escaping, partials, lambdas or lookups through outer sections.
// What a tag means is settled when it is parsed, never by the values: `input.x` is always the thread's input, and a bare
// name always a member of the innermost object around it.
import type { FailAt } from "./prompt-error.ts";

/** A tag's name. `root` is one of the prompt's own variables; `null` is the innermost value of the sections around it. */
export interface TagName {
  readonly text: string;
  readonly root: string | null;
  readonly path: readonly string[];
}

/** A piece of a parsed template: plain data. */
export type TemplateNode =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "value"; readonly name: TagName; readonly asJson: boolean; readonly line: number }
  | {
      readonly kind: "section";
      readonly name: TagName;
      /** `{{^…}}`: shown when there is nothing. */
      readonly inverted: boolean;
      readonly nodes: readonly TemplateNode[];
      readonly line: number;
    };

/** As text, as JSON, or to repeat or test. */
export type TagUse = "text" | "json" | "section";

export interface TemplateRules {
  /** The line of the file that the text begins at. */
  readonly firstLine: number;
  /** Names that mean the same everywhere, also inside sections; there `.role` is the member of an item. */
  readonly roots: ReadonlySet<string>;
  /** Fails when there is no variable of this name, or it cannot be used like this. */
  readonly checkRoot: (name: TagName, use: TagUse, line: number) => void;
  readonly fail: FailAt;
}

/** Longest name of a variable, in characters: comparing names costs the product of their lengths. */
export const longestName = 200;
/** Sections within sections; the renderer recurses. */
const deepest = 20;

/** @throws `prompt_invalid` with the line: tags that are malformed, unclosed, crossing, unknown or not supported. */
export function parseTemplate(text: string, rules: TemplateRules): readonly TemplateNode[] {
  const nodes: TemplateNode[] = [];
  const open: OpenSection[] = [];
  for (const token of scan(text, rules)) {
    const around = open.at(-1)?.nodes ?? nodes;
    if (token.kind === "text") {
      if (token.text !== "") around.push(token);
    } else if (token.sigil === "/") closeSection(open, token, rules);
    else if (token.sigil === "") around.push(valueNode(token, open, rules));
    else if (token.sigil !== "!") around.push(openSection(open, token, rules));
  }
  const left = open.at(-1)?.tag;
  if (left)
    rules.fail(
      left.line,
      `{{${left.sigil}${left.content}}} is not closed`,
      `Write {{/${left.content}}} where it ends.`,
    );
  return nodes;
}

/** A section whose end is still to come. */
interface OpenSection {
  readonly tag: Tag;
  readonly nodes: TemplateNode[];
}

function openSection(open: OpenSection[], tag: Tag, rules: TemplateRules): TemplateNode {
  const { content, sigil, line } = tag;
  if (open.length >= deepest)
    rules.fail(line, `more than ${deepest} sections within one another`, "Nest less.");
  const name = nameOf(content, "section", { line, open, rules });
  const nodes: TemplateNode[] = [];
  open.push({ tag, nodes });
  return { kind: "section", name, inverted: sigil === "^", nodes, line };
}

function closeSection(open: OpenSection[], { content, line }: Tag, { fail }: TemplateRules): void {
  const last = open.pop();
  if (last?.tag.content === content) return;
  if (!last)
    return fail(line, `{{/${content}}} closes a section that is not open`, "Remove it, or open the section.");
  fail(
    line,
    `{{/${content}}} where {{/${last.tag.content}}} is due: the section of line ${last.tag.line} is still open`,
    "Close sections in the reverse order of their opening.",
  );
}

interface Tag {
  readonly kind: "tag";
  readonly sigil: string;
  readonly content: string;
  readonly line: number;
}

/** What other Mustaches have, by the character after `{{`, and why it is not here. */
const unsupported: ReadonlyMap<string, string> = new Map([
  ["{", "{{{…}}} is not supported: nothing is escaped, so {{…}} is enough"],
  ["&", "{{&…}} is not supported: nothing is escaped, so {{…}} is enough"],
  [">", "{{>…}} is not supported: a prompt is one file"],
  ["=", "{{=…}} is not supported: tags are always {{…}}"],
]);

/** Texts and tags in their order. A section's tag or a comment alone on its line takes the line with it. */
function* scan(
  text: string,
  { firstLine, fail }: TemplateRules,
): Generator<Tag | (TemplateNode & { kind: "text" })> {
  let at = 0; // everything before is done
  let counted = 0; // lines are counted up to here
  let line = firstLine;
  for (let start = text.indexOf("{{"); start >= 0; start = text.indexOf("{{", at)) {
    for (; counted < start; counted++) if (text[counted] === "\n") line += 1;
    let slashes = 0;
    while (start - slashes > at && text[start - slashes - 1] === "\\") slashes += 1;
    const before = text.slice(at, start - Math.ceil(slashes / 2)); // each two are one
    if (slashes % 2 === 1) {
      yield { kind: "text", text: `${before}{{` };
      at = start + 2;
      continue;
    }
    const close = text.indexOf("}}", start + 2);
    const tag = readTag(close < 0 ? null : text.slice(start + 2, close), line, fail);
    const end = close + 2;
    const whole = tag.sigil === "" ? null : ownLine(text, at, start, end);
    yield { kind: "text", text: whole ? text.slice(at, whole.start) : before };
    yield tag;
    at = whole ? whole.end : end;
  }
  yield { kind: "text", text: text.slice(at) };
}

function readTag(inner: string | null, line: number, fail: FailAt): Tag {
  const literal = "For a literal {{ write \\{{.";
  const isComment = inner?.startsWith("!");
  if (inner === null || inner.includes("{{") || (!isComment && inner.includes("\n")))
    return fail(line, "a tag is opened by {{ and not closed by }}", `Close it. ${literal}`);
  const first = inner.charAt(0);
  const refused = unsupported.get(first);
  if (refused !== undefined)
    fail(line, refused, `Write {{name}}, {{#name}}…{{/name}} or {{^name}}…{{/name}}. ${literal}`);
  const sigil = "#^/!".includes(first) ? first : "";
  return { kind: "tag", sigil, content: inner.slice(sigil.length).trim(), line };
}

/** The line that a tag has for itself, with its line feed; `null` when it shares it. */
function ownLine(
  text: string,
  from: number,
  start: number,
  end: number,
): { start: number; end: number } | null {
  let first = start;
  while (first > from && isBlank(text[first - 1])) first -= 1;
  let last = end;
  while (isBlank(text[last])) last += 1;
  const begins = first === 0 || text[first - 1] === "\n";
  if (!begins || (last < text.length && text[last] !== "\n")) return null;
  return { start: first, end: Math.min(last + 1, text.length) };
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

function valueNode({ content, line }: Tag, open: readonly OpenSection[], rules: TemplateRules): TemplateNode {
  const [, name] = /^json\s+(.*)$/.exec(content) ?? [];
  return {
    kind: "value",
    name: nameOf(name ?? content, name === undefined ? "text" : "json", { line, open, rules }),
    asJson: name !== undefined,
    line,
  };
}

const segment = String.raw`[\p{L}\p{N}_$-]+`;
const wellFormed = new RegExp(String.raw`^(?:\.|\.?${segment}(?:\.${segment})*)$`, "u");

interface Surroundings {
  readonly line: number;
  readonly open: readonly OpenSection[];
  readonly rules: TemplateRules;
}

function nameOf(text: string, use: TagUse, { line, open, rules }: Surroundings): TagName {
  if (text.length > longestName || !wellFormed.test(text))
    rules.fail(
      line,
      `${JSON.stringify(text.slice(0, 80))} is no name of a variable`,
      "A name is letters, digits, _, $ and -, with dots between: {{input.order.id}}. There are no expressions, helpers or filters but {{json name}}.",
      text.slice(0, 80),
    );
  const isRelative = text.startsWith(".");
  const [first, ...rest] = text.split(".").filter((part) => part !== "");
  const isInside = open.some(({ tag }) => tag.sigil === "#");
  if (isInside && (isRelative || !rules.roots.has(first ?? "")))
    return { text, root: null, path: first === undefined ? [] : [first, ...rest] };
  const name = { text, root: isRelative ? null : (first ?? null), path: rest };
  rules.checkRoot(name, use, line);
  return name;
}
