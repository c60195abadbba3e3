// The model's server: it takes time, counts, has a limit, and goes wrong as it was drawn. Every variant calls the same.
import { HoldpointError } from "../../src/core/errors.ts";
import { type Model, type ModelInput, type ModelOutput, tokenEstimator } from "../../src/index.ts";
import { faultyModel, type ManualClock } from "../../src/testing/index.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { decideByRules } from "./stand-in.ts";
import { mostCalls, type TaskRun, working } from "./task-run.ts";
import { beside, spoilAction } from "./wrong-actions.ts";

/** Most tokens of an input. */
const contextTokens = 32_768;
/** As far as a call without an answer goes, by the defaults of providers' own clients: 10 minutes. */
const clientTimeoutMs = 600_000;

/** @param runOf - the task that is being worked on: one at a time. */
export function deskModel(runOf: () => TaskRun, clock: ManualClock): Model {
  return {
    id: "simulated/rules",
    generate: (input, { signal }) => {
      signal.throwIfAborted();
      const run = runOf();
      return working(run, () => serve(run, input, clock, signal));
    },
  };
}

async function serve(
  run: TaskRun,
  input: ModelInput,
  clock: ManualClock,
  signal: AbortSignal,
): Promise<ModelOutput> {
  run.modelCalls += 1;
  const { task, draws, modelCalls } = run;
  if (modelCalls > mostCalls) {
    run.isRunaway = true;
    throw new HoldpointError("model_failed", "simulated: somebody has stopped this task");
  }
  const tokens = inputTokens(input);
  run.inputTokens += Math.min(tokens, contextTokens);
  const key = draws.key(task.number, `call ${modelCalls}`);
  await clock.advance(draws.takesMs(key, 800, 0.5) + Math.round(tokens / 10)); // 10,000 tokens a second are read
  const fits = tokens <= contextTokens ? input : overflow(run, input, tokens);
  const output = await answered(run, fits, clock, signal);
  const outputTokens = tokenEstimator.count(JSON.stringify(output.calls) + output.text);
  run.outputTokens += outputTokens;
  await clock.advance(outputTokens * 20); // 50 tokens a second are written
  return { ...output, usage: { inputTokens: Math.min(tokens, contextTokens), outputTokens } };
}

/** Half of the servers refuse, half cut: the oldest goes first, the instructions with it. */
function overflow(run: TaskRun, input: ModelInput, tokens: number): ModelInput {
  run.overflows += 1;
  if (run.draws.cutsInput(run.task.number)) return cutToFit(input);
  throw new HoldpointError(
    "model_overflow",
    `simulated (HTTP 400): prompt is too long: ${tokens} tokens > ${contextTokens} maximum`,
    { details: { limitTokens: contextTokens } },
  );
}

export function cutToFit(input: ModelInput): ModelInput {
  const messages = [...input.messages];
  while (messages.length > 1 && inputTokens({ ...input, messages }) > contextTokens) messages.shift();
  return { ...input, messages };
}

export function inputTokens({ messages, tools }: ModelInput): number {
  const texts = messages.map((message) =>
    message.role === "assistant" ? message.content + JSON.stringify(message.calls) : message.content,
  );
  return (
    tokenEstimator.count(JSON.stringify(tools)) +
    texts.reduce((sum, text) => sum + tokenEstimator.count(text), 0)
  );
}

async function answered(
  run: TaskRun,
  input: ModelInput,
  clock: ManualClock,
  signal: AbortSignal,
): Promise<ModelOutput> {
  const { task, draws, modelCalls: call } = run;
  const right = decideByRules(input);
  const output = task.injected && draws.obeys(task.number, call) ? beside(right, task.injected) : right;
  const fault = draws.modelFault(task.number, call);
  if (fault === null) return output;
  const key = draws.key(task.number, `fault ${call}`);
  if (fault.kind === "action")
    return spoilAction(fault.name, output, { task, input, random: seededRandom(key) });
  const asked: Model = { id: "simulated/rules", generate: async () => output };
  const faulty = faultyModel(asked, { seed: key, rates: { [fault.name]: 1 }, clock, slowMs: 20_000 });
  return driven(faulty.generate(input, { signal }), faulty, clock, signal);
}

/** Lets time go by while a call waits; after ten minutes the client gives up. */
async function driven(
  answering: Promise<ModelOutput>,
  faulty: { readonly waiting: number },
  clock: ManualClock,
  signal: AbortSignal,
): Promise<ModelOutput> {
  let isSettled = false;
  const settled = answering.finally(() => {
    isSettled = true;
  });
  settled.catch(() => {}); // awaited below
  const givesUpAt = clock.now() + clientTimeoutMs;
  await clock.advance(0); // what has nothing to wait for is settled by then
  while (!isSettled && faulty.waiting > 0 && !signal.aborted) {
    if (clock.now() >= givesUpAt)
      throw new HoldpointError("model_timeout", "simulated: request timed out", { retryable: true });
    await clock.advance(5_000);
  }
  return settled;
}
