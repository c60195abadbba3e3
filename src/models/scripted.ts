import { HoldpointError } from "../core/errors.ts";
import type { Usage } from "../core/events.ts";
import type { Model, ModelInput, ModelOutput } from "../ports/model.ts";

interface ScriptedOutput {
  readonly text?: string;
  /** `args` goes out as it is, valid or not; a call id is made up when left out. */
  readonly calls?: readonly { readonly tool: string; readonly args: unknown; readonly callId?: string }[];
  /** Default: `calls` with calls, else `stop`. */
  readonly finish?: ModelOutput["finish"];
  /** Left out, the model reports none. */
  readonly usage?: Usage;
}

/** What the model does when called: answer in text, put out text and calls, throw, or never come back. */
export type ScriptedTurn = string | ScriptedOutput | { readonly throws: unknown } | { readonly never: true };

/** The turns in order; or a function, with which a script follows what it is shown, also over a restart. */
export type Script = readonly ScriptedTurn[] | ((input: ModelInput, callNumber: number) => ScriptedTurn);

export interface ScriptedModelOptions {
  /** Default `scripted/model`. */
  readonly id?: string;
  /** Keeps every input in `inputs`. Default false. */
  readonly record?: boolean;
}

export interface ScriptedModel extends Model {
  /** How often it was called, so far. */
  readonly callCount: number;
  readonly inputs: readonly ModelInput[];
}

/**
 * A Model that does what a script says, for tests and examples. Past the end of a list of turns its calls throw
 * `model_failed`, not retryable. A turn that never ends rejects with the signal's reason when aborted.
 */
export function scriptedModel(script: Script, options: ScriptedModelOptions = {}): ScriptedModel {
  const { id = "scripted/model", record = false } = options;
  const inputs: ModelInput[] = [];
  let callCount = 0;
  return {
    id,
    get callCount() {
      return callCount;
    },
    inputs,
    async generate(input, { signal }) {
      signal.throwIfAborted();
      callCount += 1;
      const callNumber = callCount;
      if (record) inputs.push(input);
      const turn = typeof script === "function" ? script(input, callNumber) : script[callNumber - 1];
      if (turn === undefined)
        throw new HoldpointError("model_failed", `the script of ${id} has no turn for call ${callNumber}`);
      return play(turn, callNumber, signal);
    },
  };
}

function play(
  turn: ScriptedTurn,
  callNumber: number,
  signal: AbortSignal,
): ModelOutput | Promise<ModelOutput> {
  if (typeof turn === "string") return { text: turn, calls: [], finish: "stop" };
  if ("throws" in turn) throw turn.throws;
  if ("never" in turn) return untilAborted(signal);
  const { text = "", usage } = turn;
  const calls = (turn.calls ?? []).map(({ tool, args, callId }, index) => ({
    callId: callId ?? `call_${callNumber}_${index}`,
    tool,
    args,
  }));
  const finish = turn.finish ?? (calls.length > 0 ? "calls" : "stop");
  return { text, calls, finish, ...(usage && { usage }) };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
