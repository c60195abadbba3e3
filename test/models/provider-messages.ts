// What providers said, as people reported it: messages quoted from public issues, with where each was seen. Names and
// ids of organizations, requests and accounts are shortened. A source that is a file of another program holds the shape
// of a message, not a report of one.
import type { ModelFailureKind } from "../../src/models/failure-row.ts";

export interface ProviderMessage {
  readonly from: string;
  readonly kind: ModelFailureKind;
  /** Only where it is not what the kind has by default. */
  readonly retryable?: boolean;
  readonly status?: number;
  /** The message as the SDK takes it out of the body. */
  readonly message?: string;
  readonly body?: unknown;
  readonly headers?: { readonly [name: string]: string };
  readonly limitTokens?: number;
  readonly sentTokens?: number;
  readonly retryAfterMs?: number;
  /** `owner/name#number` on github.com. */
  readonly source: string;
}

const overflows: readonly ProviderMessage[] = [
  {
    from: "anthropic",
    kind: "overflow",
    status: 400,
    message: "prompt is too long: 219898 tokens > 200000 maximum",
    body: {
      type: "error",
      error: {
        type: "invalid_request_error",
        message: "prompt is too long: 219898 tokens > 200000 maximum",
      },
    },
    limitTokens: 200_000,
    sentTokens: 219_898,
    source: "earendil-works/pi#102",
  },
  {
    from: "anthropic, through a proxy that answers 500",
    kind: "overflow",
    status: 500,
    message: "prompt is too long: 200348 tokens > 200000 maximum",
    limitTokens: 200_000,
    sentTokens: 200_348,
    source: "continuedev/continue#5896",
  },
  {
    from: "anthropic, input and output together",
    kind: "overflow",
    status: 400,
    message:
      "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000, decrease input length or `max_tokens` and try again",
    limitTokens: 200_000,
    sentTokens: 242_959,
    source: "docker/docker-agent#569",
  },
  {
    from: "anthropic on bedrock, wrapped",
    kind: "overflow",
    status: 400,
    message:
      "The model returned the following errors: input length and `max_tokens` exceed context limit: 196395 + 64000 > 204698, decrease input length or `max_tokens` and try again",
    limitTokens: 204_698,
    sentTokens: 260_395,
    source: "RooCodeInc/Roo-Code#3713",
  },
  {
    from: "anthropic on bedrock",
    kind: "overflow",
    status: 400,
    message: "The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum",
    limitTokens: 200_000,
    sentTokens: 200_049,
    source: "daisuke-awaji/moca#254",
  },
  {
    from: "bedrock",
    kind: "overflow",
    message: "Input is too long for requested model.",
    source: "aws-samples/bedrock-chat#95",
  },
  {
    from: "openai chat",
    kind: "overflow",
    status: 400,
    message:
      "This model's maximum context length is 4096 tokens. However, you requested 4118 tokens (3118 in the messages, 1000 in the completion). Please reduce the length of the messages or completion.",
    body: { error: { type: "invalid_request_error", param: "messages", code: "context_length_exceeded" } },
    limitTokens: 4_096,
    sentTokens: 4_118,
    source: "Chanzhaoyu/chatgpt-web#372",
  },
  {
    from: "openai chat, in other words",
    kind: "overflow",
    status: 400,
    message:
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 204308 tokens. Please reduce the length of the messages.",
    limitTokens: 128_000,
    sentTokens: 204_308,
    source: "webtimemachine/wtm2#579",
  },
  {
    from: "openai completions",
    kind: "overflow",
    message:
      "This model's maximum context length is 4097 tokens, however you requested 4116 tokens (3860 in your prompt; 256 for  the completion). Please reduce your prompt; or completion length.",
    limitTokens: 4_097,
    sentTokens: 4_116,
    source: "run-llama/llama_index#948",
  },
  {
    from: "openai responses",
    kind: "overflow",
    message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
    body: { error: { type: "invalid_request_error", code: "context_length_exceeded", param: "input" } },
    source: "the-open-agent/openagent#2344",
  },
  {
    from: "deepseek",
    kind: "overflow",
    status: 400,
    message:
      "This model's maximum context length is 131072 tokens. However, you requested 131134 tokens (122942 in the messages, 8192 in the completion). Please reduce the length of the messages or completion.",
    body: { error: { type: "invalid_request_error", param: null, code: "invalid_request_error" } },
    limitTokens: 131_072,
    sentTokens: 131_134,
    source: "evalstate/fast-agent#621",
  },
  {
    from: "vllm",
    kind: "overflow",
    status: 400,
    message:
      "This model's maximum context length is 16384 tokens. However, you requested 19591 tokens (9591 in the messages, 10000 in the completion). Please reduce the length of the messages or completion. None",
    body: { object: "error", type: "BadRequestError", param: null, code: 400 },
    limitTokens: 16_384,
    sentTokens: 19_591,
    source: "vllm-project/vllm#20409",
  },
  {
    from: "vllm, blaming the output",
    kind: "overflow",
    status: 400,
    message:
      "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum context length is      64001 tokens and your request has 24235 input tokens (64000 > 64001 - 24235). None",
    limitTokens: 64_001,
    sentTokens: 88_235,
    source: "claude-code-best/claude-code#272",
  },
  {
    from: "vllm, older",
    kind: "overflow",
    message:
      "The prompt (total length 25938) is too long to fit into the model (context length 4096). Make sure that `max_model_len` is no smaller than the number of text tokens plus multimodal tokens.",
    limitTokens: 4_096,
    sentTokens: 25_938,
    source: "vllm-project/vllm#12165",
  },
  {
    from: "openrouter",
    kind: "overflow",
    status: 400,
    message:
      'This endpoint\'s maximum context length is 32768 tokens. However, you requested about 42832 tokens (42832 of text input). Please reduce the length of either one, or use the "middle-out" transform to compress your prompt automatically.',
    body: { error: { code: 400, metadata: { provider_name: null } } },
    limitTokens: 32_768,
    sentTokens: 42_832,
    source: "refly-ai/refly#1177",
  },
  {
    from: "openrouter, quoting the provider's JSON",
    kind: "overflow",
    status: 400,
    message: "Provider returned error",
    body: {
      error: {
        message: "Provider returned error",
        code: 400,
        metadata: {
          raw: '{"error":{"message":"This model\'s maximum context length is 262144 tokens. However, your messages resulted in 262897 tokens. Please reduce the length of the messages.","type":"Bad Request","code":400}}',
          provider_name: "Nvidia",
        },
      },
    },
    limitTokens: 262_144,
    sentTokens: 262_897,
    source: "cline/cline#13194",
  },
  {
    from: "google",
    kind: "overflow",
    status: 400,
    message: "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).",
    body: [{ error: { code: 400, status: "INVALID_ARGUMENT" } }],
    limitTokens: 1_048_576,
    sentTokens: 1_200_293,
    source: "google-gemini/gemini-cli#6678",
  },
  {
    from: "google, without the count",
    kind: "overflow",
    status: 400,
    message: "The input token count exceeds the maximum number of tokens allowed (1048576).",
    limitTokens: 1_048_576,
    source: "arkavo-org/arkavo-edge#371",
  },
  {
    from: "google, JSON within the message",
    kind: "overflow",
    message: "",
    body: {
      error: {
        message:
          '{\n  "error": {\n    "code": 400,\n    "message": "The input token count (3475108) exceeds the maximum number of tokens allowed (1048576).",\n    "status": "INVALID_ARGUMENT"\n  }\n}\n',
        code: 400,
        status: "Bad Request",
      },
    },
    limitTokens: 1_048_576,
    sentTokens: 3_475_108,
    source: "google-gemini/gemini-cli#4231",
  },
  {
    from: "mistral",
    kind: "overflow",
    status: 400,
    message: "Prompt contains 300000 tokens, too large for model with 131072 maximum context length",
    limitTokens: 131_072,
    sentTokens: 300_000,
    source: "badlogic/pi-mono: packages/ai/src/utils/overflow.ts",
  },
  {
    from: "cerebras",
    kind: "overflow",
    status: 400,
    message:
      "Please reduce the length of the messages or completion. Current length is 42328 while limit is 40000",
    limitTokens: 40_000,
    sentTokens: 42_328,
    source: "cline/cline#5140",
  },
  {
    from: "groq",
    kind: "overflow",
    status: 400,
    message: "Please reduce the length of the messages or completion.",
    source: "badlogic/pi-mono: packages/ai/src/utils/overflow.ts",
  },
  {
    from: "cohere",
    kind: "overflow",
    message:
      "too many tokens: total number of tokens (prompt and prediction) cannot exceed 2048 - received 6354. Try using a shorter prompt or a smaller max_tokens value.",
    limitTokens: 2_048,
    sentTokens: 6_354,
    source: "cohere-ai/sandbox-topically#4",
  },
  {
    from: "xai",
    kind: "overflow",
    status: 400,
    message: "This model's maximum prompt length is 131072 but the request contains 136973 tokens.",
    limitTokens: 131_072,
    sentTokens: 136_973,
    source: "cline/cline#3120",
  },
  {
    from: "github copilot",
    kind: "overflow",
    status: 400,
    message: "prompt token count of 1236658 exceeds the limit of 128000",
    body: { error: { code: "model_max_prompt_tokens_exceeded" } },
    limitTokens: 128_000,
    sentTokens: 1_236_658,
    source: "microsoft/vscode#289219",
  },
  {
    from: "github models",
    kind: "overflow",
    status: 413,
    message: "Request body too large for gpt-4o model. Max size: 8000 tokens.",
    body: { error: { code: "tokens_limit_reached" } },
    limitTokens: 8_000,
    source: "eslint/tsc-meetings#593",
  },
  {
    from: "minimax, with an error code that is no limit",
    kind: "overflow",
    status: 400,
    message: "invalid params, context window exceeds limit (2013)",
    body: { type: "error", error: { type: "invalid_request_error" } },
    source: "agentscope-ai/QwenPaw#1873",
  },
  {
    from: "moonshot",
    kind: "overflow",
    status: 400,
    message: "Invalid request: Your request exceeded model token limit: 262144 (requested: 269030)",
    limitTokens: 262_144,
    sentTokens: 269_030,
    source: "MoonshotAI/kimi-cli#2011",
  },
  {
    from: "qwen",
    kind: "overflow",
    status: 400,
    message: "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 983616]",
    body: { error: { code: "invalid_parameter_error", type: "invalid_request_error" } },
    limitTokens: 983_616,
    source: "agentscope-ai/QwenPaw#6255",
  },
  {
    from: "llama.cpp, as HTTP 200",
    kind: "overflow",
    status: 200,
    message: "Invalid JSON response",
    body: {
      error: {
        code: 400,
        message:
          "the request exceeds the available context size. try increasing the context size or enable context shift",
        type: "exceed_context_size_error",
        n_prompt_tokens: 14_429,
        n_ctx: 8_192,
      },
    },
    limitTokens: 8_192,
    sentTokens: 14_429,
    source: "oobabooga/textgen#7257",
  },
  {
    from: "llama.cpp",
    kind: "overflow",
    status: 500,
    message:
      "the request exceeds the available context size. try increasing the context size or enable context shift",
    body: { error: { type: "exceed_context_size_error", n_prompt_tokens: 1_407, n_ctx: 256 } },
    limitTokens: 256,
    sentTokens: 1_407,
    source: "ggml-org/llama.cpp#15780",
  },
  {
    from: "llama-cpp-python",
    kind: "overflow",
    message: "Requested tokens (516) exceed context window of 512",
    limitTokens: 512,
    sentTokens: 516,
    source: "rllm-team/rllm#55",
  },
  {
    from: "lm studio",
    kind: "overflow",
    message:
      "Trying to keep the first 111490 tokens when context the overflows. However, the model is loaded with context length of only 32768 tokens, which is not enough. Try to load the model with a larger context length, or provide a shorter input. Error Data: n/a, Additional Data: n/a",
    limitTokens: 32_768,
    sentTokens: 111_490,
    source: "lmstudio-ai/lmstudio-bug-tracker#546",
  },
  {
    from: "lm studio, newer",
    kind: "overflow",
    status: 400,
    message:
      "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 10247 >= n_ctx: 4096). Try to load the model with a larger context length, or provide a shorter prompt.",
    limitTokens: 4_096,
    sentTokens: 10_247,
    source: "tinyhumansai/openhuman#3550",
  },
  {
    from: "lm studio, while it writes",
    kind: "overflow",
    message:
      "Reached context length of 4096 tokens with model (arch: qwen3vlmoe) that does not currently support mid-generation context overflow. Try reloading with a larger context length or shortening the prompt/chat.",
    limitTokens: 4_096,
    source: "lmstudio-ai/lmstudio-bug-tracker#1251",
  },
  {
    from: "ollama",
    kind: "overflow",
    status: 400,
    message: "Bad Request",
    body: { error: "prompt too long; exceeded max context length by 540451 tokens (ref: 00ad71bb)" },
    source: "dyad-sh/dyad#3498",
  },
  {
    from: "omlx",
    kind: "overflow",
    status: 400,
    message: "Prompt too long: 41911 tokens exceeds max context window of 32768 tokens",
    limitTokens: 32_768,
    sentTokens: 41_911,
    source: "ValueCell-ai/ClawX#658",
  },
  {
    from: "mlx-serve",
    kind: "overflow",
    status: 400,
    message: "Prompt exceeds maximum context length",
    source: "ddalcu/mlx-serve#66",
  },
  {
    from: "gpt4all",
    kind: "overflow",
    message: "ERROR: The prompt size exceeds the context window size and cannot be processed.",
    source: "nomic-ai/gpt4all#664",
  },
  {
    from: "sglang",
    kind: "overflow",
    status: 400,
    message: "The input (2000 tokens) is longer than the model's context length (1000 tokens).",
    limitTokens: 1_000,
    sentTokens: 2_000,
    source: "sgl-project/sglang: python/sglang/srt/managers/tokenizer_manager.py",
  },
  {
    from: "text-generation-inference",
    kind: "overflow",
    status: 422,
    message:
      "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1244 `inputs` tokens and 1000 `max_new_tokens`",
    limitTokens: 2_048,
    sentTokens: 2_244,
    source: "huggingface/text-generation-inference#628",
  },
  {
    from: "hugging face",
    kind: "overflow",
    status: 422,
    message: "Input validation error: `inputs` must have less than 4096 tokens. Given: 4545",
    limitTokens: 4_096,
    sentTokens: 4_545,
    source: "meta-llama/llama#1103",
  },
];

