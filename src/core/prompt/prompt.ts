import { sha256 } from "../digest.ts";
import { HoldpointError, isHoldpointError, toErrorInfo } from "../errors.ts";
import type { PromptRecord } from "../events.ts";
import { type Json, toJson } from "../json.ts";
import { type FailAt, failIn } from "./prompt-error.ts";
import { kindOf, longestText, memberOf, renderTemplate } from "./render-template.ts";
import type { TemplateNode } from "./template.ts";

export interface PromptContext<Input = unknown> {
  /** The thread's input, as the agent's `input` schema made it. */
  readonly input: Input;
}

/** The system prompt: text, a prompt file (`promptFile`), or a pure function of the thread's input. */
export type Prompt<Input = unknown> = string | PromptTemplate | ((context: PromptContext<Input>) => string);

/** The types that a variable of a prompt may be declared as. */
export const variableTypes = ["string", "number", "boolean", "list", "object"] as const;

/** A variable that a prompt declares: `input`, or a member of it such as `input.order.id`. */
export interface PromptVariable {
  readonly name: string;
  readonly type?: (typeof variableTypes)[number];
  /** Stands for a value that is missing or null. */
  readonly default?: Json;
  /** Where it is declared. */
  readonly line: number;
}

/** A parsed prompt: plain, frozen data. Made by `promptFile` and `parsePrompt`. */
export interface PromptTemplate {
  /** For messages and the log; of a file, its name without the folder. */
  readonly name: string;
  /** The first 16 hex digits of the SHA-256 of the whole text, front matter included, with line feeds only and no BOM. */
  readonly version: string;
  /** For people; a model sees it nowhere. */
  readonly description: string | undefined;
  /** What an agent uses that names no model itself. */
  readonly model: string | readonly string[] | undefined;
  /** Shown where the body has `{{role}}`, `{{ask}}` and `{{errors}}`, or sections of these names. */
  readonly role: string | undefined;
  readonly ask: string | readonly string[] | undefined;
  readonly errors: string | readonly string[] | undefined;
  readonly variables: readonly PromptVariable[];
  readonly nodes: readonly TemplateNode[];
}

/** The system prompt of one decision, and which prompt it came from. */
export interface RenderedPrompt extends PromptRecord {
  readonly text: string;
}

/**
 * The exact system prompt for a thread's input. The same prompt and input give the same bytes everywhere; nothing is
 * added that is not in the prompt.
 *
 * @throws `prompt_invalid` naming prompt, line and variable; or that a function threw, or returned no text.
 *   `not_json` for an input that JSON cannot hold.
 */
export function renderPrompt<Input>(prompt: Prompt<Input>, context: PromptContext<Input>): RenderedPrompt {
  if (typeof prompt === "object")
    return { text: renderFile(prompt, context.input), name: prompt.name, version: prompt.version };
  const text = typeof prompt === "string" ? prompt : callPrompt(prompt, context);
  return { text, version: promptVersion(text) };
}

/** Tells a parsed prompt from whatever else was given as one. */
export function isPromptTemplate(value: unknown): value is PromptTemplate {
  return typeof value === "object" && value !== null && "nodes" in value && Array.isArray(value.nodes);
}

/** The version of a text as a prompt: the first 16 hex digits of its SHA-256. */
export function promptVersion(text: string): string {
  return sha256(text).slice(0, 16);
}

function callPrompt<Input>(
  prompt: (context: PromptContext<Input>) => string,
  context: PromptContext<Input>,
): string {
  const fix =
    "A prompt is a pure function of the input that returns text; fetch what it needs in a step, and show it with `see`.";
  let text: unknown;
  try {
    text = prompt(context);
  } catch (cause) {
    if (isHoldpointError(cause, "prompt_invalid")) throw cause;
    const { message } = toErrorInfo(cause, "prompt_invalid");
    throw new HoldpointError("prompt_invalid", `the prompt's function threw: ${message}`, { fix, cause });
  }
  if (text instanceof Promise) text.catch(() => {}); // what it says is about a mistake that is told here
  if (typeof text !== "string")
    throw new HoldpointError(
      "prompt_invalid",
      `the prompt's function returned ${text instanceof Promise ? "a promise" : `no text but ${text === null ? "null" : typeof text}`}`,
      { fix },
    );
  if (text.length > longestText)
    throw new HoldpointError("prompt_invalid", `the prompt's function returned ${text.length} characters`, {
      fix: `At most ${longestText} make sense; show large values with \`see\`.`,
    });
  return text;
}

function renderFile(prompt: PromptTemplate, given: unknown): string {
  const fail = failIn(prompt.name);
  const input = given === undefined ? undefined : toJson(given, "input");
  const { variables, role, ask, errors } = prompt;
  const roots = new Map<string, Json | undefined>([
    ["input", input],
    ["role", role],
    ["ask", ask],
    ["errors", errors],
  ]);
  for (const variable of variables) checkType(variable, input, fail);
  const defaults = new Map(
    variables.flatMap((variable) =>
      variable.default === undefined ? [] : [[variable.name, variable.default]],
    ),
  );
  return renderTemplate({ nodes: prompt.nodes, roots, defaults, fail });
}

function checkType({ name, type, line }: PromptVariable, input: Json | undefined, fail: FailAt): void {
  if (type === undefined) return;
  let value = input;
  for (const part of name.split(".").slice(1))
    value = typeof value === "object" && value !== null ? memberOf(value, part) : undefined;
  if (value === undefined || value === null || isOfType(value, type)) return; // its use says whether it may be missing
  fail(
    line,
    `${name} is declared as ${type} and is ${kindOf(value)}`,
    "Correct the declaration, or what is given as input.",
    name,
  );
}

/** Whether a value is what a variable is declared as. */
export function isOfType(value: Json, type: (typeof variableTypes)[number]): boolean {
  if (value === null) return false;
  if (Array.isArray(value)) return type === "list";
  return typeof value === type;
}
