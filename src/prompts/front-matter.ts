// The YAML above a prompt. Read strictly: what is not known, not plain data, or not of the right form is refused.
import type { Node } from "yaml";
import { isHoldpointError, toErrorInfo } from "../core/errors.ts";
import { type Json, toJson } from "../core/json.ts";
import { nearest } from "../core/nearest.ts";
import { isOfType, type PromptTemplate, type PromptVariable, variableTypes } from "../core/prompt/prompt.ts";
import type { FailAt } from "../core/prompt/prompt-error.ts";
import { yamlLibrary } from "./yaml-library.ts";

export type FrontMatter = Pick<
  PromptTemplate,
  "description" | "model" | "role" | "ask" | "errors" | "variables"
> & {
  /** The line of each key. */
  readonly lines: ReadonlyMap<string, number>;
};

/** A key, what it holds, and the line of the file. */
interface Entry {
  readonly key: string;
  readonly value: Json;
  readonly line: number;
  /** For a map: the keys in it. */
  readonly entries: readonly Entry[];
}

/** The line of the file that the YAML begins at, below the opening `---`. */
const firstLine = 2;
/** Longest front matter, in characters. */
const longest = 65_536;

const keys = ["description", "model", "role", "ask", "errors", "variables"];

/** @throws `prompt_invalid` with the line. */
export function readFrontMatter(yaml: string, fail: FailAt): FrontMatter {
  const entries = readYaml(yaml, fail);
  for (const entry of entries) checkKey(entry, keys, fail);
  const entry = (key: string): Entry | undefined => entries.find((each) => each.key === key);
  return {
    description: textOf(entry("description"), fail),
    model: textsOf(entry("model"), fail),
    role: textOf(entry("role"), fail),
    ask: textsOf(entry("ask"), fail),
    errors: textsOf(entry("errors"), fail),
    variables: variablesOf(entry("variables"), fail),
    lines: new Map(entries.map(({ key, line }) => [key, line])),
  };
}

function readYaml(yaml: string, fail: FailAt): readonly Entry[] {
  if (yaml.length > longest)
    fail(
      firstLine,
      `the front matter is longer than ${longest} characters`,
      "What is long belongs into the body.",
    );
  try {
    return parseYaml(yaml, fail);
  } catch (error) {
    if (isHoldpointError(error, "prompt_invalid")) throw error;
    const { message } = toErrorInfo(error, "prompt_invalid");
    return fail(firstLine, `the front matter cannot be read: ${message}`, "Write plain YAML.");
  }
}

function parseYaml(yaml: string, fail: FailAt): readonly Entry[] {
  const { isMap, isNode, LineCounter, parseDocument, visit } = yamlLibrary();
  const lineCounter = new LineCounter();
  const lineAt = (offset: number): number => lineCounter.linePos(offset).line + firstLine - 1;
  const document = parseDocument(yaml, {
    lineCounter,
    logLevel: "silent",
    prettyErrors: false, // they quote the source, and come without a line of the whole file
    resolveKnownTags: false,
    stringKeys: true,
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem)
    fail(
      lineAt(problem.pos[0]),
      `the front matter is no valid YAML: ${problem.message}`,
      "Correct it there.",
    );
  visit(document, (_key, node) => {
    if (isNode(node) && "anchor" in node && node.anchor)
      // without one there is no alias
      fail(
        lineAt(node.range?.[0] ?? 0),
        "anchors and aliases (& and *) are not supported",
        "Write the value out.",
      );
  });
  const { contents } = document;
  if (contents === null) return [];
  if (!isMap(contents))
    fail(firstLine, "the front matter has no keys", `Write lines of key: value. ${keyList(keys)}`);
  return entriesIn(contents, (node) => node.toJS(document), lineAt);
}

function entriesIn(
  node: unknown,
  toValue: (node: Node) => unknown,
  lineAt: (offset: number) => number,
): Entry[] {
  if (!yamlLibrary().isMap<Node, Node | null>(node)) return [];
  return node.items.map(({ key, value }) => ({
    key: String(toValue(key)),
    value: value === null ? null : toJson(toValue(value)),
    line: lineAt(key.range?.[0] ?? 0),
    entries: entriesIn(value, toValue, lineAt),
  }));
}

function checkKey({ key, line }: Entry, known: readonly string[], fail: FailAt): void {
  if (known.includes(key)) return;
  const [near] = nearest(key, known);
  fail(
    line,
    `unknown key ${JSON.stringify(key)}`,
    `${near ? `Did you mean ${near}? ` : ""}${keyList(known)}`,
  );
}

function keyList(known: readonly string[]): string {
  return `There are: ${known.join(", ")}.`;
}

function textOf(entry: Entry | undefined, fail: FailAt): string | undefined {
  if (entry === undefined) return undefined;
  const { key, value, line } = entry;
  return isText(value)
    ? value
    : fail(line, `${key} is not text`, `Write text, in quotes where YAML takes it for something else.`);
}

function textsOf(entry: Entry | undefined, fail: FailAt): string | readonly string[] | undefined {
  if (entry === undefined) return undefined;
  const { key, value, line } = entry;
  if (isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText))) return value;
  return fail(
    line,
    `${key} is neither text nor a list of texts`,
    "Write text or a list, each in quotes where YAML takes it for something else, such as with `: ` in it.",
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function variablesOf(entry: Entry | undefined, fail: FailAt): readonly PromptVariable[] {
  if (entry === undefined) return [];
  if (entry.entries.length > 0) return entry.entries.map((each) => variableOf(each, fail));
  return fail(
    entry.line,
    "variables declares nothing",
    "Write lines such as `input.tone: string`, or remove it.",
  );
}

function variableOf(entry: Entry, fail: FailAt): PromptVariable {
  const { key: name, value, line, entries } = entry;
  if (!/^input(\.[\p{L}\p{N}_$-]+)*$/u.test(name))
    fail(
      line,
      `variables declares ${JSON.stringify(name)}`,
      `Declare input, or a member of it: input.${name}.`,
      name,
    );
  for (const each of entries) checkKey(each, ["type", "default"], fail);
  const spec =
    entries.length > 0 ? new Map(entries.map((each) => [each.key, each.value])) : new Map([["type", value]]);
  const type = variableTypes.find((known) => known === spec.get("type"));
  if (type === undefined && spec.has("type"))
    fail(
      line,
      `${name} is declared as ${JSON.stringify(spec.get("type"))}`,
      `Types are: ${variableTypes.join(", ")}.`,
      name,
    );
  const standIn = spec.get("default");
  if (standIn === null || !isExact(standIn))
    fail(
      line,
      `the default of ${name} is no value, or a number that loses digits`,
      "Write a value; long numbers in quotes.",
      name,
    );
  if (standIn !== undefined && type !== undefined && !isOfType(standIn, type))
    fail(line, `the default of ${name} is no ${type}`, "Correct the type or the default.", name);
  return {
    name,
    line,
    ...(type === undefined ? {} : { type }),
    ...(standIn === undefined ? {} : { default: standIn }),
  };
}

function isExact(value: Json | undefined): boolean {
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  return typeof value !== "object" || value === null || Object.values(value).every(isExact);
}
