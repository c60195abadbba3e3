// Recorded runs of real models, from `../shared/data`, in one form. A tape cannot show how its model would have answered
// a different window: it shows what a window does to what really happened.
import { existsSync, readFileSync } from "node:fs";
import type { Json } from "../../src/core/json.ts";
import type { ModelTool } from "../../src/core/window/model-input.ts";

const folder = "../shared/data";
const files = {
  airline: `${folder}/tau-bench/airline/gpt-4o.trajectories.json`,
  telecom: `${folder}/tau2-bench/telecom/gpt-4.1.trajectories.json`,
  longContext: `${folder}/bfcl/golden_multi_turn/long_context.jsonl`,
} as const;

export const hasTapes: boolean = Object.values(files).every((path) => existsSync(path));
export const whyNoTapes: string = hasTapes
  ? ""
  : ` (skipped: no ${folder}/tau-bench, tau2-bench or bfcl beside the project)`;

export interface TapeCall {
  readonly tool: string;
  readonly args: Json;
  /** As the recorded tool returned it. */
  readonly result: string;
}

/** What the model did at one decision. */
export type TapeTurn =
  | { readonly kind: "calls"; readonly text: string; readonly calls: readonly TapeCall[] }
  /** It wrote to the user; `next` is what came back, as the answer to a question or as a signal. */
  | {
      readonly kind: "reply";
      readonly text: string;
      readonly next: string | null;
      readonly comesAs: "answer" | "signal";
    };

type TapeSource = "airline" | "telecom" | "long context";

export interface Tape {
  readonly source: TapeSource;
  readonly name: string;
  readonly system: string;
  readonly tools: readonly ModelTool[];
  /** The first thing the user said. */
  readonly input: string;
  readonly turns: readonly TapeTurn[];
  /** Every message as it was recorded, without the system's: what a loop without a window sends. */
  readonly recorded: readonly RecordedMessage[];
}

interface RecordedMessage {
  readonly role: "user" | "assistant" | "tool";
  readonly content: string;
  readonly calls: readonly { readonly tool: string; readonly args: Json }[];
}

/** All tapes: 100 of gpt-4o, 40 of gpt-4.1, 200 gold ones with long observations. Every n-th of each with `every`. */
export function readTapes(every = 1): readonly Tape[] {
  const sources = [readAirline(), readTelecom(), readLongContext()];
  return sources.flatMap((tapes) => tapes.filter((_, index) => index % every === 0));
}

/** Those of one source. */
export function readTapesOf(source: TapeSource): readonly Tape[] {
  if (source === "airline") return readAirline();
  return source === "telecom" ? readTelecom() : readLongContext();
}

interface OpenAiMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | null;
  readonly tool_calls?: readonly {
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
}

function readAirline(): readonly Tape[] {
  const runs = readJson<readonly { task_id: number; trial: number; traj: readonly OpenAiMessage[] }[]>(
    files.airline,
  );
  type Described = { readonly function: { name: string; description: string; parameters: Json } };
  const described = readJson<readonly Described[]>(`${folder}/tau-bench/airline/tools.json`);
  const tools = described.map(({ function: { name, description, parameters } }) => ({
    name,
    description,
    inputSchema: parameters,
  }));
  return runs.map((run) => {
    const [system, ...messages] = run.traj;
    const recorded = messages.map((message): RecordedMessage => {
      const calls = message.tool_calls ?? [];
      return {
        role: message.role as RecordedMessage["role"], // the one system message is gone
        content: message.content ?? "",
        calls: calls.map((call) => ({
          tool: call.function.name,
          args: JSON.parse(call.function.arguments) as Json,
        })),
      };
    });
    const name = `airline ${run.task_id}, trial ${run.trial}`;
    return tapeOf({ source: "airline", name, system: system?.content ?? "", tools, recorded });
  });
}

interface Tau2Message {
  readonly role: "user" | "assistant" | "tool";
  readonly content: string | null;
  /** Of a tool's result: who called it. The user of tau2 has tools of their own, which the agent never sees. */
  readonly requestor?: "user" | "assistant";
  readonly tool_calls?: readonly { readonly name: string; readonly arguments: Json }[] | null;
}