const throttled: readonly ProviderMessage[] = [
  {
    from: "openai, tokens a minute",
    kind: "throttled",
    status: 429,
    message:
      "Rate limit reached for gpt-4 in organization org-uVqp on tokens per min (TPM): Limit 10000, Used 8554, Requested 3082. Please try again in 9.816s. Visit https://platform.openai.com/account/rate-limits to learn more.",
    retryAfterMs: 9_816,
    source: "FoundationAgents/MetaGPT#523",
  },
  {
    from: "openai, requests a minute",
    kind: "throttled",
    status: 429,
    message:
      "Rate limit reached for gpt-4o-mini in organization org-OOhF on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. You can increase your rate limit by adding a payment method to your account.",
    body: { error: { type: "requests", param: null, code: "rate_limit_exceeded" } },
    retryAfterMs: 20_000,
    source: "feder-cr/invisible_playwright_mcp#249",
  },
  {
    from: "openai, in a stream",
    kind: "throttled",
    message:
      "Rate limit reached for organization org-1 on tokens per min (TPM): Limit 250000, Used 250000, Requested 57059. Please try again in 13.694s",
    retryAfterMs: 13_694,
    source: "openai/codex#10060",
  },
  {
    from: "openai, one request above the minute's tokens",
    kind: "throttled",
    retryable: false,
    status: 429,
    message:
      "Request too large for gpt-4o in organization org-vyUr on tokens per min (TPM): Limit 30000, Requested 61337. The input or output tokens must be reduced in order to run successfully. Visit https://platform.openai.com/account/rate-limits to learn more.",
    body: { error: { type: "tokens", param: null, code: "rate_limit_exceeded" } },
    limitTokens: 30_000,
    sentTokens: 61_337,
    source: "continuedev/continue#10602",
  },
  {
    from: "groq, one request above the minute's tokens, as 413",
    kind: "throttled",
    retryable: false,
    status: 413,
    message:
      "Request too large for model `llama-3.3-70b-versatile` in organization `org_01kg` service tier `on_demand` on tokens per minute (TPM): Limit 12000, Requested 14137, please reduce your message size and try again. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing",
    body: { error: { type: "tokens", code: "rate_limit_exceeded" } },
    limitTokens: 12_000,
    sentTokens: 14_137,
    source: "continuedev/continue#10218",
  },
  {
    from: "groq",
    kind: "throttled",
    message:
      "Rate limit reached for model `llama-3.1-8b-instant` in organization `org_01j5` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Used 5034, Requested 1443. Please try again in 4.77s. Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing",
    retryAfterMs: 4_770,
    source: "elizaOS/eliza#4040",
  },
  {
    from: "anthropic, speaking of the prompt's length",
    kind: "throttled",
    status: 429,
    message:
      "This request would exceed the rate limit for your organization of 20,000 input tokens per minute. For details, refer to: https://docs.anthropic.com/en/api/rate-limits. You can see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later.",
    body: { type: "error", error: { type: "rate_limit_error" } },
    headers: { "retry-after": "17" },
    retryAfterMs: 17_000,
    source: "OpenHands/OpenHands#9259",
  },
  {
    from: "anthropic, connections",
    kind: "throttled",
    status: 429,
    message:
      "Number of concurrent connections has exceeded your rate limit. Please try again later or contact sales at https://www.anthropic.com/contact-sales to discuss your options for a rate limit increase.",
    body: { type: "error", error: { type: "rate_limit_error" } },
    source: "cline/cline#4351",
  },
  {
    from: "anthropic, account",
    kind: "throttled",
    status: 429,
    message: "This request would exceed your account's rate limit. Please try again later.",
    body: { type: "error", error: { type: "rate_limit_error" } },
    source: "gsd-build/gsd-2#32",
  },
  {
    from: "azure",
    kind: "throttled",
    status: 429,
    message:
      "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-02-01 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 60 seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit.",
    body: { error: { code: "429" } },
    retryAfterMs: 60_000,
    source: "DmitryKatson/bc-code-interpreter#2",
  },
  {
    from: "azure, asking for a day",
    kind: "throttled",
    status: 429,
    message:
      "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2023-05-15 have exceeded token rate limit of your current AIServices S0 pricing tier. Please retry after 86400 seconds.",
    retryAfterMs: 3_600_000,
    source: "jasonacox/TinyLLM#17",
  },
  {
    from: "bedrock, which sounds like an overflow",
    kind: "throttled",
    status: 429,
    message: "Too many tokens, please wait before trying again.",
    source: "anomalyco/opencode#39621",
  },
  {
    from: "bedrock, through a relay without a status",
    kind: "throttled",
    message: '{"message":"Too many tokens, please wait before trying again."}',
    source: "ranxianglei/billion-context-pi#169",
  },
  {
    from: "cerebras, which sounds like an overflow",
    kind: "throttled",
    status: 429,
    message: "Tokens per minute limit exceeded - too many tokens processed.",
    source: "continuedev/continue#9800",
  },
  {
    from: "google, the minute's quota",
    kind: "throttled",
    status: 429,
    message:
      "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.",
    body: {
      error: {
        code: 429,
        status: "RESOURCE_EXHAUSTED",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            violations: [
              {
                quotaMetric: "generativelanguage.googleapis.com/generate_content_free_tier_input_token_count",
                quotaId: "GenerateContentInputTokensPerModelPerMinute-FreeTier",
                quotaValue: "250000",
              },
            ],
          },
          { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "26s" },
        ],
      },
    },
    retryAfterMs: 26_000,
    source: "RooCodeInc/Roo-Code#3883",
  },
  {
    from: "google, its sentence alone",
    kind: "throttled",
    message:
      "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.",
    source: "google-gemini/gemini-cli#8414",
  },
  {
    from: "vertex",
    kind: "throttled",
    status: 429,
    message:
      "Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.",
    source: "google-gemini/gemini-cli#14811",
  },
  {
    from: "anthropic on vertex",
    kind: "throttled",
    status: 429,
    message:
      "Quota exceeded for aiplatform.googleapis.com/online_prediction_input_tokens_per_minute_per_base_model with base model: anthropic-claude-opus-4. Please submit a quota increase request.",
    body: { error: { code: 429, status: "RESOURCE_EXHAUSTED" } },
    source: "anthropics/claude-code#1440",
  },
  {
    from: "google, an older quota",
    kind: "throttled",
    message:
      "Quota exceeded for quota metric 'Generate Content API requests per minute' and limit 'GenerateContent request limit per minute for a region' of service 'generativelanguage.googleapis.com'.",
    source: "tech-shrimp/gemini-playground#10",
  },
  {
    from: "z.ai, concurrency",
    kind: "throttled",
    status: 429,
    message:
      "High concurrency usage of this API, please reduce concurrency or contact customer service to increase limits",
    body: { error: { code: "1302" } },
    source: "kaitranntt/ccs#402",
  },
  {
    from: "openrouter, upstream",
    kind: "throttled",
    status: 429,
    message: "Provider returned error",
    body: {
      error: {
        message: "Provider returned error",
        code: 429,
        metadata: {
          raw: "google/gemini-2.0-flash-exp:free is temporarily rate-limited upstream. Please retry shortly, or add your own key to accumulate your rate limits",
          provider_name: "Google AI Studio",
        },
      },
    },
    source: "Aculeasis/openrouter-proxy#1",
  },
  {
    from: "ernie",
    kind: "throttled",
    status: 429,
    message: "Rate limit reached for RPM",
    body: { error: { code: "rpm_rate_limit_exceeded", type: "rate_limit_exceeded" } },
    source: "PaddlePaddle/ERNIE#1031",
  },
  {
    from: "xiaomi, through a gateway",
    kind: "throttled",
    status: 429,
    message: "Error from provider (Xiaomi): Too many requests",
    source: "anomalyco/opencode#29912",
  },
];

