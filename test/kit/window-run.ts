// The one place where tapes, tests and benchmarks meet the window: what it is asked with, and how its record is read.

import type { EncodingName, Offer } from "../../src/core/encodings/encoding.ts";
import { encodings } from "../../src/core/encodings/encodings.ts";
import { type EventBody, event, type WindowRecord } from "../../src/core/events.ts";
import type { ThreadState } from "../../src/core/state.ts";
import type { ModelMessage } from "../../src/core/window/model-input.ts";
import { buildWindow, type Window } from "../../src/core/window/window.ts";

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

/** The window of the next decision, as the runtime would ask for it. @throws `window_over_budget` */
export function windowAt(state: ThreadState, setup: WindowSetup): Window {
  return buildWindow({
    state,
    ...setup,
    encoding: encodings[setup.encoding ?? "tools"],
    see: null,
    correction: null,
    maxOutputTokens: 1_000,
  });
}

/**
 * Where the window of this record begins, and how much of its front was shrunk: it differs from the record before
 * exactly when the window was compacted in between.
 */
export function frontOf(record: WindowRecord): string {
  return `${record.fromSeq} ${record.dropped}`;
}

/** What the next window goes on from: of its messages, those that are not for this decision only. */
export function historyOf({ input }: Window): readonly ModelMessage[] {
  return input.messages; // nothing is shown with `see` here, and nothing was wrong with the last output
}

/** The event by which code pins a note for later windows. Until there is one of its own, a signal: which is not pinned. */
export function pinnedNote(text: string, number: number): EventBody {
  return event("signal_received", {
    signalId: `sg_pin_${number}`,
    signal: "pinned",
    value: text,
    by: "code",
  });
}
