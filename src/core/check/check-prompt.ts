import type { Agent } from "../agent.ts";
import { defaultFlow } from "../default-flow.ts";
import { nearest } from "../nearest.ts";
import { isPromptTemplate } from "../prompt/prompt.ts";
import { checkPromptInput } from "./check-prompt-input.ts";
import { type CheckCode, finding } from "./codes.ts";
import type { CheckContext, Finding } from "./finding.ts";
import { promptText } from "./prompt-text.ts";
import { placeholder, promptWords, secretLike } from "./prompt-words.ts";

/** Role and scope, an end, an error strategy, no unknown variables, size. */
export function checkPrompt(context: CheckContext): readonly Finding[] {
  const { agent } = context;
  const text = promptText(agent.prompt);
  if (text === null)
    return [found("prompt_not_read", "its prompt is a function that needs the thread's input")];
  if (text.trim() === "") return mayDecide(agent) ? [found("prompt_empty", "it has no prompt")] : [];
  return [
    ...checkWords(agent, text),
    ...checkText(agent, text),
    ...checkTools(agent, text),
    ...checkSize(context, text),
    ...checkPromptInput(agent),
  ];
}

/** A flow of one's own, without prompt and model, may make no decision. */
export function mayDecide({ flow, prompt, model }: Agent): boolean {
  return flow === defaultFlow || model !== undefined || prompt !== "";
}

function found(code: CheckCode, message: string, line?: number): Finding {
  return finding(code, { kind: "prompt", ...(line !== undefined && { line }) }, message);
}

/** In characters: `You sort mail. Ask when unsure.` has more. */
const shortest = 30;

function checkWords({ tools, prompt }: Agent, text: string): readonly Finding[] {
  const length = text.trim().length;
  if (length < shortest) return [found("prompt_short", `its prompt has ${length} characters`)];
  const words = promptWords(text);
  if (words === null) return [];
  const { role, ask, errors } = isPromptTemplate(prompt) ? prompt : {};
  const hasTools = tools.size > 0; // without them it answers, and is done
  return [
    ...(words.role || role !== undefined
      ? []
      : [found("prompt_no_role", "its prompt names no role or scope")]),
    ...(words.end || ask !== undefined || !hasTools
      ? []
      : [found("prompt_no_stop", "its prompt does not say when to stop or to ask")]),
    ...(words.failure || errors !== undefined || !hasTools
      ? []
      : [found("prompt_no_errors", "its prompt does not say what to do when something fails")]),
  ];
}

function checkText({ prompt }: Agent, text: string): readonly Finding[] {
  const [left] = placeholder.exec(text) ?? [];
  const [tag] = typeof prompt === "string" ? (/\{\{[^{}\n]{1,80}\}\}/.exec(text) ?? []) : [];
  return [
    ...(left === undefined
      ? []
      : [found("prompt_placeholder", `its prompt still says ${JSON.stringify(left)}`)]),
    ...(tag === undefined
      ? []
      : [found("prompt_tag_unrendered", `its prompt is plain text and holds ${tag}`)]),
    ...(secretLike.test(text) ? [found("prompt_secret", "its prompt holds what looks like a key")] : []),
  ];
}

/** Only names of several words are taken for tools': `find_order`, and nothing that stands in the input or the output. */
function checkTools({ tools, outputSchema, input }: Agent, text: string): readonly Finding[] {
  const known = [...tools.keys()];
  const elsewhere = `${JSON.stringify(outputSchema ?? null)}${JSON.stringify(inputSchema(input))}`;
  const words = new Set(text.match(/\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b/g) ?? []);
  return [...words].flatMap((word) => {
    if (tools.has(word) || elsewhere.includes(`"${word}"`)) return [];
    const [near] = nearest(word, known);
    if (near === undefined || Math.abs(near.length - word.length) > 2) return [];
    return [found("prompt_tool_unknown", `its prompt names ${word}, and there is a tool ${near}`)];
  });
}

function inputSchema(input: Agent["input"]): unknown {
  try {
    return input?.["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ?? null;
  } catch {
    return null;
  }
}

function checkSize({ agent, count }: CheckContext, text: string): readonly Finding[] {
  const tokens = count(text);
  const { budget } = agent.window;
  if (tokens <= budget / 2 || tokens > budget) return []; // more than all of it is `window_fixed_over`
  return [found("prompt_large", `its prompt takes about ${tokens} of ${budget} tokens`)];
}
