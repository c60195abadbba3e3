// Read from the source as text: it is formatted by the linter, so indentation tells where a declaration ends.
import { generated, page } from "./markdown.ts";

interface Declaration {
  readonly name: string;
  readonly comment: string;
  readonly code: string;
}

export function eventsPage(source: string, values: string): string {
  const [, rest = ""] = source.split("interface EventBodies {\n");
  const bodies = rest.slice(0, rest.indexOf("\n}\n"));
  const events = declarations(bodies, /^ {2}(\w+): \{(?: [^\n]*\};$|\n.*?^ {2}\};$)/gms).map(outdented);
  const types = declarations(values, /^export (?:interface|type) (\w+).*?(?:^\}|;)$/gms);
  if (events.length < 30 || types.length < 20)
    throw new Error("core/events.ts or event-values.ts is no longer written as this script reads it");
  return page(
    "# Event reference",
    generated,
    "A thread is its events. Each has, besides what stands here, `type`, `v` (its version, 1), `seq` (its place in the log, from 1) and `at` (ISO 8601, UTC). `holdpoint show <thread> --json` and `holdpoint export` give them whole. What they are for, and why: [Design](../design.md#3-invariants-cite-them-by-number-in-code-tests-and-reviews).",
    events.map(({ name }) => `[\`${name}\`](#${name})`).join(" · "),
    ...events.flatMap(section),
    "## Types",
    ...types.flatMap(({ name, comment, code }) => [`### ${name}`, comment, fenced(code)]),
  );
}

function declarations(text: string, pattern: RegExp): readonly Declaration[] {
  return Array.from(text.matchAll(pattern), (match) => ({
    name: match[1] ?? "",
    comment: commentBefore(text.slice(0, match.index)),
    code: match[0],
  }));
}

/** The text of a doc comment that ends right here. */
function commentBefore(text: string): string {
  const [, comment = ""] = /\/\*\*((?:(?!\*\/).)*)\*\/\s*$/s.exec(text) ?? [];
  return comment.replaceAll(/\s*\n\s*\* ?/g, " ").trim();
}

function outdented({ name, comment, code }: Declaration): Declaration {
  return { name, comment, code: code.replaceAll(/^ {2}/gm, "") };
}

function section({ name, comment, code }: Declaration): readonly string[] {
  return [`## ${name}`, comment, fenced(code)];
}

function fenced(code: string): string {
  return `\`\`\`typescript\n${code}\n\`\`\``;
}