const quotas: readonly ProviderMessage[] = [
  {
    from: "openai, no credit, as 429",
    kind: "quota",
    status: 429,
    message:
      "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
    body: { error: { type: "insufficient_quota", param: null, code: "insufficient_quota" } },
    source: "vercel/ai: openai-error.1.json",
  },
  {
    from: "openai, no credit, in a stream",
    kind: "quota",
    message: "",
    body: {
      type: "error",
      sequence_number: 2,
      error: {
        type: "insufficient_quota",
        code: "insufficient_quota",
        message: "You exceeded your current quota, please check your plan and billing details.",
      },
    },
    source: "vercel/ai: openai-error.1.chunks.txt",
  },
  {
    from: "anthropic, as a bad request",
    kind: "quota",
    status: 400,
    message:
      "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
    body: { type: "error", error: { type: "invalid_request_error" } },
    source: "anthropics/claude-code#66314",
  },
  {
    from: "anthropic, the spending limit",
    kind: "quota",
    status: 400,
    message:
      "You have reached your specified API usage limits. You will regain access on 2026-04-01 at 00:00 UTC.",
    source: "anthropics/claude-code#38035",
  },
  {
    from: "anthropic, long context, as a rate limit for ever",
    kind: "quota",
    status: 429,
    message: "Extra usage is required for long context requests.",
    body: { type: "error", error: { type: "rate_limit_error" } },
    source: "anthropics/claude-code#53607",
  },
  {
    from: "deepseek",
    kind: "quota",
    status: 402,
    message: "Insufficient Balance",
    source: "continuedev/continue#9942",
  },
  {
    from: "z.ai, as 429",
    kind: "quota",
    status: 429,
    message: "[1113][Insufficient balance or no resource package. Please recharge.][20260922232915e8]",
    body: { type: "error", error: { type: "rate_limit_error", code: "1113" } },
    source: "zai-org/feedback#789",
  },
  {
    from: "z.ai, in Chinese",
    kind: "quota",
    status: 429,
    message: "余额不足或无可用资源包,请充值。",
    source: "continuedev/continue#11823",
  },
  {
    from: "moonshot, as 403",
    kind: "quota",
    status: 403,
    message:
      "Your account xx is not active, organization xx exceeded current quota, please check your plan and billing details",
    body: { error: { type: "exceeded_current_quota_error" } },
    source: "MoonshotAI/Kimi-K2#5",
  },
  {
    from: "xai, as 429",
    kind: "quota",
    status: 429,
    message:
      "Your team 16f2 has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit.",
    source: "continuedev/continue#10373",
  },
  {
    from: "xai, as 403",
    kind: "quota",
    status: 403,
    message:
      "You have run out of credits or need a Grok subscription. Add credits at https://grok.com/?_s=usage or upgrade at https://grok.com/supergrok.",
    source: "Wei-Shaw/sub2api#4069",
  },
  {
    from: "openrouter",
    kind: "quota",
    status: 402,
    message:
      "This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only afford 0. To increase, visit https://openrouter.ai/settings/keys and create a key with a higher monthly limit",
    source: "anomalyco/opencode#12219",
  },
  {
    from: "openrouter, which sounds like an overflow",
    kind: "quota",
    status: 402,
    message:
      "Prompt tokens limit exceeded: 69120 > 36608. To increase, visit https://openrouter.ai/settings/credits and upgrade to a paid account",
    source: "continuedev/continue#10962",
  },
  {
    from: "google, the day's quota, with a delay of seconds",
    kind: "quota",
    status: 429,
    message:
      "You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 20, model: gemini-2.5-flash\nPlease retry in 58.821668433s.",
    body: {
      error: {
        code: 429,
        status: "RESOURCE_EXHAUSTED",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier", quotaValue: "20" }],
          },
          { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "58s" },
        ],
      },
    },
    source: "ogkalu2/comic-translate#403",
  },
  {
    from: "bedrock, the day's tokens",
    kind: "quota",
    message: "Too many tokens per day, please wait before trying again.",
    source: "minorun365/agent-book#29",
  },
];

