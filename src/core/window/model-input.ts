import type { Json } from "../json.ts";

/** A tool as a model sees it. */
export interface ModelTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Json;
}

/** A tool call as a model wrote it; `args` is not validated yet. */
export interface ModelCall {
  readonly callId: string;
  readonly tool: string;
  readonly args: unknown;
}

export type ModelMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string; readonly calls: readonly ModelCall[] }
  | { readonly role: "tool"; readonly callId: string; readonly tool: string; readonly content: string };

/** Everything that goes to a model, and nothing else goes. */
export interface ModelInput {
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ModelTool[];
  readonly maxOutputTokens: number;
}
