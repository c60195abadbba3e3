import { z } from "zod";
import {
  type Agent,
  agent,
  closeRuntime,
  type Model,
  openEmbedded,
  type Runtime,
  settleThreads,
  startThread,
  tool,
} from "../src/index.ts";

const unlimited = { steps: 1e9, tokens: 1e12, activeTime: 1e12, identicalCalls: 1e9 };

/** Takes `input` trivial steps. */
const steps = agent<number, number>({
  name: "steps",
  async flow(t, count) {
    for (let step = 0; step < count; step++) await t.step("work", () => step);
    return count;
  },
});

const oneKilobyte = "x".repeat(1_000);
const look = tool({
  name: "look",
  description: "Looks something up.",
  input: z.object({ page: z.number() }),
  risk: "low",
  effect: "read",
  run: ({ page }) => ({ page, text: oneKilobyte }),
});

/** When the action that waited for approval last ran, on the clock of `performance.now()`. */
export const approvedAction = { ranAtMs: Number.NaN };

const approveMe = tool({
  name: "send",
  description: "Sends.",
  input: z.object({}),
  risk: "high",
  run: () => {
    approvedAction.ranAtMs = performance.now();
    return "sent";
  },
});

/** The whole agent loop: decide and act `input` times with results of 1 KB, then an action that a person must approve when `thenSend`. */
const loop = agent<{ readonly turns: number; readonly thenSend?: boolean }, string>({
  name: "loop",
  prompt: "Look at every page.",
  tools: [look, approveMe],
  limits: unlimited,
  async flow(t, { turns, thenSend }) {
    for (let turn = 0; turn < turns; turn++) {
      const next = await t.decide();
      if (next.kind === "calls") await t.act(next.calls);
    }
    if (thenSend) await t.act(approveMe, {});
    return "done";
  },
});

/** Waits for a person, for ever. */
const asking = agent({ name: "asking", flow: async (t) => t.ask("May I?", { expiresIn: "365d" }) });

/** Answers at once, with a call whose argument follows from what it is shown. */
const instantModel: Model = {
  id: "bench/instant",
  async generate({ messages }) {
    return {
      text: "",
      calls: [{ callId: "c", tool: "look", args: { page: messages.length } }],
      finish: "calls",
      usage: { inputTokens: 10, outputTokens: 5 },
    };
  },
};

const benchAgents: readonly Agent[] = [steps, loop, asking];

export interface Bench {
  readonly runtime: Runtime;
  start(agentName: string, input: unknown): Promise<string>;
  settle(...threadIds: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export async function openBench(path: string): Promise<Bench> {
  const runtime = await openEmbedded({ path, agents: benchAgents, defaultModel: instantModel });
  return {
    runtime,
    start: async (agentName, input) =>
      (await startThread(runtime, agentName, input, { by: "bench" })).threadId,
    settle: (...threadIds) => settleThreads(runtime, threadIds, { signal: new AbortController().signal }),
    close: () => closeRuntime(runtime),
  };
}