const lookAlikes: readonly ProviderMessage[] = [
  {
    from: "openai, the output's limit",
    kind: "invalid_request",
    status: 400,
    message:
      "max_tokens is too large: 8192. This model supports at most 4096 completion tokens, whereas you provided 8192.",
    body: { error: { type: "invalid_request_error", param: "max_tokens", code: null } },
    source: "ChatGPTNextWeb/NextChat#3195",
  },
  {
    from: "bedrock, the output's limit",
    kind: "invalid_request",
    status: 400,
    message:
      "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096.",
    source: "vercel/ai#2772",
  },
  {
    from: "groq, the output's limit, speaking of the context window",
    kind: "invalid_request",
    status: 400,
    message:
      "max_tokens must be less than or equal to 16384, the maximum value for max_tokens is less than the context_window for this model",
    source: "RooCodeInc/Roo-Code#5729",
  },
  {
    from: "doubao, the output's limit",
    kind: "invalid_request",
    status: 400,
    message:
      "The parameter `max_completion_tokens` specified in the request are not valid: integer above maximum value, expected a value <= 12288, but got 32000 instead.",
    source: "Gitlawb/openclaude#331",
  },
  {
    from: "openai, the number of tools",
    kind: "invalid_request",
    status: 400,
    message:
      "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 217 instead.",
    body: { error: { type: "invalid_request_error", param: "tools", code: "array_above_max_length" } },
    source: "julep-ai/julep#330",
  },
  {
    from: "openai, a string",
    kind: "invalid_request",
    status: 400,
    message:
      "Invalid 'messages[17].content': string too long. Expected a string with maximum length 1048576, but got a string with length 1744259 instead.",
    source: "gptscript-ai/clio#41",
  },
  {
    from: "openai, a tool's name",
    kind: "invalid_request",
    status: 400,
    message:
      "Invalid 'tools[11].function.name': string too long. Expected a string with maximum length 64, but got a string with length 74 instead.",
    body: { error: { code: "string_above_max_length" } },
    source: "home-assistant/core#121325",
  },
  {
    from: "qwen, a JSON string",
    kind: "invalid_request",
    status: 400,
    message:
      "String value length (20054016) exceeds the maximum allowed (20000000, from `StreamReadConstraints.getMaxStringLength()`)",
    source: "QwenLM/qwen-code#747",
  },
  {
    from: "mistral, embeddings in a batch",
    kind: "invalid_request",
    status: 400,
    message: "Too many tokens in batch. Max is 16384 got 17555",
    source: "aurelio-labs/semantic-router#297",
  },
  {
    from: "anthropic, bytes",
    kind: "invalid_request",
    status: 413,
    message: "Request exceeds the maximum size",
    body: { error: { type: "request_too_large" } },
    source: "earendil-works/pi#401",
  },
  {
    from: "github copilot, bytes",
    kind: "invalid_request",
    status: 413,
    message: "Request Entity Too Large",
    source: "anomalyco/opencode#14064",
  },
  {
    from: "anthropic, an image",
    kind: "invalid_request",
    status: 400,
    message:
      "messages.7.content.2.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels",
    source: "anthropics/claude-code#4778",
  },
  {
    from: "anthropic, the long context is not for this account",
    kind: "invalid_request",
    status: 400,
    message: "The long context beta is not yet available for this subscription.",
    source: "anthropics/claude-code#27944",
  },
  {
    from: "openai",
    kind: "invalid_request",
    status: 400,
    message:
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    body: { error: { code: "unsupported_parameter" } },
    source: "vercel/ai: reasoning-model-legacy-parameter-error.json",
  },
  {
    from: "bedrock",
    kind: "invalid_request",
    status: 400,
    message:
      "Invocation of model ID anthropic.claude-sonnet-4-20250514-v1:0 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
    source: "anthropics/claude-code#1466",
  },
];

