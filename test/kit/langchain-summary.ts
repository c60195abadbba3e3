// What LangChain's `summarizationMiddleware` does to a conversation of human messages, after langchain 1.5.14
// (dist/agents/middleware/summarization.js) and @langchain/core's `trimMessages`. The package brings 70 MB, so its rules
// stand here; `node scripts/compare-langchain.ts <folder with langchain installed>` runs both and compares.
// Its defaults: no trigger at all, so one must be given; 20 messages are kept; of the rest the newest 4,000 tokens go to
// the summariser, whose text becomes the first message; tokens are characters divided by four.

/** `DEFAULT_MESSAGES_TO_KEEP`, `DEFAULT_TRIM_TOKEN_LIMIT`, `DEFAULT_SUMMARY_PREFIX`. */
const messagesToKeep = 20;
const trimTokens = 4_000;
const summaryPrefix = "Here is a summary of the conversation to date:";

export interface LangchainOptions {
  /** As `trigger: { tokens }`. */
  readonly triggerTokens: number;
  /** As `keep: { tokens }`. Default: 20 messages. */
  readonly keepTokens?: number;
  /** Stands in for the model: gets the messages as the prompt has them, gives the summary. */
  summarize(messages: string): string;
}

/** The messages that go to the model, of those that would have. */
export function langchainMessages(messages: readonly string[], options: LangchainOptions): readonly string[] {
  if (tokensOf(messages) < options.triggerTokens) return messages;
  const cutoff =
    options.keepTokens === undefined
      ? messages.length - messagesToKeep
      : cutoffFor(messages, options.keepTokens);
  if (cutoff <= 0) return messages;
  const trimmed = trim(messages.slice(0, cutoff));
  const summary =
    trimmed.length === 0
      ? "Previous conversation was too long to summarize."
      : options.summarize(trimmed.map((message) => `Human: ${message}`).join("\n")).trim();
  return [`${summaryPrefix}\n\n${summary}`, ...messages.slice(cutoff)];
}

function tokensOf(messages: readonly string[]): number {
  return Math.ceil(messages.reduce((total, { length }) => total + length, 0) / 4);
}

/** The earliest message from which all later ones take at most so many tokens; the last is kept in any case. */
function cutoffFor(messages: readonly string[], keepTokens: number): number {
  if (tokensOf(messages) <= keepTokens) return 0;
  const cutoff = messages.findIndex((_, index) => tokensOf(messages.slice(index)) <= keepTokens);
  return Math.min(cutoff === -1 ? messages.length : cutoff, messages.length - 1);
}

/** `trimMessages` with the strategy "last" and partial messages: the oldest that does not fit keeps its last lines. */
function trim(messages: readonly string[]): readonly string[] {
  const start = messages.findIndex((_, index) => tokensOf(messages.slice(index)) <= trimTokens);
  const kept = start === -1 ? [] : messages.slice(start);
  const partly = start === 0 ? undefined : messages[(start === -1 ? messages.length : start) - 1];
  const lines = partly?.split("\n") ?? [];
  for (let from = 1; from < lines.length; from++) {
    const part = lines.slice(from).join("\n");
    if (tokensOf([part, ...kept]) <= trimTokens) return [part, ...kept];
  }
  return kept;
}

/** A summariser that keeps all it is given: more than any model does. */
export const keepAll = (messages: string): string => messages;

/** A summary of a usual length: every n-th sentence, so that so many tokens (characters / 4) remain. No model's choice. */
export function everyNthSentence(tokens: number): (messages: string) => string {
  return (messages) => {
    const sentences = messages.split(/(?<=[.!?])\s+|\n+/).filter((sentence) => sentence !== "");
    const nth = Math.max(1, messages.length / (4 * tokens));
    const kept = sentences.filter((_, index) => Math.floor((index + 1) / nth) > Math.floor(index / nth));
    return kept.join(" ").slice(0, 4 * tokens);
  };
}
