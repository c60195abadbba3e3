// All names that leave by OpenTelemetry. Those of the GenAI conventions are in development there, and stand here alone;
// Holdpoint's own are part of the outside contract, as events are.

/** The release of the semantic conventions that the names of `genAi` are of. */
export const conventions = "1.41.0";
export const schemaUrl: string = `https://opentelemetry.io/schemas/${conventions}`;

export const genAi = {
  operationName: "gen_ai.operation.name",
  providerName: "gen_ai.provider.name",
  agentName: "gen_ai.agent.name",
  agentVersion: "gen_ai.agent.version",
  conversationId: "gen_ai.conversation.id",
  requestModel: "gen_ai.request.model",
  requestMaxTokens: "gen_ai.request.max_tokens",
  outputType: "gen_ai.output.type",
  responseModel: "gen_ai.response.model",
  finishReasons: "gen_ai.response.finish_reasons",
  timeToFirstChunk: "gen_ai.response.time_to_first_chunk",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheCreationTokens: "gen_ai.usage.cache_creation.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  toolName: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  toolCallId: "gen_ai.tool.call.id",
  // Content, told only when it is asked for.
  systemInstructions: "gen_ai.system_instructions",
  inputMessages: "gen_ai.input.messages",
  outputMessages: "gen_ai.output.messages",
  toolArguments: "gen_ai.tool.call.arguments",
  toolResult: "gen_ai.tool.call.result",
} as const;

/** Of the general conventions. */
export const errorType = "error.type";

export const holdpoint = {
  threadId: "holdpoint.thread.id",
  parentThreadId: "holdpoint.thread.parent.id",
  threadOutcome: "holdpoint.thread.outcome",
  turnEnd: "holdpoint.turn.end",
  turnFirstSeq: "holdpoint.turn.first_seq",
  turnLastSeq: "holdpoint.turn.last_seq",
  operationKey: "holdpoint.operation.key",
  attempt: "holdpoint.attempt",
  toolVersion: "holdpoint.tool.version",
  toolRisk: "holdpoint.tool.risk",
  toolEffect: "holdpoint.tool.effect",
  isVerify: "holdpoint.tool.verify",
  outcome: "holdpoint.outcome",
  costUsd: "holdpoint.cost.usd",
  promptName: "holdpoint.prompt.name",
  promptVersion: "holdpoint.prompt.version",
  windowTokens: "holdpoint.window.tokens",
  eventSeq: "holdpoint.event.seq",
  waitKind: "holdpoint.wait.kind",
  waitOutcome: "holdpoint.wait.outcome",
  requestId: "holdpoint.request.id",
  requestVia: "holdpoint.request.via",
  // Content, told only when it is asked for.
  input: "holdpoint.input",
  output: "holdpoint.output",
  requestBy: "holdpoint.request.by",
} as const;

/** The conventions' names of providers that go by another one here; others keep theirs. */
const providers: ReadonlyMap<string, string> = new Map([
  ["google", "gcp.gemini"],
  ["google-vertex", "gcp.vertex_ai"],
  ["amazon-bedrock", "aws.bedrock"],
  ["azure", "azure.ai.openai"],
  ["mistral", "mistral_ai"],
  ["xai", "x_ai"],
]);

/** A model's id in the two parts that the conventions want: `openai.chat/gpt-5` is `gpt-5` of `openai`. */
export function splitModel(id: string): { readonly provider: string; readonly model: string } {
  const slash = id.indexOf("/");
  if (slash < 0) return { provider: "unknown", model: id };
  const [family = ""] = id.slice(0, slash).split(".");
  return { provider: providers.get(family) ?? family, model: id.slice(slash + 1) };
}