const others: readonly ProviderMessage[] = [
  {
    from: "anthropic",
    kind: "overloaded",
    status: 529,
    message: "Overloaded",
    body: { type: "error", error: { type: "overloaded_error" } },
    source: "anthropics/anthropic-sdk-typescript#616",
  },
  {
    from: "anthropic, as 500",
    kind: "overloaded",
    status: 500,
    message: "Overloaded",
    body: { type: "error", error: { type: "api_error" } },
    source: "anthropics/claude-code#8123",
  },
  {
    from: "anthropic, in a stream",
    kind: "overloaded",
    message: "",
    body: {
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded. https://docs.claude.com/en/api/errors" },
    },
    source: "anthropics/claude-code#35514",
  },
  {
    from: "google",
    kind: "overloaded",
    status: 503,
    message: "The model is overloaded. Please try again later.",
    body: { error: { code: 503, status: "UNAVAILABLE" } },
    source: "google-gemini/gemini-cli#5191",
  },
  {
    from: "google, in other words",
    kind: "overloaded",
    message: "",
    body: {
      error: {
        message:
          '{\n  "error": {\n    "code": 503,\n    "message": "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.",\n    "status": "UNAVAILABLE"\n  }\n}\n',
        code: 503,
        status: "Service Unavailable",
      },
    },
    source: "continuedev/continue#10639",
  },
  {
    from: "moonshot",
    kind: "overloaded",
    status: 429,
    message: "The engine is currently overloaded, please try again later",
    body: { error: { type: "engine_overloaded_error" } },
    source: "MoonshotAI/MoonshotAI-Cookbook#16",
  },
  {
    from: "openai",
    kind: "overloaded",
    status: 503,
    message:
      "That model is currently overloaded with other requests. You can retry your request, or contact us through our help center at help.openai.com if the error persists.",
    body: { error: { type: "server_error", param: null, code: null } },
    source: "waylaidwanderer/node-chatgpt-api#34",
  },
  {
    from: "azure",
    kind: "overloaded",
    status: 429,
    message:
      "The system is currently experiencing high demand and cannot process your request. Your request exceeds the maximum usage size allowed during peak load. Please retry after 20 seconds.",
    retryAfterMs: 20_000,
    source: "pollinations/pollinations#6260",
  },
  {
    from: "anthropic",
    kind: "server",
    status: 500,
    message: "Internal server error",
    body: { type: "error", error: { type: "api_error" } },
    source: "anthropics/claude-code#35508",
  },
  {
    from: "openai, in a stream",
    kind: "server",
    message:
      "The server had an error while processing your request. Sorry about that! You can retry your request, or contact us through our help center at help.openai.com if the error persists.",
    source: "acheong08/ChatGPT#607",
  },
  {
    from: "cloudflare",
    kind: "timeout",
    status: 524,
    message: "error code: 524",
    source: "pollinations/pollinations#7211",
  },
  {
    from: "openai, a wrong key",
    kind: "unauthorized",
    status: 401,
    message:
      "Incorrect API key provided: sk-proj-****************************SJh4. You can find your API key at https://platform.openai.com/account/api-keys.",
    body: { error: { type: "invalid_request_error", param: null, code: "invalid_api_key" } },
    source: "IIC2440/Syllabus-2025-1#13",
  },
  {
    from: "anthropic, a wrong key",
    kind: "unauthorized",
    status: 401,
    message: "invalid x-api-key",
    body: { type: "error", error: { type: "authentication_error" } },
    source: "emilsvennesson/opencode-websearch#15",
  },
  {
    from: "google, the location",
    kind: "unauthorized",
    status: 400,
    message: "User location is not supported for the API use.",
    body: { error: { code: 400, status: "FAILED_PRECONDITION" } },
    source: "google-gemini/gemini-cli#24641",
  },
  {
    from: "openai, an organization",
    kind: "unauthorized",
    status: 400,
    message:
      "Your organization must be verified to stream this model. Please go to: https://platform.openai.com/settings/organization/general and click on Verify Organization.",
    body: { error: { type: "invalid_request_error", param: "stream", code: "unsupported_value" } },
    source: "continuedev/continue#8209",
  },
  {
    from: "azure",
    kind: "content_filter",
    status: 400,
    message:
      "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
    body: { error: { type: null, param: "prompt", code: "content_filter", status: 400 } },
    source: "stanford-crfm/helm#3327",
  },
  {
    from: "anthropic",
    kind: "content_filter",
    status: 400,
    message: "Output blocked by content filtering policy",
    body: { type: "error", error: { type: "invalid_request_error" } },
    source: "anthropics/claude-code#58367",
  },
  {
    from: "groq, the model's own call",
    kind: "garbled",
    status: 400,
    message:
      "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
    body: {
      error: {
        type: "invalid_request_error",
        code: "tool_use_failed",
        failed_generation: '<tool-use>{"tool_calls":[{"id":"pending"}]}</tool-use>',
      },
    },
    source: "groq/groq-typescript#103",
  },
  {
    from: "openai, no such model",
    kind: "not_found",
    status: 400,
    message: "The requested model 'gpt-5.2-proo' does not exist.",
    body: { error: { code: "model_not_found", param: "model", type: "invalid_request_error" } },
    source: "pydantic-ai: test_model_name_suggestion[openai-responses]",
  },
  {
    from: "google, no such model",
    kind: "not_found",
    status: 404,
    message:
      "models/gemini-3.6-flahs is not found for API version v1beta, or is not supported for generateContent.",
    source: "pydantic-ai: test_model_name_suggestion[google]",
  },
  {
    from: "bedrock, no such model",
    kind: "not_found",
    status: 400,
    message: "The provided model identifier is invalid.",
    source: "pydantic-ai: test_model_name_suggestion[bedrock]",
  },
];

export const providerMessages: readonly ProviderMessage[] = [
  ...overflows,
  ...throttled,
  ...quotas,
  ...lookAlikes,
  ...others,
];
