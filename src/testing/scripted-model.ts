import { HoldpointError } from "../core/errors.ts";
import type { Reasoning, Usage } from "../core/events.ts";
import type { GenerateOptions, Model, ModelInput, ModelOutput } from "../ports/model.ts";
import { outputPieces } from "./output-pieces.ts";
import { untilAborted } from "./until-aborted.ts";

export interface ScriptedOutput {
  readonly text?: string;
  /** `args` goes out as it is, valid or not; a call id is made up when left out. */
  readonly calls?: readonly { readonly tool: string; readonly args: unknown; readonly callId?: string }[];
  /** Default: `calls` with calls, else `stop`. */
  readonly finish?: ModelOutput["finish"];
  readonly reasoning?: readonly Reasoning[];
  /** Left out, the model reports none. */
  readonly usage?: Usage;
  readonly warnings?: readonly string[];
}

/**
 * What the model does when called: answer in text, put out text and calls, throw, or never come back; of the last two,
 * what it shows before that.
 */
export type ScriptedTurn =
  | string
  | ScriptedOutput
  | { readonly throws: unknown; readonly after?: ScriptedOutput }
  | { readonly never: true; readonly after?: ScriptedOutput };

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
 * A Model that does what a script says, for tests and examples; asked for progress, it shows its output in pieces
 * first. Past the end of a list of turns its calls throw `model_failed`, not retryable. A turn that never ends rejects
 * with the signal's reason when aborted.
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
    async generate(input, generateOptions) {
      generateOptions.signal.throwIfAborted();
      callCount += 1;
      const callNumber = callCount;
      if (record) inputs.push(input);
      const turn = typeof script === "function" ? script(input, callNumber) : script[callNumber - 1];
      if (turn === undefined)
        throw new HoldpointError("model_failed", `the script of ${id} has no turn for call ${callNumber}`);
      return play(turn, callNumber, generateOptions);
    },
  };
}

function play(
  turn: ScriptedTurn,
  callNumber: number,
  options: GenerateOptions,
): ModelOutput | Promise<ModelOutput> {
  if (typeof turn === "string") return show({ text: turn }, callNumber, options);
  if ("throws" in turn) {
    if (turn.after) show(turn.after, callNumber, options);
    throw turn.throws;
  }
  if ("never" in turn) {
    if (turn.after) show(turn.after, callNumber, options);
    return untilAborted(options.signal);
  }
  return show(turn, callNumber, options);
}

function show(turn: ScriptedOutput, callNumber: number, { onProgress }: GenerateOptions): ModelOutput {
  const output = outputOf(turn, callNumber);
  if (onProgress) for (const piece of outputPieces(output)) onProgress(piece);
  return output;
}

function outputOf(turn: ScriptedOutput, callNumber: number): ModelOutput {
  const { text = "", reasoning, usage, warnings } = turn;
  const calls = (turn.calls ?? []).map(({ tool, args, callId }, index) => ({
    callId: callId ?? `call_${callNumber}_${index}`,
    tool,
    args,
  }));
  const finish = turn.finish ?? (calls.length > 0 ? "calls" : "stop");
  return {
    text,
    calls,
    finish,
    ...(reasoning && { reasoning }),
    ...(usage && { usage }),
    ...(warnings && { warnings }),
  };
}
