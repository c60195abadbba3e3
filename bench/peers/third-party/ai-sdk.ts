// AI SDK's generateText loop. It keeps nothing itself: its documentation saves the messages when a run ends or pauses
// (ai-sdk.dev/docs/ai-sdk-ui/chatbot-message-persistence), which is done here in one file a run.
// ai-sdk.dev/docs/agents/loop-control, /agents/tool-approvals, /reference/ai-sdk-ui/prune-messages (by prepareStep).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  generateText,
  isStepCount,
  type ModelMessage,
  pruneMessages,
  type ToolApprovalRequest,
  type ToolApprovalResponse,
  tool,
} from "ai";
import { type BenchTool, type Outcome, outcomeOf, type Peer, type Scenario, type Session } from "../peer.ts";

export const peer: Peer = {
  title: "AI SDK",
  packages: ["ai", "@ai-sdk/openai-compatible"],
  storage:
    "none of its own; the bench saves the messages of a paused run in a file, as its documentation shows",
  durable: "pause",
  files: [],
  guard: "pruneMessages in prepareStep",
  open: async (scenario) => open(scenario),
};

function open(scenario: Scenario): Session {
  const fileOf = (runId: string) => join(scenario.folder, `${runId}.messages.json`);
  const run = (runId: string, messages: ModelMessage[]) =>
    outcomeOf(async () => generate(scenario, messages, fileOf(runId)));
  const start = (runId: string) => run(runId, [{ role: "user", content: `Run ${runId}.` }]);
  return {
    start,
    recover: start,
    async approve(runId) {
      const messages = JSON.parse(readFileSync(fileOf(runId), "utf8")) as ModelMessage[]; // written below
      const approvals = messages.flatMap(({ content }) =>
        typeof content === "string" ? [] : [...content].flatMap(approvalOf),
      );
      return run(runId, [...messages, { role: "tool", content: approvals }]);
    },
    close: async () => {},
  };
}

function approvalOf(part: { readonly type: string }): ToolApprovalResponse[] {
  if (part.type !== "tool-approval-request") return [];
  const { approvalId } = part as ToolApprovalRequest; // by its type
  return [{ type: "tool-approval-response", approvalId, approved: true }];
}

async function generate(scenario: Scenario, messages: ModelMessage[], file: string): Promise<Outcome> {
  const provider = createOpenAICompatible({
    name: "scripted",
    baseURL: "http://127.0.0.1:1/v1",
    fetch: scenario.fetch as typeof fetch,
  });
  const held = scenario.tools.filter((one) => one.needsApproval).map((one) => one.name);
  const result = await generateText({
    model: provider("scripted"),
    messages,
    tools: Object.fromEntries(scenario.tools.map((one) => [one.name, asTool(one)])),
    toolApproval: Object.fromEntries(held.map((name) => [name, "user-approval" as const])),
    stopWhen: isStepCount(scenario.maxTurns ?? 20), // 20 is the default of its ToolLoopAgent
    ...(scenario.guardTokens !== undefined && {
      prepareStep: ({ messages: all }: { messages: ModelMessage[] }) => ({
        messages: pruneMessages({ messages: all, toolCalls: "before-last-message" }),
      }),
    }),
  });
  writeFileSync(file, JSON.stringify([...messages, ...result.responseMessages]));
  if (result.content.some((part) => part.type === "tool-approval-request")) return { kind: "paused" };
  if (result.finishReason === "stop") return { kind: "ended", text: result.text };
  return {
    kind: "failed",
    error: `no error: returns after ${result.steps.length} steps, ${result.finishReason}`,
  };
}

function asTool({ description, input, run }: BenchTool) {
  return tool({ description, inputSchema: input, execute: (args) => run(args as Record<string, unknown>) });
}
