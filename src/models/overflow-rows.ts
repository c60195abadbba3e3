import type { FailureRow } from "./failure-row.ts";

/** Inputs that do not fit the model. Those rows that say more come first. */
export const overflowRows: readonly FailureRow[] = [
  {
    kind: "overflow",
    from: "anthropic, bedrock, vertex",
    pattern: /prompt is too long:? (?<sent>\d+) tokens > (?<limit>\d+) maximum/i,
    source: "earendil-works/pi#102",
  },
  {
    kind: "overflow",
    from: "anthropic, bedrock",
    pattern: /exceed context limit:\s+(?<sent>\d+)\s+\+\s+(?<more>\d+)\s+>\s+(?<limit>\d+)/i,
    source: "docker/docker-agent#569",
  },
  {
    kind: "overflow",
    from: "vllm",
    pattern:
      /too large: (?<more>\d+)\. This model's maximum context length is\s+(?<limit>\d+) tokens and your request has (?<sent>\d+) input tokens/i,
    source: "claude-code-best/claude-code#272",
  },
  {
    kind: "overflow",
    from: "openai, deepseek, vllm, openrouter",
    pattern:
      /maximum context length is (?<limit>\d+) tokens[.,] however,? you requested (?:about )?(?<sent>\d+) tokens/i,
    source: "evalstate/fast-agent#621",
  },
  {
    kind: "overflow",
    from: "openai, nvidia",
    pattern:
      /maximum context length is (?<limit>\d+) tokens\. however, your messages resulted in (?<sent>\d+) tokens/i,
    source: "cline/cline#13194",
  },
  {
    kind: "overflow",
    from: "openai, vllm",
    pattern: /maximum context length is (?<limit>\d+)/i,
    source: "Chanzhaoyu/chatgpt-web#372",
  },
  {
    kind: "overflow",
    from: "openai",
    pattern: /input exceeds the context window/i,
    source: "openai/codex#3177",
  },
  {
    kind: "overflow",
    from: "google",
    pattern:
      /input token count(?: \((?<sent>\d+)\))? exceeds the maximum number of tokens allowed(?: \((?<limit>\d+)\))?/i,
    source: "google-gemini/gemini-cli#6678",
  },
  {
    kind: "overflow",
    from: "mistral",
    pattern:
      /prompt contains (?<sent>\d+) tokens[^\n]{0,60}?too large for model with (?<limit>\d+) maximum context length/i,
    source: "badlogic/pi-mono: packages/ai/src/utils/overflow.ts",
  },
  {
    kind: "overflow",
    from: "cerebras",
    pattern: /current length is (?<sent>\d+) while limit is (?<limit>\d+)/i,
    source: "cline/cline#5140",
  },
  {
    kind: "overflow",
    from: "groq",
    pattern: /reduce the length of the (?:messages|prompt)/i,
    source: "badlogic/pi-mono: packages/ai/src/utils/overflow.ts",
  },
  {
    kind: "overflow",
    from: "cohere",
    pattern:
      /too many tokens: total number of tokens[^\n]{0,60}? cannot exceed (?<limit>\d+) - received (?<sent>\d+)/i,
    source: "cohere-ai/sandbox-topically#4",
  },
  {
    kind: "overflow",
    from: "xai",
    pattern: /maximum prompt length is (?<limit>\d+) but the request contains (?<sent>\d+) tokens/i,
    source: "cline/cline#3120",
  },
  {
    kind: "overflow",
    from: "bedrock",
    pattern: /input is too long for requested model/i,
    source: "aws-samples/bedrock-chat#95",
  },
  {
    kind: "overflow",
    from: "github copilot",
    pattern: /prompt token count of (?<sent>\d+) exceeds the limit of (?<limit>\d+)/i,
    source: "microsoft/vscode#289219",
  },
  {
    kind: "overflow",
    from: "github models",
    pattern: /request body too large for [^\n]{1,100}? model\. max size: (?<limit>\d+) tokens/i,
    source: "eslint/tsc-meetings#593",
  },
  // The number in brackets is an error code, and once was taken for the limit (NousResearch/hermes-agent#14743).
  {
    kind: "overflow",
    from: "minimax",
    pattern: /context window exceeds limit/i,
    source: "MiniMax-AI/MiniMax-M2#119",
  },
  {
    kind: "overflow",
    from: "moonshot",
    pattern: /exceeded model token limit: (?<limit>\d+) \(re ?quested: (?<sent>\d+)\)/i,
    source: "MoonshotAI/kimi-cli#2011",
  },
  {
    kind: "overflow",
    from: "qwen",
    pattern: /range of input length should be \[1, (?<limit>\d+)\]/i,
    source: "QwenLM/qwen-code#98",
  },
  {
    kind: "overflow",
    from: "llama.cpp",
    pattern: /exceeds the available context size|exceed_context_size_error/i,
    source: "ggml-org/llama.cpp#15780",
  },
  {
    kind: "overflow",
    from: "llama-cpp-python",
    pattern: /requested tokens \((?<sent>\d+)\) exceed context window of (?<limit>\d+)/i,
    source: "rllm-team/rllm#55",
  },
  {
    kind: "overflow",
    from: "lm studio",
    pattern:
      /trying to keep the first (?<sent>\d+) tokens when context[^\n]{1,80}?context length of only (?<limit>\d+) tokens/i,
    source: "lmstudio-ai/lmstudio-bug-tracker#546",
  },
  {
    kind: "overflow",
    from: "lm studio",
    pattern: /greater than the context length \(n_keep: (?<sent>\d+) >= n_ctx: (?<limit>\d+)\)/i,
    source: "tinyhumansai/openhuman#3550",
  },
  {
    kind: "overflow",
    from: "lm studio",
    pattern: /reached context length of (?<limit>\d+) tokens/i,
    source: "lmstudio-ai/lmstudio-bug-tracker#1251",
  },
  {
    kind: "overflow",
    from: "ollama",
    pattern: /prompt too long; exceeded max context length/i,
    source: "dyad-sh/dyad#3498",
  },
  {
    kind: "overflow",
    from: "omlx",
    pattern: /prompt too long: (?<sent>\d+) tokens exceeds max context window of (?<limit>\d+)/i,
    source: "ValueCell-ai/ClawX#658",
  },
  {
    kind: "overflow",
    from: "mlx-serve",
    pattern: /prompt exceeds max(?:imum)? (?:context )?length/i,
    source: "ddalcu/mlx-serve#66",
  },
  {
    kind: "overflow",
    from: "gpt4all",
    pattern: /prompt size exceeds the context window/i,
    source: "nomic-ai/gpt4all#664",
  },
  {
    kind: "overflow",
    from: "sglang",
    pattern:
      /input \((?<sent>\d+) tokens\) is longer than the model'?s context length \((?<limit>\d+) tokens\)/i,
    source: "sgl-project/sglang: python/sglang/srt/managers/tokenizer_manager.py",
  },
  {
    kind: "overflow",
    from: "sglang",
    pattern: /maximum context length of (?<limit>\d+) tokens\. You requested a total of (?<sent>\d+) tokens/i,
    source: "sgl-project/sglang: python/sglang/srt/managers/tokenizer_manager.py",
  },
  {
    kind: "overflow",
    from: "text-generation-inference, together",
    pattern:
      /must be <= (?<limit>\d+)\. given: (?<sent>\d+) `inputs` tokens and (?<more>\d+) `max_new_tokens`/i,
    source: "huggingface/text-generation-inference#628",
  },
  {
    kind: "overflow",
    from: "text-generation-inference",
    pattern: /`inputs` must have less than (?<limit>\d+) tokens\. given: (?<sent>\d+)/i,
    source: "meta-llama/llama#1103",
  },
  {
    kind: "overflow",
    from: "vllm",
    pattern:
      /prompt \(total length (?<sent>\d+)\) is too long to fit into the model \(context length (?<limit>\d+)\)/i,
    source: "vllm-project/vllm#12165",
  },
  {
    kind: "overflow",
    from: "any",
    pattern:
      /context_length_exceeded|model_context_window_exceeded|model_max_prompt_tokens_exceeded|tokens_limit_reached/,
    source: "the-open-agent/openagent#2344",
  },
];
