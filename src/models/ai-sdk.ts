// Calls a provider of the AI SDK directly (`doGenerate`), without the SDK's own loop, retries or prompt text: what
// goes out is the ModelInput, and what comes back is handed on as it is.
import type { LanguageModelV3, LanguageModelV4 } from "@ai-sdk/provider";
import type { Usage } from "../core/events.ts";
import type { Model, ModelCall, ModelInput, ModelMessage, ModelOutput, ModelTool } from "../ports/model.ts";
import { toModelError } from "./model-error.ts";

type LanguageModel = LanguageModelV4 | LanguageModelV3;
type Result = Awaited<ReturnType<LanguageModel["doGenerate"]>>;
type Content = Result["content"][number];

/**
 * A Model from an AI SDK model object, such as `anthropic("claude-…")` or `openai.chat("gpt-…")`.
 *
 * Its calls throw `model_failed` for what the provider refuses or gets wrong, `model_unavailable` when its API key is
 * not set, and the signal's reason when aborted; after an abort the provider may still have done, and charge, the work.
 */
export function aiSdkModel(model: LanguageModel): Model {
  const id = `${model.provider.split(".")[0]}/${model.modelId}`; // "anthropic.messages" names the API as well
  return {
    id,
    async generate(input, { signal }) {
      signal.throwIfAborted();
      try {
        return toOutput(id, await model.doGenerate(toOptions(input, signal)));
      } catch (error) {
        signal.throwIfAborted();
        throw toModelError(id, error);
      }
    },
  };
}

function toOptions(input: ModelInput, abortSignal: AbortSignal) {
  const call = { prompt: toPrompt(input.messages), maxOutputTokens: input.maxOutputTokens, abortSignal };
  // Some providers refuse a tool choice without tools.
  return input.tools.length === 0 ? call : { ...call, tools: input.tools.map(toTool), toolChoice: { type: "auto" as const } };
}