function readTelecom(): readonly Tape[] {
  const { info, simulations } = readJson<{
    readonly info: { readonly environment_info: { readonly policy: string } };
    readonly simulations: readonly { readonly task_id: string; readonly messages: readonly Tau2Message[] }[];
  }>(files.telecom);
  const runs = simulations.map(({ task_id, messages }) => {
    const seen = messages.filter(
      ({ role, requestor, tool_calls }) =>
        role === "assistant" || (role === "user" ? !tool_calls?.length : requestor === "assistant"),
    );
    const first = seen.findIndex(({ role }) => role === "user"); // before it the agent only says hello
    const recorded = seen.slice(first).map(
      ({ role, content, tool_calls }): RecordedMessage => ({
        role,
        content: content ?? "",
        calls: (tool_calls ?? []).map((call) => ({ tool: call.name, args: call.arguments })),
      }),
    );
    return { name: `telecom ${task_id}`, recorded };
  });
  const tools = toolsCalled(runs.flatMap(({ recorded }) => recorded));
  const system = info.environment_info.policy;
  return runs.map((run) => tapeOf({ source: "telecom", system, tools, ...run }));
}

/** The recording has no schemas of its tools: these are made of the calls. */
function toolsCalled(messages: readonly RecordedMessage[]): readonly ModelTool[] {
  const members = new Map<string, Map<string, Json>>();
  for (const { tool, args } of messages.flatMap(({ calls }) => calls)) {
    const known = members.get(tool) ?? new Map<string, Json>();
    members.set(tool, known);
    for (const [name, value] of Object.entries(args as object)) known.set(name, { type: typeof value });
  }
  return [...members].map(([name, properties]) => ({
    name,
    description: `${name.replaceAll("_", " ")}.`,
    inputSchema: { type: "object", properties: Object.fromEntries(properties) },
  }));
}

interface GoldRun {
  readonly id: string;
  readonly turns: readonly (readonly {
    readonly name: string;
    readonly arguments: Json;
    readonly observation: string;
  }[])[];
}

/** The gold calls of each question, one decision each, then a word that it is done; the next question is a signal. */
function readLongContext(): readonly Tape[] {
  type Question = { readonly question: readonly (readonly { readonly content: string }[])[] };
  const questions = readLines<Question>(`${folder}/bfcl/BFCL_v4_multi_turn_long_context.json`);
  const runs = readLines<GoldRun>(files.longContext).map(({ id, turns }, index) => {
    const asked = questions[index]?.question.map((messages) => messages[0]?.content ?? "") ?? [];
    const recorded = turns.flatMap((calls, turn): RecordedMessage[] => [
      { role: "user", content: asked[turn] ?? "", calls: [] },
      ...calls.flatMap(({ name, arguments: args, observation }): RecordedMessage[] => [
        { role: "assistant", content: "", calls: [{ tool: name, args }] },
        { role: "tool", content: observation, calls: [] },
      ]),
      { role: "assistant", content: "Done.", calls: [] },
    ]);
    return { name: id, recorded };
  });
  const tools = toolsCalled(runs.flatMap(({ recorded }) => recorded));
  const system = "You do what the user asks, by calling functions.";
  return runs.map((run) => tapeOf({ source: "long context", system, tools, ...run }));
}

function tapeOf(run: Omit<Tape, "input" | "turns">): Tape {
  const [first, ...rest] = run.recorded;
  if (first?.role !== "user") throw new Error(`${run.name} does not start with its user`);
  const comesAs = run.source === "long context" ? "signal" : "answer";
  const turns: TapeTurn[] = [];
  for (const [index, { role, content, calls }] of rest.entries()) {
    if (role !== "assistant") continue;
    const after = rest.slice(index + 1, index + 1 + Math.max(1, calls.length));
    if (calls.length === 0) {
      const next = after[0]?.role === "user" ? after[0].content : null;
      turns.push({ kind: "reply", text: content, next, comesAs });
    } else {
      // A run that was cut off after its last calls has no results of them.
      const results = after.map((message) => (message.role === "tool" ? message.content : ""));
      turns.push({
        kind: "calls",
        text: content,
        calls: calls.map((call, at) => ({ ...call, result: results[at] ?? "" })),
      });
    }
  }
  return { ...run, input: first.content, turns };
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T; // the data set's own shape
}

/** Of a file that holds one JSON document a line. */
export function readLines<T>(path: string): readonly T[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as T); // the data set's own shape
}
