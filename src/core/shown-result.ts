import { toErrorInfo } from "./errors.ts";
import { deepFreeze, type Json, toJson } from "./json.ts";
import type { Tool } from "./tool.ts";
import { visible } from "./visible.ts";

/** What a model is shown of a result, before anything is shortened. */
export interface ShownResult {
  /** Text as it is, or JSON text. */
  readonly text: string;
  /** The tool's `show` made it, so it may leave things out; otherwise it is the JSON of the whole value. */
  readonly byTool: boolean;
  /** Why the tool's `show` was not heeded, in one line for the tool's author. */
  readonly problem?: string;
}

/** Longest text that a tool's `show` may give, in characters: more is no choice of what matters. */
const mostShown = 64_000;

/**
 * What is shown of a tool's result: what its `show` says, or else the value itself. It never throws: a `show` that
 * throws, changes its arguments (they are frozen), or gives nothing, a promise, no JSON or more than 64,000 characters
 * is passed over, and `problem` says why.
 */
export function shownResult(tool: Pick<Tool, "show"> | undefined, value: Json, args: Json): ShownResult {
  if (!tool?.show) return { text: JSON.stringify(value), byTool: false };
  try {
    const text = textOf(tool.show(deepFreeze(value), deepFreeze(args)));
    if (text.length <= mostShown) return { text, byTool: true };
    return whole(value, `it gives ${text.length} characters; at most ${mostShown} are shown`);
  } catch (error) {
    return whole(value, toErrorInfo(error, "tool_failed").message);
  }
}

function textOf(shown: unknown): string {
  if (typeof shown === "string") return shown;
  if (shown instanceof Promise) {
    shown.catch(() => {}); // nobody waits for it, and its failure must not end the process
    throw new Error("it returns a promise");
  }
  if (shown === undefined) throw new Error("it returns nothing");
  return JSON.stringify(toJson(shown));
}

function whole(value: Json, why: string): ShownResult {
  const problem = visible(why.replace(/\s+/g, " ")).slice(0, 300);
  return { text: JSON.stringify(value), byTool: false, problem: `show: ${problem}` };
}
