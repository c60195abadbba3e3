// Values come from outside. They are written as they are and never read as a template again, only own members are
// reached, and what a small template makes of a large value is bounded.
import type { Json } from "../json.ts";
import { nearest } from "../nearest.ts";
import type { FailAt } from "./prompt-error.ts";
import { longestName, type TagName, type TemplateNode } from "./template.ts";

/** Longest text that a prompt may become, in characters: no model's window holds more. */
export const longestText = 1_000_000;
/** Most pieces that may be rendered; lists within lists multiply also where they write nothing. */
const mostPieces = 200_000;

export interface RenderRequest {
  readonly nodes: readonly TemplateNode[];
  /** The prompt's own variables, by name; `undefined` for none. */
  readonly roots: ReadonlyMap<string, Json | undefined>;
  /** What stands for a value that is missing or null, by its whole name. */
  readonly defaults: ReadonlyMap<string, Json>;
  readonly fail: FailAt;
}

/** @throws `prompt_invalid` with line and variable: a value that is missing, or that is no text, number or boolean. */
export function renderTemplate(request: RenderRequest): string {
  const { fail } = request;
  const written: string[] = [];
  let length = 0;
  let pieces = 0;

  function write(text: string, line: number): void {
    length += text.length;
    if (length > longestText)
      fail(
        line,
        `the text grows over ${longestText} characters`,
        "Show less of the input: name the members that matter.",
      );
    written.push(text);
  }

  function render(nodes: readonly TemplateNode[], items: readonly Json[], around: number): void {
    pieces += 1 + nodes.length; // an empty section costs time, too
    if (pieces > mostPieces)
      fail(around, `the sections repeat more than ${mostPieces} times`, "Show less of the input.");
    for (const node of nodes) {
      if (node.kind === "text") write(node.text, around);
      else if (node.kind === "value") write(textOf(request, node, items), node.line);
      else renderSection(node, items);
    }
  }

  function renderSection(node: TemplateNode & { kind: "section" }, items: readonly Json[]): void {
    const { value } = lookUp(request, node.name, items, node.line);
    if (node.inverted || isNothing(value)) {
      if (node.inverted && isNothing(value)) render(node.nodes, items, node.line);
      return;
    }
    for (const item of Array.isArray(value) ? value : [value])
      render(node.nodes, [...items, item], node.line);
  }

  render(request.nodes, [], 1);
  return written.join("");
}

/** What a section takes for nothing. Zero is a number like the others. */
function isNothing(value: Json | undefined): value is undefined | null | false | "" {
  return (
    value === undefined ||
    value === null ||
    value === false ||
    value === "" ||
    (Array.isArray(value) && value.length === 0)
  );
}

function textOf(
  request: RenderRequest,
  { name, asJson, line }: TemplateNode & { kind: "value" },
  items: readonly Json[],
): string {
  const found = lookUp(request, name, items, line);
  const { value } = found;
  if (value === undefined || value === null) {
    const what = `${name.text} is ${value === null ? "null" : "missing"}`;
    return request.fail(line, what, adviceFor(name, found), name.text);
  }
  if (asJson) return JSON.stringify(value);
  if (typeof value !== "object") return String(value);
  const advice = Array.isArray(value)
    ? `Repeat a section, {{#${name.text}}}…{{.}}…{{/${name.text}}}, or write {{json ${name.text}}}.`
    : `Name a member (${membersOf(name.text, value)}), or write {{json ${name.text}}}.`;
  return request.fail(
    line,
    `${name.text} is ${kindOf(value)}, which has no text of its own`,
    advice,
    name.text,
  );
}

interface Found {
  readonly value: Json | undefined;
  /** The last object on the way, and how one names it. */
  readonly holder: object | null;
  readonly holderName: string;
}

/** The value of a name; nothing where a member on the way is missing or null. @throws for a member of what has none. */
function lookUp(
  { roots, defaults, fail }: RenderRequest,
  { text, root, path }: TagName,
  items: readonly Json[],
  line: number,
): Found {
  const orDefault = (given: Json | undefined, name: string): Json | undefined =>
    given ?? defaults.get(name) ?? given;
  let at = root ?? "";
  let value = root === null ? startOf(items, path.length > 0) : orDefault(roots.get(root), root);
  let found: Found = { value, holder: null, holderName: at };
  for (const part of path) {
    if (value === undefined || value === null) break;
    if (typeof value !== "object")
      return fail(
        line,
        `${at === "" ? "the item" : at} is ${kindOf(value)}, which has no member ${part}`,
        `Correct the name ${text}, or what is given as input.`,
        text,
      );
    const holder = value;
    const holderName = at;
    at = joined(at, part);
    value = memberOf(holder, part);
    if (root !== null) value = orDefault(value, at);
    found = { value, holder, holderName };
  }
  return { ...found, value };
}

/** What may have been meant by a name that has no value. */
function adviceFor({ text, path }: TagName, { holder, holderName }: Found): string {
  const test = `Where it may be missing, test it: {{#${text}}}…{{/${text}}}, or give it a default in variables.`;
  if (holder === null) return test;
  const keys = Object.keys(holder);
  const likely = keys.slice(0, 100).filter((key) => key.length <= longestName && key !== path.at(-1));
  const near = nearest(path.at(-1) ?? "", likely).map((key) => clip(joined(holderName, key)));
  const meant = near.length === 0 ? "" : `Did you mean ${near.join(" or ")}? `;
  const there = keys.length === 0 ? "" : `There are: ${membersOf(holderName, holder)}. `;
  return `${meant}${there}${test}`;
}

/** The innermost item; for a member, the innermost object: a section that tests a text or a truth hides none. */
function startOf(items: readonly Json[], forMember: boolean): Json | undefined {
  return forMember
    ? (items.findLast((item) => typeof item === "object" && item !== null) ?? items.at(-1))
    : items.at(-1);
}

/** An own member of a list or an object. */
export function memberOf(value: object, name: string): Json | undefined {
  if (Array.isArray(value) && !/^\d+$/.test(name)) return undefined; // its length is no member
  if (!Object.hasOwn(value, name)) return undefined;
  return (value as { readonly [name: string]: Json })[name]; // JSON: every own member is
}

/** The names of members, as one would write them; the first ten. */
function membersOf(label: string, value: object): string {
  const keys = Object.keys(value);
  const names = keys.slice(0, 10).map((key) => clip(joined(label, key)));
  return `${names.join(", ")}${keys.length > 10 ? ` and ${keys.length - 10} more` : ""}`;
}

function joined(label: string, key: string): string {
  return label === "" || label === "." ? key : `${label}.${key}`;
}

/** Names come from outside, too. */
function clip(name: string): string {
  return name.length <= 80 ? name : `${name.slice(0, 80)}…`;
}

/** What JSON calls a value, for people. */
export function kindOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "object":
      return "an object";
    case "string":
      return "text";
    default:
      return `a ${typeof value}`;
  }
}
