// OpenAI Agents. A paused run is its RunState as text, kept here in a file:
// openai.github.io/openai-agents-js/guides/human-in-the-loop. Nothing is kept while a run goes on.
// /guides/models (chat completions), /guides/running-agents (maxTurns, callModelInputFilter, toolNotFoundBehavior).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  Agent,
  type AgentInputItem,
  OpenAIChatCompletionsModel,
  Runner,
  RunState,
  tool,
} from "@openai/agents";
import OpenAI from "openai";
import { type BenchTool, type Outcome, outcomeOf, type Peer, type Scenario, type Session } from "../peer.ts";

export const peer: Peer = {
  title: "OpenAI Agents",
  packages: ["@openai/agents", "openai"],
  storage:
    "none of its own; the bench saves the RunState of a paused run in a file, as its documentation shows",
  durable: "pause",
  files: [],
  guard: "callModelInputFilter (keeps the last call with its result)",
  open: async (scenario) => open(scenario),
};

function open(scenario: Scenario): Session {
  const agent = buildAgent(scenario);
  const runner = new Runner({
    tracingDisabled: true,
    ...(scenario.guardTokens !== undefined && {
      callModelInputFilter: async ({ modelData }) => ({ ...modelData, input: lastPair(modelData.input) }),
    }),
  });
  const fileOf = (runId: string) => join(scenario.folder, `${runId}.state.json`);
  const options = scenario.maxTurns === undefined ? {} : { maxTurns: scenario.maxTurns };
  const run = (runId: string, input: string | RunState<unknown, typeof agent>) =>
    outcomeOf(async (): Promise<Outcome> => {
      const result = await runner.run(agent, input, options);
      if (result.interruptions.length === 0) return { kind: "ended", text: String(result.finalOutput) };
      writeFileSync(fileOf(runId), result.state.toString());
      return { kind: "paused" };
    });
  const start = (runId: string) => run(runId, `Run ${runId}.`);
  return {
    start,
    recover: start,
    async approve(runId) {
      const state = await RunState.fromString(agent, readFileSync(fileOf(runId), "utf8"));
      for (const interruption of state.getInterruptions()) state.approve(interruption);
      return run(runId, state);
    },
    close: async () => {},
  };
}

function buildAgent(scenario: Scenario) {
  const client = new OpenAI({
    apiKey: "none",
    baseURL: "http://127.0.0.1:1/v1",
    fetch: scenario.fetch as typeof fetch,
  });
  const model = new OpenAIChatCompletionsModel(client as never, "scripted"); // another copy's private members
  return new Agent({ name: "bench", instructions: "Do as told.", model, tools: scenario.tools.map(asTool) });
}

function asTool({ name, description, input, needsApproval, run }: BenchTool) {
  return tool({
    name,
    description,
    parameters: input,
    needsApproval,
    execute: (args) => run(args as Record<string, unknown>),
  });
}

/** The task, and the newest call with its result. */
function lastPair(input: AgentInputItem[]): AgentInputItem[] {
  return input.length <= 3 ? input : [...input.slice(0, 1), ...input.slice(-2)];
}
