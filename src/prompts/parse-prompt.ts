import { deepFreeze } from "../core/json.ts";
import { nearest } from "../core/nearest.ts";
import { type PromptTemplate, promptVersion } from "../core/prompt/prompt.ts";
import { type FailAt, failIn } from "../core/prompt/prompt-error.ts";
import { parseTemplate, type TagName, type TagUse } from "../core/prompt/template.ts";
import { type FrontMatter, readFrontMatter } from "./front-matter.ts";

type Front = Omit<FrontMatter, "lines">;

/** What the front matter holds for the body to show. */
const ownNames = ["role", "ask", "errors"] as const;
type OwnName = (typeof ownNames)[number];

function isOwn(name: string): name is OwnName {
  return ownNames.some((own) => own === name);
}

/** Longest prompt, in characters: some 60,000 tokens, more than belongs before every decision. */
export const longestPrompt = 262_144;

/**
 * Parses the text of a prompt: YAML front matter between two lines `---`, if any, and the body below it. Pure.
 *
 * @param name for messages and the log, such as `support-desk.prompt.md`. Default "prompt".
 * @throws `prompt_invalid` naming the line.
 */
export function parsePrompt(text: string, name = "prompt"): PromptTemplate {
  const fail = failIn(name);
  const source = normalized(text, fail);
  const { yaml, body, bodyLine } = split(source, fail);
  const { lines, ...front } = readFrontMatter(yaml, fail);
  if (body === "") fail(bodyLine, "there is no text for the model", "Write it below the front matter.");
  const used = new Set<string | null>();
  const nodes = parseTemplate(body, {
    firstLine: bodyLine,
    roots: new Set(["input", ...ownNames]),
    fail,
    checkRoot(tag, use, line) {
      checkName(tag, use, line, front, fail);
      used.add(tag.root);
    },
  });
  for (const key of ownNames) {
    if (front[key] !== undefined && !used.has(key))
      fail(
        lines.get(key) ?? 1,
        `${key} is set, and the body does not show it`,
        showing(key, front[key]),
        key,
      );
  }
  return deepFreeze({ name, version: promptVersion(source), ...front, nodes });
}

/** Nothing is added to a prompt that its body does not name; so what it does not name would be lost. */
function showing(key: OwnName, value: Front[OwnName]): string {
  const tags =
    typeof value === "string" ? `{{${key}}}` : `{{#${key}}}, - {{.}} and {{/${key}}} on three lines`;
  return `Write ${tags} where the model is to read it, or remove ${key}.`;
}

/** As an editor on another system would have saved it: the version is of the content, not of line ends. */
function normalized(text: string, fail: FailAt): string {
  if (text.length > longestPrompt)
    fail(
      1,
      `the prompt is longer than ${longestPrompt} characters`,
      "Show what is large with `see`, or as an artifact.",
    );
  const source = text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  const broken = source.search(/\p{Surrogate}/u);
  if (broken >= 0)
    fail(
      lineOf(source, broken),
      "half a character (a lone surrogate) is in the text",
      "Save the text as UTF-8.",
    );
  return source;
}

interface Parts {
  readonly yaml: string;
  /** Without the blank lines around it. */
  readonly body: string;
  readonly bodyLine: number;
}

function split(source: string, fail: FailAt): Parts {
  const opened = /^---[ \t]*\n/.exec(source);
  const rest = source.slice(opened?.[0].length ?? 0);
  const closed = opened ? /^---[ \t]*(?:\n|$)/m.exec(rest) : null;
  if (opened && !closed)
    fail(1, "the front matter is opened by --- and not closed", "Close it with a line ---.");
  const yaml = closed ? rest.slice(0, closed.index) : "";
  const below = closed ? rest.slice(closed.index + closed[0].length) : rest;
  const blank = /^(?:[ \t]*\n)*/.exec(below)?.[0].length ?? 0;
  const start = source.length - below.length + blank;
  return { yaml, body: source.slice(start).trimEnd(), bodyLine: lineOf(source, start) };
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** What a body may name: the front matter's own, and of the input what is declared, where anything is. */
function checkName(name: TagName, use: TagUse, line: number, front: Front, fail: FailAt): void {
  const { text, root } = name;
  if (root === "input" && declares(front, text)) return;
  if (root !== null && isOwn(root)) return checkOwn(root, text, use, line, front, fail);
  if (root === null)
    fail(
      line,
      `{{${text}}} is outside of a section`,
      "It is the item of a section {{#name}}…{{/name}}.",
      text,
    );
  const declared = front.variables.map((variable) => variable.name);
  const known = [
    ...(declared.length > 0 ? declared : ["input"]),
    ...ownNames.filter((own) => front[own] !== undefined),
  ];
  const near = [
    ...nearest(text, known),
    ...nearest(root, root === "input" ? [] : ["input"]).map((right) => text.replace(root, right)),
  ];
  const advice =
    near.length > 0
      ? `Did you mean ${[...new Set(near)].join(" or ")}?`
      : root === "input"
        ? "Declare it in variables."
        : `A member of the thread's input is {{input.${text}}}.`;
  fail(line, `unknown variable ${text}`, `${advice} There are: ${known.join(", ")}.`, text);
}

function declares({ variables }: Front, text: string): boolean {
  return variables.length === 0 || variables.some(({ name }) => text === name || text.startsWith(`${name}.`));
}

function checkOwn(own: OwnName, text: string, use: TagUse, line: number, front: Front, fail: FailAt): void {
  const value = front[own];
  if (value === undefined)
    fail(line, `${own} is not set in the front matter`, `Set it there: ${own}: …`, text);
  if (text !== own) fail(line, `${own} has no members`, `Write {{${own}}}.`, text);
  if (use === "text" && typeof value !== "string")
    fail(line, `${own} is a list, which has no text of its own`, showing(own, value), text);
}
