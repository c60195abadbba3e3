// LangChain's agent on LangGraph, with its SQLite checkpointer.
// docs.langchain.com/oss/javascript/langchain/agents, /langchain/human-in-the-loop, /langgraph/durable-execution
// (durability "sync": persisted before the next step starts; after a failure the same thread is invoked with null),
// /langchain/short-term-memory (summarisation, trimming) and /langchain/middleware (context editing).
import { join } from "node:path";
import { Command } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";
import { ChatOpenAI } from "@langchain/openai";
import {
  ClearToolUsesEdit,
  contextEditingMiddleware,
  createAgent,
  humanInTheLoopMiddleware,
  tool,
} from "langchain";
import { type BenchTool, type Outcome, outcomeOf, type Peer, type Scenario, type Session } from "../peer.ts";

export const peer: Peer = {
  title: "LangGraph.js",
  packages: [
    "langchain",
    "@langchain/langgraph",
    "@langchain/langgraph-checkpoint-sqlite",
    "@langchain/openai",
  ],
  storage: 'SqliteSaver (better-sqlite3: WAL, synchronous=FULL), durability "sync"',
  durable: "step",
  files: ["langgraph.db"],
  guard: "contextEditingMiddleware (ClearToolUsesEdit)",
  open: async (scenario) => open(scenario),
};

function open(scenario: Scenario): Session {
  const checkpointer = SqliteSaver.fromConnString(join(scenario.folder, "langgraph.db"));
  const agent = buildAgent(scenario, checkpointer);
  const invoke = (runId: string, input: unknown) =>
    outcomeOf(async () => {
      const state = await agent.invoke(
        input as never, // messages, a command, or null to go on: the types know the first two
        {
          configurable: { thread_id: runId },
          durability: "sync",
          ...(scenario.maxTurns !== undefined && { recursionLimit: scenario.maxTurns * 4 + 20 }),
        } as never, // `durability` is an option of the graph that createAgent's types do not list
      );
      return outcomeFrom(state);
    });
  return {
    start: (runId) => invoke(runId, { messages: [{ role: "user", content: `Run ${runId}.` }] }),
    async recover(runId) {
      const known = await checkpointer.getTuple({ configurable: { thread_id: runId } });
      return known ? invoke(runId, null) : this.start(runId); // killed before its first checkpoint
    },
    approve: (runId) => invoke(runId, new Command({ resume: { decisions: [{ type: "approve" }] } })),
    close: async () => void checkpointer.db.close(),
  };
}

function buildAgent(scenario: Scenario, checkpointer: SqliteSaver) {
  const held = scenario.tools.filter((one) => one.needsApproval).map((one) => one.name);
  const model = new ChatOpenAI({
    model: "scripted",
    apiKey: "none",
    configuration: { baseURL: "http://127.0.0.1:1/v1", fetch: scenario.fetch as typeof fetch },
  });
  const middleware = [
    ...(held.length > 0
      ? [
          humanInTheLoopMiddleware({
            interruptOn: Object.fromEntries(held.map((name) => [name, true])),
          } as never), // its type wants literal names
        ]
      : []),
    ...(scenario.guardTokens === undefined
      ? []
      : [
          contextEditingMiddleware({
            edits: [
              new ClearToolUsesEdit({ trigger: { tokens: scenario.guardTokens / 2 }, keep: { messages: 1 } }),
            ],
          }),
        ]),
  ];
  return createAgent({
    model,
    tools: scenario.tools.map(asTool),
    checkpointer,
    middleware: middleware as never, // its type wants a tuple
  });
}

function asTool({ name, description, input, run }: BenchTool) {
  return tool(async (args) => run(args as Record<string, unknown>), { name, description, schema: input });
}

function outcomeFrom(state: object): Outcome {
  if ("__interrupt__" in state) return { kind: "paused" };
  const { messages } = state as { readonly messages: readonly { readonly text: string }[] };
  return { kind: "ended", text: messages.at(-1)?.text ?? "" };
}
