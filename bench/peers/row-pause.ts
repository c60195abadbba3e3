import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { startChild } from "./child.ts";
import type { Outcome } from "./peer.ts";
import { median, type PeerRow } from "./peers.ts";

const steps = 200;
const repeats = 5;
/** For the steps before the pause. */
const limitMs = 120_000;

export const pauseRow: PeerRow = {
  name: "Pause for an approval, resume in a fresh process",
  how: `After ${steps} steps an action needs approval and the process ends. Milliseconds in another process from opening the store to the approved action running; imports come before the clock. Median of ${repeats}.`,
  isTimed: true,
  reading:
    "What a person waits for after they said yes, without starting the process. It is the first thing that the process does, so functions that run for the first time are in it, and so is reading the 200 steps back. Who may claim the approval is another row.",
  async measure(peer, _facts, folder) {
    const given = { steps, runId: "paused" };
    const parked = join(folder, "parked");
    mkdirSync(parked);
    const paused = await startChild<Outcome>(peer, "pause", { ...given, folder: parked }, { limitMs }).result;
    if (paused.kind !== "paused") return { text: `does not pause: ${JSON.stringify(paused)}`, data: paused };
    const times: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const copy = join(folder, `copy-${repeat}`);
      cpSync(parked, copy, { recursive: true }); // of what is stored: each resumes the same
      const resumed = await startChild<Outcome & { ms: number }>(peer, "resume", { ...given, folder: copy })
        .result;
      if (resumed.kind !== "ended" || !Number.isFinite(resumed.ms))
        return { text: `does not resume: ${JSON.stringify(resumed).slice(0, 200)}`, data: resumed };
      times.push(resumed.ms);
    }
    return { text: `${median(times).toFixed(1)} ms`, data: times, score: median(times) };
  },
};
