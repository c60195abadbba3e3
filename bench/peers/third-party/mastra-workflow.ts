// Mastra's other way to go on after a crash, measured in the kills only: the loop as a workflow, restarted from its last
// active step. mastra.ai/docs/workflows/overview (restarting active runs), /control-flow (dountil), /agents-and-tools.
import { join } from "node:path";
import { Mastra } from "@mastra/core";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { LibSQLStore } from "@mastra/libsql";
import { z } from "zod";
import { type Outcome, outcomeOf, type Peer, type Scenario, type Session } from "../peer.ts";
import { buildAgent, peer as durableAgent } from "./mastra.ts";

export const peer: Peer = {
  ...durableAgent,
  title: "Mastra, workflow",
  open: async (scenario) => open(scenario),
};

const turnState = z.object({ messages: z.array(z.any()), finish: z.string(), text: z.string() });

async function open(scenario: Scenario): Promise<Session> {
  const storage = new LibSQLStore({ id: "bench", url: `file:${join(scenario.folder, "mastra.db")}` });
  const workflow = buildWorkflow(scenario);
  const mastra = new Mastra({ workflows: { bench: workflow }, storage, logger: false });
  await storage.init();
  const registered = mastra.getWorkflow("bench");
  const start = (runId: string) =>
    outcomeOf(async () => {
      const run = await registered.createRun({ runId });
      const messages = [{ role: "user", content: `Run ${runId}.` }];
      return outcomeFrom(await run.start({ inputData: { messages, finish: "", text: "" } }));
    });
  return {
    start,
    recover: (runId) =>
      outcomeOf(async () => {
        const known = await registered.getWorkflowRunById(runId);
        if (!known) return start(runId); // killed before its first snapshot
        if (known.status === "success") return { kind: "ended", text: "done" };
        const run = await registered.createRun({ runId });
        return outcomeFrom(await run.restart());
      }),
    approve: () => Promise.reject(new Error("not measured by workflow")),
    close: async () => void (await mastra.shutdown()),
  };
}

/** One model call, with the tools it calls, is a step; its messages are the state that is kept. */
function buildWorkflow(scenario: Scenario) {
  const agent = buildAgent(scenario);
  const turn = createStep({
    id: "turn",
    inputSchema: turnState,
    outputSchema: turnState,
    async execute({ inputData }) {
      const result = await agent.generate(inputData.messages, { maxSteps: 1 });
      const messages = [...inputData.messages, ...(result.response.messages ?? [])];
      return {
        messages: JSON.parse(JSON.stringify(messages)),
        finish: String(result.finishReason),
        text: result.text,
      };
    },
  });
  return createWorkflow({ id: "bench", inputSchema: turnState, outputSchema: turnState })
    .dountil(turn, async ({ inputData }) => inputData.finish === "stop")
    .commit();
}

function outcomeFrom(result: {
  readonly status: string;
  readonly result?: unknown;
  readonly error?: unknown;
}): Outcome {
  if (result.status === "success") return { kind: "ended", text: "done" };
  return { kind: "failed", error: `${result.status}: ${String(result.error).slice(0, 160)}` };
}
