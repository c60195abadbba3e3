// What an agent's prompt says, as far as it can be known before there is an input.
import { isPromptTemplate, type Prompt, type PromptTemplate } from "../prompt/prompt.ts";
import type { TemplateNode } from "../prompt/template.ts";

/** `null`: it is a function that gives no text for an empty input. */
export function promptText(prompt: Prompt): string | null {
  if (typeof prompt === "string") return prompt;
  if (isPromptTemplate(prompt)) return templateText(prompt, prompt.nodes);
  try {
    const text: unknown = prompt({ input: {} });
    if (text instanceof Promise) text.catch(() => {}); // nobody waits for it
    return typeof text === "string" ? text : null;
  } catch {
    return null;
  }
}

/** Sections once, values as nothing but what the front matter says. */
function templateText(prompt: PromptTemplate, nodes: readonly TemplateNode[]): string {
  return nodes
    .map((node) => {
      if (node.kind === "text") return node.text;
      const own = ownText(prompt, node.name.root);
      if (node.kind === "value") return own;
      return `${own}\n${templateText(prompt, node.nodes)}`;
    })
    .join("");
}

function ownText({ role, ask, errors }: PromptTemplate, root: string | null): string {
  switch (root) {
    case "role":
      return role ?? "";
    case "ask":
      return listed(ask);
    case "errors":
      return listed(errors);
    default:
      return "";
  }
}

function listed(text: string | readonly string[] = ""): string {
  return typeof text === "string" ? text : text.join("\n");
}

/** A member of the input that a prompt shows as text or JSON, outside of sections. */
export interface ShownVariable {
  readonly name: string;
  readonly path: readonly string[];
  readonly asJson: boolean;
  readonly line: number;
}

export function shownVariables({ nodes }: PromptTemplate): readonly ShownVariable[] {
  return nodes.flatMap((node) =>
    node.kind === "value" && node.name.root === "input"
      ? [{ name: node.name.text, path: node.name.path, asJson: node.asJson, line: node.line }]
      : [],
  );
}
