// Names in a prompt file's sections, and of sections. Whether a member may be missing or has a text is not asked here,
// since a section may be there to test just that: only whether there is such a member at all.
import type { PromptTemplate } from "../prompt/prompt.ts";
import type { TagName, TemplateNode } from "../prompt/template.ts";
import { finding } from "./codes.ts";
import type { Finding } from "./finding.ts";
import { closedMembers, isObject, memberNames, type SchemaObject } from "./input-schema.ts";

/** Of what a section goes through: a schema, nothing with members (a text, a number), or what nobody knows. */
type Item = SchemaObject | "plain" | "unknown";

interface Scope {
  readonly prompt: PromptTemplate;
  readonly input: SchemaObject;
  /** Of the sections around, the innermost last. */
  readonly items: readonly Item[];
}

/** @param input JSON Schema of what the agent's `input` makes. */
export function checkPromptSections(prompt: PromptTemplate, input: SchemaObject): readonly Finding[] {
  return prompt.nodes.flatMap((node) =>
    node.kind === "section" ? checkSection(node, { prompt, input, items: [] }) : [],
  );
}

function checkSection(node: TemplateNode & { kind: "section" }, scope: Scope): readonly Finding[] {
  const looked = lookUp(node.name, scope);
  const item = looked.kind === "found" ? itemOf(looked.item) : "unknown";
  const inner = node.inverted ? scope : { ...scope, items: [...scope.items, item] };
  return [
    ...missing(looked, node.line),
    ...node.nodes.flatMap((each) => {
      if (each.kind === "text") return [];
      return each.kind === "section"
        ? checkSection(each, inner)
        : missing(lookUp(each.name, inner), each.line);
    }),
  ];
}

type LookedUp =
  | { readonly kind: "found"; readonly item: Item }
  | { readonly kind: "missing"; readonly message: string };

const unknown: LookedUp = { kind: "found", item: "unknown" };

function missing(looked: LookedUp, line: number): readonly Finding[] {
  return looked.kind === "found"
    ? []
    : [finding("prompt_variable_unknown", { kind: "prompt", line }, looked.message)];
}

function lookUp({ text, root, path }: TagName, { prompt, input, items }: Scope): LookedUp {
  if (root !== null && root !== "input") return { kind: "found", item: "plain" }; // role, ask, errors: texts
  if (root === "input" && hasDefault(prompt, text)) return unknown;
  let at: Item = root === "input" ? input : innermost(items, path.length > 0);
  let holder = root === "input" ? "the input" : "the item";
  for (const part of path) {
    const members = isObject(at) ? closedMembers(at) : null;
    if (members === null) return unknown;
    const member = Object.hasOwn(members, part) ? members[part] : undefined;
    if (member === undefined)
      return {
        kind: "missing",
        message: `its prompt names ${text}; ${holder} has ${memberNames(members)}`,
      };
    if (!isObject(member)) return unknown;
    at = member;
    holder = part;
  }
  return { kind: "found", item: at };
}

/** Its own, or one of what it is a member of. */
function hasDefault({ variables }: PromptTemplate, name: string): boolean {
  return variables.some(
    (variable) =>
      variable.default !== undefined && (name === variable.name || name.startsWith(`${variable.name}.`)),
  );
}

/** As the renderer: for a member the innermost that has members, since a section that tests a text hides none. */
function innermost(items: readonly Item[], forMember: boolean): Item {
  const item = forMember ? items.findLast((each) => each !== "plain") : items.at(-1);
  return item ?? "unknown";
}

const plainTypes: readonly unknown[] = ["string", "number", "integer", "boolean"];

/** What a section shows for each item of a list, and once for all else. */
function itemOf(value: Item): Item {
  if (!isObject(value)) return value;
  const { type, items } = value;
  if (plainTypes.includes(type)) return "plain";
  if (type === "array") return isObject(items) && items.type !== "array" ? itemOf(items) : "unknown";
  return closedMembers(value) === null ? "unknown" : value;
}
