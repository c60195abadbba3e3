// A suite as YAML: plain data, and for each place in it the line of the file.
import type { LineCounter, Node, Pair, Document as YamlDocument } from "yaml";
import { toErrorInfo } from "../core/errors.ts";
import { yamlLibrary } from "../prompts/yaml-library.ts";

type Path = readonly (string | number)[];

export type YamlSuite =
  | { readonly ok: true; readonly value: unknown; readonly lineOf: (path: Path) => number }
  | { readonly ok: false; readonly line: number; readonly message: string };

/** Most that is read: a suite of thousands of cases is smaller. */
const longest = 8 * 1024 * 1024;

/** Reads the text strictly: keys are texts and come once, tags and several documents are refused. */
export function parseYamlSuite(text: string): YamlSuite {
  if (text.length > longest)
    return { ok: false, line: 1, message: `it is longer than ${longest} characters` };
  const { LineCounter, parseDocument } = yamlLibrary();
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      logLevel: "silent",
      prettyErrors: false,
      resolveKnownTags: false,
      stringKeys: true,
    });
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem) return { ok: false, line: lines.linePos(problem.pos[0]).line, message: problem.message };
    const value: unknown = document.toJS({ maxAliasCount: 1_000 }); // aliases within aliases could make gigabytes
    JSON.stringify(value); // an alias within what it stands for goes round for ever: it throws
    return { ok: true, value, lineOf: (path) => lineAt(document, lines, path) };
  } catch (error) {
    return { ok: false, line: 1, message: toErrorInfo(error, "suite_invalid").message };
  }
}

/** Of the innermost place on the path that is there. */
function lineAt(document: YamlDocument.Parsed, lines: LineCounter, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const part of path) {
    const found = step(document, node, part);
    if (!found) break;
    offset = found.offset;
    node = found.node;
  }
  return lines.linePos(offset).line;
}

function step(
  document: YamlDocument.Parsed,
  node: unknown,
  part: string | number,
): { readonly node: unknown; readonly offset: number } | null {
  const { isAlias, isMap, isSeq } = yamlLibrary();
  const inner = isAlias(node) ? node.resolve(document) : node;
  if (isSeq<Node>(inner) && typeof part === "number") {
    const item = inner.items[part];
    return item ? { node: item, offset: item.range?.[0] ?? 0 } : null;
  }
  if (!isMap<Node, Node>(inner)) return null;
  const pair: Pair<Node, Node | null> | undefined = inner.items.find(
    ({ key }) => String(key) === String(part),
  );
  return pair ? { node: pair.value, offset: pair.key.range?.[0] ?? 0 } : null;
}
