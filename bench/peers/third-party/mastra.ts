// Mastra's durable agent on LibSQL, with checkpoints while a run goes on: mastra.ai/docs/harness/durable-agents
// (`recovery: { durableAgents: "auto" }`, `recover(runId)`), /docs/agents/human-in-the-loop (`requireApproval`),
// /docs/agents/processors (TokenLimiter), /docs/storage.
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Mastra } from "@mastra/core";
import { Agent } from "@mastra/core/agent";
import { createDurableAgent } from "@mastra/core/agent/durable";
import { TokenLimiter } from "@mastra/core/processors";
import { createTool } from "@mastra/core/tools";
import { LibSQLStore } from "@mastra/libsql";
import { type BenchTool, type Outcome, outcomeOf, type Peer, type Scenario, type Session } from "../peer.ts";

export const peer: Peer = {
  title: "Mastra",
  packages: ["@mastra/core", "@mastra/libsql"],
  storage: "LibSQLStore (file, WAL, the driver's synchronous=FULL), durable agent with recovery on",
  durable: "step",
  files: ["mastra.db"],
  guard: "TokenLimiter input processor",
  open: async (scenario) => open(scenario),
};

async function open(scenario: Scenario): Promise<Session> {
  const maxSteps = scenario.maxTurns;
  const agent = createDurableAgent({
    agent: buildAgent(scenario),
    ...(maxSteps !== undefined && { maxSteps }),
  });
  const storage = new LibSQLStore({ id: "bench", url: `file:${join(scenario.folder, "mastra.db")}` });
  const mastra = new Mastra({
    agents: { bench: agent },
    storage,
    logger: false,
    recovery: { durableAgents: "auto" },
  });
  await storage.init();
  const durable = mastra.getAgent("bench") as unknown as typeof agent; // as registered above
  const start = (runId: string) =>
    outcomeOf(async () => {
      const options = { runId, ...(maxSteps !== undefined && { maxSteps }) };
      return outcomeFrom(await durable.generate(`Run ${runId}.`, options as never));
    });
  return {
    start,
    recover: (runId) =>
      outcomeOf(async () => {
        const active = await durable.listActiveRuns();
        if (!active.runs.some((run) => run.runId === runId)) return start(runId);
        const { output, cleanup } = await durable.recover(runId);
        const full = await output.getFullOutput();
        cleanup();
        return outcomeFrom(full);
      }),
    approve: (runId) =>
      outcomeOf(async () => outcomeFrom(await durable.approveToolCallGenerate({ runId } as never))),
    close: async () => void (await mastra.shutdown()),
  };
}

export function buildAgent(scenario: Scenario) {
  const provider = createOpenAICompatible({
    name: "scripted",
    baseURL: "http://127.0.0.1:1/v1",
    fetch: scenario.fetch as typeof fetch,
  });
  return new Agent({
    id: "bench",
    name: "bench",
    instructions: "Do as told.",
    model: provider("scripted") as never, // V4; exactOptionalPropertyTypes sets the two packages' types apart
    tools: Object.fromEntries(scenario.tools.map((one) => [one.name, asTool(one)])),
    ...(scenario.guardTokens !== undefined && {
      inputProcessors: [new TokenLimiter(Math.floor(scenario.guardTokens * 0.9))],
    }),
  });
}

function asTool({ name, description, input, needsApproval, run }: BenchTool) {
  return createTool({
    id: name,
    description,
    inputSchema: input,
    requireApproval: needsApproval,
    execute: async (args) => run(args as Record<string, unknown>),
  });
}

function outcomeFrom(result: { finishReason?: unknown; text?: unknown; error?: unknown }): Outcome {
  const { finishReason, text, error } = result;
  if (error) return { kind: "failed", error: String(error).slice(0, 200) };
  if (finishReason === "suspended") return { kind: "paused" };
  if (finishReason === "stop") return { kind: "ended", text: String(text) };
  return { kind: "failed", error: `no error: returns with ${String(finishReason)}` };
}
