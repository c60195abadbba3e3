import type { WindowRecord } from "../events.ts";
import type { ThreadState } from "../state.ts";

/** Windows that a later one may be recorded as a difference from: more than decisions run beside each other. */
const mostWindows = 32;

/** I8. Takes in what a model call at `seq` was given. Where what it differs from is gone, the next window is recorded whole. */
export function applyWindow(state: ThreadState, seq: number, record: WindowRecord): void {
  state.lastWindow = { seq, record };
  const { parts } = record;
  const before = parts?.from === 0 ? [] : state.windows.get(parts?.from ?? -1);
  if (!parts || !before) return;
  state.windows.set(seq, [...before.slice(0, parts.keep), ...parts.add]);
  if (state.windows.size > mostWindows) dropOldest(state.windows);
}

function dropOldest(windows: ThreadState["windows"]): void {
  const oldest = windows.keys().next();
  if (!oldest.done) windows.delete(oldest.value);
}

/** The digests of the texts that a record keeps beside the log. */
export function windowTexts(record: WindowRecord | undefined): readonly string[] {
  const kept = (record?.parts?.add ?? []).filter(({ text, plain }) => text === undefined && !plain);
  return kept.map(({ digest }) => digest);
}
