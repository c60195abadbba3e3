import type { CodeRow } from "./code-row.ts";
import type { Finding, FindingSubject } from "./finding.ts";
import { type FlowCode, flowCodes } from "./flow-codes.ts";
import { type PromptCode, promptCodes } from "./prompt-codes.ts";
import { type ToolCode, toolCodes } from "./tool-codes.ts";
import { type WindowCode, windowCodes } from "./window-codes.ts";

export type CheckCode = PromptCode | WindowCode | FlowCode | ToolCode;

/** Every code that Holdpoint's own checks find, in the order of the documentation. */
export const checkCodes: { readonly [Code in CheckCode]: CodeRow } = {
  ...promptCodes,
  ...windowCodes,
  ...flowCodes,
  ...toolCodes,
};

/** @param fix where the code's own can be more exact. */
export function finding(code: CheckCode, about: FindingSubject, message: string, fix?: string): Finding {
  const { level, area, why, fix: usual }: CodeRow = checkCodes[code];
  return { code, level, area, message, why, fix: fix ?? usual, about };
}
