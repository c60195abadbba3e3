import type { FailureRow } from "./failure-row.ts";

/** Quota and throttling come first: their messages speak of tokens, prompts and contexts as well. */
export const limitRows: readonly FailureRow[] = [
  {
    kind: "quota",
    from: "google",
    pattern: /^quotaId=\w*PerDay/m, // its `retryDelay` of some seconds holds for the minute's quota only
    fix: "Wait for the next day, or raise the account's quota.",
    source: "ogkalu2/comic-translate#403",
  },
  {
    kind: "quota",
    from: "bedrock",
    pattern: /too many (?:tokens|requests) per day/i,
    fix: "Wait for the next day, or raise the account's quota.",
    source: "minorun365/agent-book#29",
  },
  // OpenAI says the same sentence of an empty account, with `insufficient_quota`.
  {
    kind: "throttled",
    from: "google",
    pattern: /^status=RESOURCE_EXHAUSTED$/m,
    source: "google-gemini/gemini-cli#8437",
  },
  {
    kind: "throttled",
    from: "google",
    pattern: /ai\.google\.dev\/gemini-api\/docs\/rate-limits/,
    source: "google-gemini/gemini-cli#8414",
  },
  {
    kind: "throttled",
    from: "vertex",
    pattern: /resource (?:has been )?exhausted/i,
    source: "google-gemini/gemini-cli#14811",
  },
  {
    kind: "throttled",
    from: "vertex",
    pattern: /quota exceeded for (?:aiplatform|quota metric)/i,
    source: "anthropics/claude-code#1440",
  },
  {
    kind: "quota",
    from: "openai",
    pattern: /insufficient_quota|billing_hard_limit_reached/,
    source: "vercel/ai: openai-error.1.json",
  },
  {
    kind: "quota",
    from: "openai, moonshot",
    pattern: /exceeded (?:your )?current quota|exceeded_current_quota/i,
    source: "MoonshotAI/Kimi-K2#5",
  },
  {
    kind: "quota",
    from: "anthropic",
    pattern: /credit balance is too low/i,
    source: "anthropics/claude-code#66314",
  },
  {
    kind: "quota",
    from: "anthropic",
    pattern: /reached your specified API usage limits/i,
    source: "anthropics/claude-code#38035",
  },
  {
    kind: "quota",
    from: "anthropic",
    pattern: /extra usage is required for long context/i, // as a rate_limit_error, HTTP 429, for ever
    fix: "Enable extra usage, or set a smaller window budget.",
    source: "anthropics/claude-code#53607",
  },
  {
    kind: "quota",
    from: "deepseek, z.ai",
    pattern: /insufficient[ _]balance|余额不足/i,
    source: "zai-org/feedback#789",
  },
  {
    kind: "quota",
    from: "xai",
    pattern: /used all available credits|run out of credits|(?:doesn't|does not) have any credits/i,
    source: "continuedev/continue#10373",
  },
  {
    kind: "quota",
    from: "openrouter",
    pattern: /requires more credits|prompt tokens limit exceeded: \d+ > \d+/i,
    source: "anomalyco/opencode#12219",
  },
  { kind: "quota", from: "any", status: [402], pattern: /^/, source: "HTTP 402 Payment Required" },
  // A single request that is larger than what a minute allows: waiting never mends it.
  {
    kind: "throttled",
    from: "openai, groq",
    pattern:
      /request too large for [^\n]{1,300}?tokens? per min[^\n]{0,20}?limit:? (?<limit>[\d,]+), requested:? (?<sent>[\d,]+)/i,
    source: "continuedev/continue#10602, #10218",
  },
  {
    kind: "throttled",
    from: "openai, groq",
    pattern:
      /rate limit reached for [^\n]{1,300}?tokens? per (?:min|day)[^\n]{0,20}?limit:? (?<limit>[\d,]+), used:? [\d,]+, requested:? (?<sent>[\d,]+)/i,
    source: "FoundationAgents/MetaGPT#523",
  },
  {
    kind: "overloaded",
    from: "anthropic",
    pattern: /overloaded_error|^overloaded\b/im,
    source: "anthropics/anthropic-sdk-typescript#616",
  },
  {
    kind: "overloaded",
    from: "openai, google, moonshot",
    pattern: /(?:currently|is) overloaded|engine_overloaded/i,
    source: "MoonshotAI/MoonshotAI-Cookbook#16",
  },
  {
    kind: "overloaded",
    from: "openai, google, azure",
    pattern: /(?:at|over) capacity|experiencing high demand/i,
    source: "continuedev/continue#10639",
  },
  {
    kind: "throttled",
    from: "bedrock",
    pattern: /too many tokens, please wait/i,
    source: "anomalyco/opencode#39621",
  },
  {
    kind: "throttled",
    from: "bedrock",
    pattern: /ThrottlingException|request was throttled/i,
    source: "RooCodeInc/Roo-Code#5050",
  },
  { kind: "throttled", from: "any", pattern: /rate[ _-]?limit/i, source: "cline/cline#4351" },
  {
    kind: "throttled",
    from: "z.ai, anthropic",
    pattern: /high concurrency usage|too much concurrency|concurrent (?:connections|requests)/i,
    source: "kaitranntt/ccs#402",
  },
  {
    kind: "throttled",
    from: "cerebras",
    pattern: /(?:tokens|requests) per (?:minute|day) limit exceeded|too many requests/i,
    source: "continuedev/continue#9800",
  },
  // Whatever else such a response says, it is no overflow: opencode took throttling for one (anomalyco/opencode#39620).
  { kind: "throttled", from: "any", status: [429], pattern: /^/, source: "HTTP 429 Too Many Requests" },
];

const outputFix = "Give the agent a smaller maxOutputTokens.";

/** These name limits of tokens as well, but not of the input. */
export const lookAlikeRows: readonly FailureRow[] = [
  {
    kind: "invalid_request",
    from: "openai",
    pattern: /max_(?:completion_)?tokens is too large: \d+\. This model supports at most/i,
    fix: outputFix,
    source: "diffbot/code-gpt-docs#284",
  },
  {
    kind: "invalid_request",
    from: "bedrock",
    pattern: /maximum tokens you requested exceeds? the model limit/i,
    fix: outputFix,
    source: "vercel/ai#2772",
  },
  {
    kind: "invalid_request",
    from: "groq",
    pattern: /max_tokens must be less than or equal to/i,
    fix: outputFix,
    source: "RooCodeInc/Roo-Code#5729",
  },
  {
    kind: "invalid_request",
    from: "doubao",
    pattern: /max_completion_tokens` specified in the request are not valid/i,
    fix: outputFix,
    source: "Gitlawb/openclaude#331",
  },
];
