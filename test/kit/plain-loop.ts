// For comparison: the same mails, model, faults and tools in the loop that the AI SDK's documentation shows for tools
// (`generateText` with `stopWhen: isStepCount(n)`, retries as they are by default). No approvals, no log, no deadline.
import { join } from "node:path";
import { APICallError, type LanguageModelV4, type LanguageModelV4Prompt } from "@ai-sdk/provider";
import { generateText, isStepCount, jsonSchema, tool } from "ai";
import { supportDesk } from "../../examples/support-desk/agent.ts";
import { readMail } from "../../examples/support-desk/inbox.ts";
import { offlineModel } from "../../examples/support-desk/offline-model.ts";
import { openShop } from "../../examples/support-desk/shop.ts";
import { lookUp } from "../../examples/support-desk/ticket.ts";
import { answerName } from "../../src/core/encodings/encoding.ts";
import type { Json } from "../../src/core/json.ts";
import { type Schema, validate } from "../../src/core/schema.ts";
import {
  type Agent,
  isHoldpointError,
  type ModelInput,
  type ModelMessage,
  type ModelOutput,
  renderPrompt,
  type Tool,
} from "../../src/index.ts";
import { type FaultName, faultKinds, faultyModel, manualClock } from "../../src/testing/index.ts";
import { mailFile, writeDeskWorld } from "./desk-mails.ts";

interface PlainThread {
  readonly modelCalls: number;
  /** `hung`: it waits for an answer that never comes, until someone stops the process. */
  readonly end: "answered" | "no_answer" | "threw" | "hung";
}

export interface PlainRun {
  readonly threads: readonly PlainThread[];
  /** Tools that ran on an output that may not be used, by its fault. */
  readonly fromUnusable: ReadonlyMap<string, number>;
  readonly toolRuns: number;
}

const concurrency = 50;

export async function runPlainLoops(options: {
  readonly data: string;
  readonly threads: number;
  readonly seed: number;
  readonly rate: number;
}): Promise<PlainRun> {
  const { data, threads, seed, rate } = options;
  Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });
  writeDeskWorld(data, threads);
  const model = faultyModel(offlineModel(), { seed, rates: rate, clock: manualClock(), slowMs: 0 });
  const desk = supportDesk({ data, inbox: join(data, "inbox"), model });
  const fromUnusable = new Map<string, number>();
  let toolRuns = 0;
  const onTool = (fault: FaultName | null): void => {
    toolRuns += 1;
    if (fault === null || faultKinds[fault] !== "unusable") return;
    fromUnusable.set(fault, (fromUnusable.get(fault) ?? 0) + 1);
  };
  const results: PlainThread[] = [];
  const queue = Array.from({ length: threads }, (_, mail) => mail).values();
  const take = async (): Promise<void> => {
    for (const mail of queue) results[mail] = await runOne(data, desk, model, mail, onTool);
  };
  await Promise.all(Array.from({ length: concurrency }, take));
  return { threads: results, fromUnusable, toolRuns };
}

async function runOne(
  data: string,
  desk: Agent,
  model: ReturnType<typeof faultyModel>,
  mail: number,
  onTool: (fault: FaultName | null) => void,
): Promise<PlainThread> {
  const shop = openShop(join(data, "support-desk", "shop.db"));
  const read = await readMail(join(data, "inbox", mailFile(mail)));
  const known = { mail: read, ticket: lookUp(shop, read), refused: [] };
  shop.close();
  const hung = new AbortController();
  const shim = shimOf(model, hung);
  try {
    const result = await generateText({
      model: shim.model,
      system: renderPrompt(desk.prompt, { input: null }).text,
      prompt: `Known now:\n${JSON.stringify(known)}`,
      tools: sdkTools(desk, mail, () => onTool(shim.lastFault())),
      stopWhen: isStepCount(desk.limits.steps),
      abortSignal: hung.signal,
    });
    const answered = result.toolCalls.some((call) => call.toolName === answerName && !call.invalid);
    return { modelCalls: shim.calls(), end: answered ? "answered" : "no_answer" };
  } catch {
    return { modelCalls: shim.calls(), end: hung.signal.aborted ? "hung" : "threw" };
  }
}

/** The desk's tools, and the answer as a tool that nothing executes: how the documentation ends a loop. */
function sdkTools(desk: Agent, mail: number, onRun: () => void) {
  const own = [...desk.tools.values()].map((each) => [each.name, sdkTool(each, mail, onRun)] as const);
  const answer = tool({
    description: "Gives the final answer and ends the task.",
    inputSchema: schemaOf(desk.outputSchema, desk.output),
  });
  return Object.fromEntries([...own, [answerName, answer] as const]);
}

function sdkTool(each: Tool, mail: number, onRun: () => void) {
  return tool({
    description: each.description,
    inputSchema: schemaOf(each.inputSchema, each.input),
    execute: async (args, { toolCallId }) => {
      onRun();
      const idempotencyKey = `mail ${mail} ${each.name} ${toolCallId}`;
      const context = {
        threadId: `mail ${mail}`,
        attempt: 1,
        idempotencyKey,
        signal: new AbortController().signal,
        artifact: () => Promise.reject(new Error("a plain loop keeps no artifacts")),
      };
      return (await each.run(args as Json, context)) as Json; // validated by the schema; tools give JSON
    },
  });
}

