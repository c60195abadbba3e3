// With what the tapes are played: the real prompt and tools of a run, or a short prompt and none, so that a small budget
// is for the history.

import type { EncodingName } from "../../src/core/encodings/encoding.ts";
import type { ThreadState } from "../../src/core/state.ts";
import type { ModelTool } from "../../src/core/window/model-input.ts";
import { tokenEstimator } from "../../src/models/token-estimator.ts";
import { gptTokenizer, type InputCounter, inputCounter } from "../kit/exact-tokens.ts";
import type { Tape } from "../kit/tape.ts";
import { type Played, type PlayOptions, playTape } from "../kit/tape-log.ts";
import { type Window, windowAt } from "../kit/window-run.ts";

/** `whole`: system prompt and tools as recorded. `history`: one line and no tools. */
export type Around = "whole" | "history";
/** What the window counts with. */
export type Counter = "estimate" | "exact";

export interface RunSettings {
  readonly around: Around;
  readonly counter: Counter;
  readonly budget: number;
  readonly artifactBytes?: number;
  /** Default: `tools`. */
  readonly encoding?: EncodingName;
}

const counters: { readonly [Name in Counter]: (text: string) => number } = {
  estimate: tokenEstimator.count,
  exact: gptTokenizer.count,
};

/** As the provider would report it. */
export const reported: InputCounter = inputCounter(gptTokenizer);

const shortPrompt = "Help the user.";
const noTools: readonly ModelTool[] = [];

export function aroundOf(tape: Tape, around: Around) {
  return around === "whole"
    ? { system: tape.system, tools: tape.tools }
    : { system: shortPrompt, tools: noTools };
}

export function play(tape: Tape, settings: RunSettings): Generator<Played> {
  const { around, counter, budget, artifactBytes, encoding = "tools" } = settings;
  const { system, tools } = aroundOf(tape, around);
  const offer = { tools, answer: null };
  const setup = { system, input: tape.input, offer, budget, encoding, count: counters[counter] };
  const options: PlayOptions = {
    build: (state: ThreadState) => windowAt(state, setup),
    reported,
    ...(artifactBytes === undefined ? {} : { artifactBytes }),
  };
  return playTape(tape, options);
}

/** The windows of a run that is never refused. */
export function windowsOf(tape: Tape, settings: RunSettings): readonly Window[] {
  return [...play(tape, settings)].map((played) => {
    if (played.kind === "refused") throw new Error(`${tape.name}: ${played.message}`);
    return played.window;
  });
}

/** Whether prompt, tools and input leave room within this budget, by the exact count, for any counter to work in. */
export function fits(tape: Tape, around: Around, budget: number): boolean {
  return fixedTokens(tape, around) * mostOverestimated <= budget;
}

/** Prompt, tools and input, exactly. */
export function fixedTokens(tape: Tape, around: Around): number {
  const { system, tools } = aroundOf(tape, around);
  const messages = [
    { role: "system", content: system },
    { role: "user", content: tape.input },
  ] as const;
  return reported({ messages, tools, maxOutputTokens: 1 }) + toolOverhead * tools.length;
}

/** What is added for each tool, for providers write them in their own way. */
const toolOverhead = 4;
/** On prompts and schemas the estimator is said to be 5 to 30 % over. */
export const mostOverestimated = 1.35;
