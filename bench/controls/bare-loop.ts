// A loop over a model as people write it: it asks, parses what comes, runs the tools that are named, appends the results,
// and tells the model of every error in the error's own words. Provider errors are tried again as providers' own clients
// do (twice, with growing waits). It ends with an answer, or when the model asks for no tool.
import {
  isHoldpointError,
  type Json,
  type Model,
  type ModelInput,
  type ModelMessage,
  type ModelOutput,
  type RunContext,
  type Tool,
} from "../../src/index.ts";
import { Killed, type SimulatedTime } from "./task-run.ts";

export interface BareLoopOptions {
  readonly model: Model;
  readonly tools: readonly Tool[];
  readonly offered: ModelInput["tools"];
  readonly instructions: string;
  readonly input: unknown;
  readonly time: SimulatedTime;
  /** A new one for each call: nothing tells it from the same call of another run. */
  readonly newKey: () => string;
}

/** Errors of the model in a row after which the loop gives up. */
const mostErrors = 3;
/** Tries of providers' clients after the first. */
const mostRetries = 2;

/** @returns what the model answered; text when it asked for no tool. */
export async function bareLoop({
  model,
  tools,
  offered,
  instructions,
  input,
  time,
  newKey,
}: BareLoopOptions): Promise<unknown> {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const messages: ModelMessage[] = [
    { role: "system", content: instructions },
    { role: "user", content: JSON.stringify(input) },
  ];
  for (let errors = 0; ; ) {
    let output: ModelOutput;
    try {
      output = await asking(model, { messages, tools: offered, maxOutputTokens: 4_096 }, time);
      errors = 0;
    } catch (error) {
      errors += 1;
      if (error instanceof Killed || errors >= mostErrors) throw error;
      messages.push({ role: "user", content: `Error: ${messageOf(error)}` });
      continue;
    }
    const { text, calls } = output;
    if (calls.length === 0) return text;
    messages.push({ role: "assistant", content: text, calls });
    for (const { callId, tool, args } of calls) {
      if (tool === "answer") return parsed(args);
      messages.push({ role: "tool", callId, tool, content: await resultOf(byName, tool, args, newKey()) });
    }
  }
}

async function resultOf(
  tools: ReadonlyMap<string, Tool>,
  name: string,
  args: unknown,
  key: string,
): Promise<string> {
  try {
    const tool = tools.get(name);
    if (!tool) throw new Error(`there is no tool ${name}`);
    return JSON.stringify(await tool.run(parsed(args) as Json, contextOf(key))) ?? "null"; // taken as it comes
  } catch (error) {
    if (error instanceof Killed) throw error; // a dead process catches nothing
    return isTold(error) ? error.stack : `Error: ${messageOf(error)}`;
  }
}

/** What a tool throws is told with its stack; the loop's own errors without, whose paths are those of this machine. */
function isTold(error: unknown): error is Error & { readonly stack: string } {
  return error instanceof Error && error.stack?.includes("/srv/shop/") === true;
}

function parsed(args: unknown): unknown {
  return typeof args === "string" ? JSON.parse(args) : args;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function contextOf(idempotencyKey: string): RunContext {
  return {
    threadId: "none",
    attempt: 1,
    idempotencyKey,
    signal: new AbortController().signal,
    artifact: () => Promise.reject(new Error("a bare loop keeps nothing")),
  };
}

async function asking(model: Model, input: ModelInput, time: SimulatedTime): Promise<ModelOutput> {
  for (let retry = 0; ; retry++) {
    try {
      return await model.generate(input, { signal: new AbortController().signal });
    } catch (error) {
      if (!isHoldpointError(error) || !error.retryable || retry === mostRetries) throw error;
      await time.advance(error.retryAfterMs ?? 500 * 2 ** retry);
    }
  }
}