/** The JSON Schema is shown; the schema of our own validates. */
function schemaOf(schema: Json | undefined, own: Schema | undefined) {
  return jsonSchema<unknown>(schema as Parameters<typeof jsonSchema>[0], {
    validate: async (value) => {
      if (!own) return { success: true, value };
      const result = await validate(own, value);
      return result.ok
        ? { success: true, value: result.value }
        : { success: false, error: new Error(result.why) };
    },
  });
}

interface Shim {
  readonly model: LanguageModelV4;
  lastFault(): FaultName | null;
  calls(): number;
}

/** The faulty model as a provider's model object. A failure says that a retry may come at once, so none takes time. */
function shimOf(faulty: ReturnType<typeof faultyModel>, hung: AbortController): Shim {
  let lastFault: FaultName | null = null;
  let count = 0;
  const doGenerate: LanguageModelV4["doGenerate"] = async ({
    prompt,
    tools = [],
    maxOutputTokens = 4_096,
    abortSignal,
  }) => {
    count += 1;
    const input: ModelInput = {
      messages: toMessages(prompt),
      tools: tools.flatMap((each) =>
        each.type === "function"
          ? [{ name: each.name, description: each.description ?? "", inputSchema: each.inputSchema as Json }]
          : [],
      ),
      maxOutputTokens,
    };
    const running = faulty.generate(input, { signal: abortSignal ?? hung.signal });
    const call = faulty.calls.at(-1); // added when the call begins
    if (call?.fault === "timeout") hung.abort(new Error("no answer, ever"));
    try {
      const output = await running;
      lastFault = call?.fault ?? null;
      return toResult(output, lastFault);
    } catch (error) {
      throw toApiError(error);
    }
  };
  return {
    model: {
      specificationVersion: "v4",
      provider: "faulty",
      modelId: faulty.id,
      supportedUrls: {},
      doGenerate,
      doStream: () => Promise.reject(new Error("not streamed here")),
    },
    lastFault: () => lastFault,
    calls: () => count,
  };
}

function toApiError(error: unknown): unknown {
  if (!isHoldpointError(error)) return error;
  return new APICallError({
    message: error.message,
    url: "http://faulty",
    requestBodyValues: {},
    statusCode: error.retryable ? 503 : 400,
    isRetryable: error.retryable,
    responseHeaders: { "retry-after-ms": "0" },
  });
}

function toResult(
  output: ModelOutput,
  fault: FaultName | null,
): Awaited<ReturnType<LanguageModelV4["doGenerate"]>> {
  const unified = {
    stop: "stop",
    calls: "tool-calls",
    length: "length",
    refused: "content-filter",
    other: "other",
  } as const;
  const { inputTokens, outputTokens } = output.usage ?? {};
  return {
    content: [
      ...(output.text === "" ? [] : [{ type: "text" as const, text: output.text }]),
      ...output.calls.map(({ callId, tool: toolName, args }) => ({
        type: "tool-call" as const,
        toolCallId: callId,
        toolName,
        // An adapter unpacks text in text once; on the wire it was packed.
        input: typeof args === "string" && fault !== "quoted_arguments" ? args : JSON.stringify(args),
      })),
    ],
    finishReason: { unified: unified[output.finish], raw: output.finish },
    usage: {
      inputTokens: { total: inputTokens, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: outputTokens, text: undefined, reasoning: undefined },
    },
    warnings: [],
  };
}

/** Calls that the SDK refused, and its errors about them, are left out: the stand-in then writes the call anew. */
function toMessages(prompt: LanguageModelV4Prompt): readonly ModelMessage[] {
  const refused = new Set(
    prompt.flatMap((message) =>
      message.role === "tool"
        ? message.content.flatMap((part) =>
            part.type === "tool-result" && isRefusal(part.output) ? [part.toolCallId] : [],
          )
        : [],
    ),
  );
  return prompt.flatMap((message): readonly ModelMessage[] => {
    switch (message.role) {
      case "system":
        return [{ role: "system", content: message.content }];
      case "user":
        return [{ role: "user", content: textOf(message.content) }];
      case "assistant": {
        const calls = message.content.flatMap((part) =>
          part.type === "tool-call" && !refused.has(part.toolCallId)
            ? [{ callId: part.toolCallId, tool: part.toolName, args: part.input }]
            : [],
        );
        return [{ role: "assistant", content: textOf(message.content), calls }];
      }
      case "tool":
        return message.content.flatMap((part) =>
          part.type === "tool-result" && !refused.has(part.toolCallId)
            ? [
                {
                  role: "tool" as const,
                  callId: part.toolCallId,
                  tool: part.toolName,
                  content: resultText(part.output),
                },
              ]
            : [],
        );
      default:
        return message satisfies never;
    }
  });
}

type ToolOutput = Extract<
  Extract<LanguageModelV4Prompt[number], { role: "tool" }>["content"][number],
  { type: "tool-result" }
>["output"];

function isRefusal(output: ToolOutput): boolean {
  return (
    output.type === "error-text" &&
    /^(Invalid input for tool|Model tried to call unavailable)/.test(output.value)
  );
}

function resultText(output: ToolOutput): string {
  if (output.type === "json" || output.type === "error-json") return JSON.stringify(output.value);
  if (output.type === "error-text") return JSON.stringify({ status: "failed", message: output.value });
  return output.type === "text" ? output.value : "";
}

function textOf(content: readonly { readonly type: string }[]): string {
  return content.map((part) => (part.type === "text" && "text" in part ? String(part.text) : "")).join("");
}
