// The one place where tapes, tests and benchmarks meet the window: what it is asked with, and how its record is read.

import type { EncodingName, Offer } from "../../src/core/encodings/encoding.ts";
import { encodings } from "../../src/core/encodings/encodings.ts";
import { type EventBody, event } from "../../src/core/events.ts";
import type { ThreadState } from "../../src/core/state.ts";
import { uncalibrated } from "../../src/core/window/calibration.ts";
import type { ModelMessage } from "../../src/core/window/model-input.ts";
import { type WindowSettings, window } from "../../src/core/window/settings.ts";
import { buildWindow, type Window } from "../../src/core/window/window.ts";
import type { WindowRecord } from "../../src/core/window/window-record.ts";
import { windowRequest } from "./window-request.ts";

export type { Window };

/** What stays the same over a run. */
export interface WindowSetup {
  readonly system: string;
  readonly input: string;
  readonly offer: Offer;
  readonly budget: number;
  /** Default: `tools`. */
  readonly encoding?: EncodingName;
  /** Of what the agent's runtime counts with; one function for a run, since windows remember by it. */
  readonly count: (text: string) => number;
}

/** More than any run takes: the window that only ever grows. */
export const unbounded = 1_000_000_000;

const settings = new Map<number, WindowSettings>();

function settingsOf(budget: number): WindowSettings {
  const known = settings.get(budget) ?? window({ budget });
  settings.set(budget, known);
  return known;
}

/** The window of the next decision, as the runtime would ask for it. @throws `window_over_budget` */
export function windowAt(state: ThreadState, setup: WindowSetup): Window {
  const { input, encoding = "tools", ...given } = setup;
  return buildWindow(
    windowRequest(state, {
      ...given,
      input: { value: input, text: input },
      settings: settingsOf(setup.budget),
      encoding: encodings[encoding],
      maxOutputTokens: 1_000,
      calibration: state.calibrations.get("tape") ?? uncalibrated,
    }),
  );
}

/**
 * Where the window of this record begins, and how much of its front was shrunk: it differs from the record before
 * exactly when the window was compacted in between.
 */
export function frontOf(record: WindowRecord): string {
  return JSON.stringify(record.view);
}

/** What the next window goes on from: of its messages, those that are not for this decision only. */
export function historyOf({ input }: Window): readonly ModelMessage[] {
  return input.messages; // nothing is shown with `see` here, and nothing was wrong with the last output
}

/** The event by which code pins a note for later windows. */
export function pinnedNote(text: string, number: number): EventBody {
  return event("note_added", { key: `note:pin#${number}`, text, pinned: true });
}
