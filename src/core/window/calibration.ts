// One counter for trigger and work alike, corrected upward by what providers report, so that what it says is never under
// for an input that was sent. Of each thread and model: the same log gives the same windows everywhere.
import type { Calibration, WindowRecord } from "./window-record.ts";

export const uncalibrated: Calibration = { factor: 1, offset: 0 };

/** Below this many counted tokens, what is missing is put down to what a provider adds to every call. */
const smallWindow = 1_000;
/** What is past this is no error of a counter: images, or a server that counts something else. */
const largestFactor = 4;
/** After an overflow the counter was at least this much under. */
const overflowFactor = 1.25;

/** Tokens of an input of which the counter counted `counted`. */
export function calibrated(counted: number, { factor, offset }: Calibration): number {
  return Math.ceil(counted * factor + offset);
}

/** How much the counter may count for the input to fit `tokens`. */
export function countable(tokens: number, { factor, offset }: Calibration): number {
  return Math.floor((tokens - offset) / factor);
}

/** Never less than before. */
export function calibrate(before: Calibration, record: WindowRecord, reportedTokens: number): Calibration {
  const used = record.calibration ?? uncalibrated;
  const rounded = used.factor === 1 ? 0 : 1; // at least this was counted: the record was rounded up
  const counted = (record.tokens - rounded - used.offset) / used.factor;
  if (counted <= 0 || reportedTokens <= calibrated(counted, before)) return before;
  if (counted < smallWindow)
    return { ...before, offset: Math.ceil(reportedTokens - counted * before.factor) };
  const factor = (reportedTokens - before.offset) / counted;
  return { ...before, factor: Math.max(before.factor, Math.min(largestFactor, factor)) };
}

/** The provider said that what was sent did not fit: the counter was under, by how much is not known. */
export function tighten(before: Calibration): Calibration {
  return { ...before, factor: Math.min(largestFactor, before.factor * overflowFactor) };
}
