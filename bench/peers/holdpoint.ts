// Holdpoint from its sources, through its public API: docs/concepts.md (effects and `verify`), docs/window.md, docs/gate.md.
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  agent,
  closeRuntime,
  decideRequest,
  openEmbedded,
  type Runtime,
  settleThreads,
  startThread,
  type ThreadEvent,
  tool,
  window,
} from "../../src/index.ts";
import { type BenchTool, type Outcome, outcomeOf, type Peer, type Scenario, type Session } from "./peer.ts";

/** How it is opened, apart from what is the same for all peers. */
interface HoldpointSettings {
  readonly title: string;
  /** Whether the tool of the kills says, after a crash, if it took place. */
  readonly verifies: boolean;
}

const unlimited = { steps: 1e9, tokens: 1e12, activeTime: 1e12, identicalCalls: 1e9 };
const never = new AbortController().signal;

/** The peer, with the settings of one row. */
export function holdpoint({ title, verifies }: HoldpointSettings): Peer {
  return {
    title,
    packages: ["holdpoint"],
    storage: "node:sqlite (WAL, synchronous=FULL)",
    durable: "step",
    files: ["holdpoint.db"],
    guard: "window({ budget })",
    open: (scenario) => open(scenario, verifies),
  };
}

async function open(scenario: Scenario, verifies: boolean): Promise<Session> {
  const runtime = await openEmbedded({
    path: join(scenario.folder, "holdpoint.db"),
    agents: [buildAgent(scenario, verifies)],
    leaseMs: 1_000, // default 30 s: how long a killed process's threads wait for another, which is not measured here
  });
  const settle = async (threadId: string) => {
    await settleThreads(runtime, [threadId], { signal: never });
    return outcomeFrom(runtime, threadId);
  };
  const start = (threadId: string) =>
    outcomeOf(async () => {
      await startThread(runtime, "bench", `Run ${threadId}.`, { by: "bench", threadId });
      return settle(threadId);
    });
  return {
    start,
    recover: start, // starting a thread that is there starts nothing
    approve: (threadId) =>
      outcomeOf(async () => {
        const [request] = (await runtime.store.requests({ threadId })).rows;
        if (!request) throw new Error(`thread ${threadId} asks nobody`);
        await decideRequest(runtime, request.requestId, {
          verdict: { kind: "approve" },
          by: "dana@example.com",
          via: "bench",
        });
        return settle(threadId);
      }),
    close: () => closeRuntime(runtime),
  };
}

function buildAgent({ tools, fetch: scripted, guardTokens, maxTurns }: Scenario, verifies: boolean) {
  const provider = createOpenAICompatible({
    name: "scripted",
    baseURL: "http://127.0.0.1:1/v1",
    fetch: scripted as typeof fetch,
  });
  return agent({
    name: "bench",
    model: provider("scripted"),
    prompt: "Do as told.",
    tools: tools.map((one) => asTool(one, verifies)),
    // Without a guard everything is sent every time, as the peers do.
    window: window({ budget: guardTokens === undefined ? 2_000_000 : Math.floor(guardTokens * 0.9) }),
    ...(maxTurns === undefined ? {} : { limits: unlimited }),
  });
}

function asTool({ name, description, input, needsApproval, run, happened }: BenchTool, verifies: boolean) {
  return tool({
    name,
    description,
    input,
    risk: needsApproval ? "high" : "low",
    effect: name === "look" ? "read" : "once",
    run: (args) => run(args),
    ...(verifies &&
      happened && {
        verify: (args: Readonly<Record<string, unknown>>) =>
          happened(args) ? ({ happened: true, value: "paid" } as const) : ({ happened: false } as const),
      }),
  });
}

async function outcomeFrom(runtime: Runtime, threadId: string): Promise<Outcome> {
  const last = (await runtime.store.read(threadId)).at(-1) as ThreadEvent; // a started thread has events
  if (last.type === "thread_completed") return { kind: "ended", text: JSON.stringify(last.output) };
  if (last.type === "thread_failed") return { kind: "failed", error: JSON.stringify(last.error) };
  const [request] = (await runtime.store.requests({ threadId, status: "open" })).rows;
  if (!request) return { kind: "failed", error: `its last event is ${last.type}` };
  if (request.opened.kind === "approval") return { kind: "paused" };
  return { kind: "failed", error: `a person is asked: ${request.opened.kind}` };
}
