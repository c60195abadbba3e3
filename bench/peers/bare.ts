// A while loop over `fetch`, as in a tutorial, with the least that makes it durable: each message is a row, committed
// before it goes on. What a framework costs is above this; what it is for, is what is missing here.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { type Outcome, outcomeOf, type Peer, type Scenario, type Session } from "./peer.ts";

interface ToolCall {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}
interface Message {
  readonly role: string;
  readonly content: string | null;
  readonly tool_calls?: readonly ToolCall[];
  readonly tool_call_id?: string;
}

export const peer: Peer = {
  title: "bare loop",
  packages: [],
  storage: "node:sqlite, a row a message (WAL, synchronous=FULL)",
  durable: "step",
  files: ["bare.db"],
  guard: "keeps the task, and the last call with its result",
  open: async (scenario) => open(scenario),
};

function open(scenario: Scenario): Session {
  const database = new DatabaseSync(join(scenario.folder, "bare.db"));
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
    CREATE TABLE IF NOT EXISTS messages (run TEXT, at INTEGER, body TEXT, PRIMARY KEY (run, at)) WITHOUT ROWID`);
  const insert = database.prepare("INSERT INTO messages VALUES (?, ?, ?)");
  const select = database.prepare("SELECT body FROM messages WHERE run = ? ORDER BY at");
  const load = (run: string) => select.all(run).map(({ body }) => JSON.parse(String(body)) as Message); // as saved below
  const go = (run: string, messages: Message[], approved: boolean) => {
    const add = (message: Message) => {
      insert.run(run, messages.length, JSON.stringify(message));
      messages.push(message);
    };
    if (messages.length === 0) add({ role: "user", content: `Run ${run}.` });
    return outcomeOf(() => loop(scenario, messages, add, approved));
  };
  return {
    start: (run) => go(run, [], false),
    recover: (run) => go(run, load(run), false),
    approve: (run) => go(run, load(run), true),
    close: async () => database.close(),
  };
}

async function loop(
  scenario: Scenario,
  messages: readonly Message[],
  add: (message: Message) => void,
  isApproved: boolean,
): Promise<Outcome> {
  let approved = isApproved;
  for (;;) {
    const last = messages.at(-1);
    if (last?.role === "assistant" && !last.tool_calls) return { kind: "ended", text: last.content ?? "" };
    for (const call of last?.tool_calls ?? []) {
      const tool = scenario.tools.find(({ name }) => name === call.function.name);
      if (tool?.needsApproval && !approved) return { kind: "paused" };
      if (!tool) throw new TypeError(`there is no tool ${call.function.name}`);
      const content = await tool.run(JSON.parse(call.function.arguments));
      add({ role: "tool", tool_call_id: call.id, content });
      approved = false;
    }
    add(await ask(scenario, messages));
  }
}

async function ask(scenario: Scenario, all: readonly Message[]): Promise<Message> {
  const messages =
    scenario.guardTokens === undefined || all.length < 3 ? all : [...all.slice(0, 1), ...all.slice(-2)];
  const tools = scenario.tools.map(({ name, description, input }) => ({
    type: "function",
    function: { name, description, parameters: z.toJSONSchema(input) },
  }));
  const body = JSON.stringify({ model: "scripted", messages, tools });
  const response = await scenario.fetch("http://127.0.0.1:1/v1/chat/completions", { method: "POST", body });
  const answer = (await response.json()) as {
    readonly choices: readonly { readonly message: Message }[];
    readonly error?: { readonly message: string };
  }; // the endpoint's own form
  const message = answer.choices?.[0]?.message;
  if (!message) throw new Error(answer.error?.message ?? `status ${response.status}`);
  return message;
}
