import { type CompactError, compactError, failureKey } from "../error-compaction/compact-error.ts";
import { renderError } from "../error-compaction/render-error.ts";
import type { ErrorInfo } from "../errors.ts";
import type { Call } from "../events.ts";
import type { Tool } from "../tool.ts";

/** What a model is told of a failed action: a few lines, made by rules, and what its tool has to say to it. */
export function failureText(
  { tool: operation, args }: Pick<Call, "tool" | "args">,
  error: ErrorInfo,
  tool: Tool | undefined,
  attempts: number,
): string {
  const explain = explained(tool, error, args);
  const told = renderError({ ...compacted(error, operation, explain), attempts });
  return error.fix === undefined || explain !== null ? told : `${told}\n${error.fix.slice(0, longestFix)}`;
}

/** Reading a long error takes a while. Recomputable: kept by the error. */
const compacts = new WeakMap<ErrorInfo, CompactError>();

function compacted(error: ErrorInfo, operation: string, explain: string | null): CompactError {
  if (explain !== null) return compactError(error, { operation, explain });
  const known = compacts.get(error) ?? compactError(error, { operation });
  compacts.set(error, known);
  return known;
}

/** References that there are, names that are known: what helps to do better. */
const longestFix = 600;

/** A hook that throws, or gives no text, says nothing. */
function explained(tool: Tool | undefined, error: ErrorInfo, args: Call["args"]): string | null {
  try {
    const text = tool?.explain?.(error, args);
    return typeof text === "string" && text.trim() !== "" ? text : null;
  } catch {
    return null;
  }
}

const keys = new WeakMap<ErrorInfo, string>();

/** Equal for failures of one cause. Recomputable: kept by the error. */
export function causeOf({ tool }: Pick<Call, "tool">, error: ErrorInfo): string {
  const known = keys.get(error) ?? failureKey(error, tool);
  keys.set(error, known);
  return known;
}
