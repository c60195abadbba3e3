// The desk that a recording was made at, as an agent of Holdpoint: its policy is the prompt, its customer is asked by
// `t.ask`, and whatever writes is of high risk and held for a supervisor.
import { type Agent, agent, gate, type Json, jsonSchema, type Tool, tool, window } from "../../src/index.ts";
import type { Recording } from "./recordings.ts";
import type { ToolRequest } from "./tool-server.ts";

export const customer = "customer@example.com";
export const supervisor = "supervisor@example.com";

export const threadIdOf = ({ id }: Pick<Recording, "id">): string => `th_${id}`;

export interface DeskOptions {
  /** Most tokens of a window. */
  readonly budget: number;
  /** Where the tools are. */
  readonly toolsUrl: string;
}

/** How a thread ended: at the end of the recording, or where a rejection left it. */
export type DeskEnd = "recorded end" | "rejected";

/** One agent a recording, since its model answers from one recording. Those of one desk share their tools. */
export function deskAgents(recordings: readonly Recording[], options: DeskOptions): readonly Agent[] {
  const tools = new Map<string, readonly Tool[]>();
  return recordings.map((recording) => {
    const known = tools.get(recording.source) ?? toolsOf(recording, options);
    tools.set(recording.source, known);
    return deskAgent(recording, known, options);
  });
}

function deskAgent(recording: Recording, tools: readonly Tool[], { budget }: DeskOptions): Agent {
  return agent<string, DeskEnd>({
    name: recording.id,
    model: `tapes/${recording.id}`,
    prompt: recording.system,
    tools,
    window: window({ budget }),
    gate: gate({ approvers: ["role:supervisor"], expiresIn: "7d" }),
    limits: { steps: 200, tokens: 10_000_000, activeTime: "10h", identicalCalls: 10 },
    maxOutputTokens: 1_000,
    async flow(t) {
      for (let turn = 0; turn < recording.turns.length; turn++) {
        const next = await t.decide();
        if (next.kind === "calls") {
          const results = await t.act(next.calls);
          if (results.some(({ status }) => status === "denied")) return "rejected"; // the recording does not know what comes now
        } else if (typeof next.value === "string") {
          await t.ask(next.value, { approvers: [customer], requesterMayDecide: true });
        }
      }
      return "recorded end";
    },
  });
}

function toolsOf({ tools, writes }: Recording, { toolsUrl }: DeskOptions): readonly Tool[] {
  return tools.map(({ name, description, inputSchema }) => {
    const base = { name, description, input: jsonSchema(inputSchema) };
    const run = (
      args: Json,
      { threadId, idempotencyKey, signal }: { threadId: string; idempotencyKey: string; signal: AbortSignal },
    ): Promise<Json> => post(toolsUrl, threadId, { do: "run", tool: name, args, idempotencyKey }, signal);
    if (!writes.includes(name)) return tool({ ...base, run, risk: "low", effect: "read" });
    return tool({
      ...base,
      run,
      risk: "high",
      effect: "once",
      async verify(_args, { threadId, idempotencyKey, signal }) {
        const value = await post(toolsUrl, threadId, { do: "look", idempotencyKey }, signal);
        return value === null ? { happened: false } : { happened: true, value };
      },
    });
  });
}

/** @throws what the tools say is different from the recording. */
async function post(url: string, threadId: string, body: ToolRequest, signal: AbortSignal): Promise<Json> {
  const response = await fetch(`${url}/${threadId.replace("th_", "")}`, {
    method: "POST",
    body: JSON.stringify(body),
    signal,
  });
  const { value, why } = (await response.json()) as { readonly value?: Json; readonly why?: string };
  if (!response.ok) throw new Error(`the tools refuse: ${why}`);
  return value ?? null;
}
