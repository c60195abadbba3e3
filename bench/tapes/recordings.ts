// The recorded runs as the bench needs them: each with a name of its own, the tools that write, and the gold actions.
import { readFileSync } from "node:fs";
import { canonicalJson, type Json } from "../../src/core/json.ts";
import { hasTapes, readTapesOf, type Tape, type TapeCall } from "../../test/kit/tape.ts";

export { hasTapes };

type Source = "airline" | "telecom";

/** One recorded run: plain data, so that it can be handed to another process. */
export interface Recording extends Pick<Tape, "system" | "tools" | "input" | "turns"> {
  /** Such as `airline-12-0` (task, trial) or `telecom-7`: the name of its agent, its model and its thread. */
  readonly id: string;
  readonly source: Source;
  /** Names of the tools that change something: high risk, and in the ledger. */
  readonly writes: readonly string[];
  /** What the task's author says is to be written: `writeKey` of each. */
  readonly gold: readonly string[];
}

const data = "../shared/data";

/** tools.json says which airline tools are consequential; the telecom recording has no tools, these are its writers. */
const telecomWrites = ["send_payment_request", "resume_line", "refuel_data", "enable_roaming"];

/** 100 runs of gpt-4o and 40 of gpt-4.1, or every n-th of each. */
export function readRecordings(every = 1): readonly Recording[] {
  const recordings = [readAirline(readTapesOf("airline")), readTelecom(readTapesOf("telecom"))];
  return recordings.flatMap((each) => each.filter((_, index) => index % every === 0));
}

/** The same write twice gives the same text, however its arguments were written. */
export function writeKey(tool: string, args: Json): string {
  return `${tool} ${canonicalJson(args)}`;
}

/** A tool returns a value; the recording has its JSON, or text. */
export function resultOf({ result }: Pick<TapeCall, "result">): Json {
  try {
    return JSON.parse(result) as Json; // what JSON.parse returns
  } catch {
    return result;
  }
}

/** tau's tools say so when they refuse and change nothing. */
export function isRefused(result: Json): boolean {
  return typeof result === "string" && result.startsWith("Error");
}

/** All calls of a run, in order. */
export function callsOf({ turns }: Pick<Recording, "turns">): readonly TapeCall[] {
  return turns.flatMap((turn) => (turn.kind === "calls" ? turn.calls : []));
}

export function writesOf(recording: Recording): readonly TapeCall[] {
  return callsOf(recording).filter(({ tool }) => recording.writes.includes(tool));
}

interface Action {
  readonly name: string;
  readonly arguments: Json;
  readonly requestor?: "user" | "assistant";
}

function readAirline(tapes: readonly Tape[]): readonly Recording[] {
  type Described = { readonly function: { readonly name: string }; readonly "x-consequential"?: boolean };
  const described = readJson<readonly Described[]>("tau-bench/airline/tools.json");
  const writes = described.filter((tool) => tool["x-consequential"]).map((tool) => tool.function.name);
  const tasks = readJson<readonly { readonly id: string; readonly actions: readonly Action[] }[]>(
    "tau-bench/airline/tasks_test.json",
  );
  const gold = new Map(tasks.map(({ id, actions }) => [id, actions]));
  return tapes.map((tape) => {
    const [task = "", trial = ""] = tape.name.match(/\d+/g) ?? [];
    const id = `airline-${task}-${trial}`;
    return recordingOf(tape, { id, source: "airline", writes, actions: gold.get(task) });
  });
}

function readTelecom(tapes: readonly Tape[]): readonly Recording[] {
  type Task = { readonly id: string; readonly evaluation_criteria: { readonly actions: readonly Action[] } };
  const { tasks } = readJson<{ readonly tasks: readonly Task[] }>(
    "tau2-bench/telecom/gpt-4.1.trajectories.json",
  );
  const gold = new Map(tasks.map((task) => [task.id, task.evaluation_criteria.actions]));
  return tapes.map((tape, index) => {
    const actions = gold.get(tape.name.replace("telecom ", ""));
    const own = actions?.filter(({ requestor }) => requestor === "assistant"); // the user of tau2 acts as well
    return recordingOf(tape, {
      id: `telecom-${index}`,
      source: "telecom",
      writes: telecomWrites,
      actions: own,
    });
  });
}

function recordingOf(
  { name, system, tools, input, turns }: Tape,
  own: Pick<Recording, "id" | "source" | "writes"> & { readonly actions: readonly Action[] | undefined },
): Recording {
  const { actions, ...named } = own;
  if (actions === undefined) throw new Error(`there is no task for ${name}`);
  const gold = actions.filter((action) => own.writes.includes(action.name));
  return {
    ...named,
    system,
    tools,
    input,
    turns,
    gold: gold.map((action) => writeKey(action.name, action.arguments)),
  };
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(`${data}/${path}`, "utf8")) as T; // the data set's own shape
}
