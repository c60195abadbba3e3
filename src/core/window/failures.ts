import type { ErrorInfo } from "../errors.ts";
import type { Call } from "../events.ts";
import type { Tool } from "../tool.ts";

/** What a model is told of a failed action. */
export function failureText(
  _call: Call,
  error: ErrorInfo,
  _tool: Tool | undefined,
  attempts: number,
): string {
  return JSON.stringify({
    status: "failed",
    code: error.code,
    message: error.message.slice(0, 400),
    ...(attempts > 1 ? { attempts } : {}),
  });
}

/** Equal for failures of one cause. */
export function causeOf(call: Call, error: ErrorInfo): string {
  return `${call.tool} ${error.code} ${error.message.replace(/\d+/g, "#")}`;
}
