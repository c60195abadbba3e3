import type { ThreadState } from "../state.ts";
import { dropOldest } from "./drop-oldest.ts";
import type { SharedParts, WindowPart, WindowRecord } from "./window-record.ts";

/** Windows that a later one may be recorded as a difference from: more than decisions run beside each other. */
const mostWindows = 32;

/** I8. Takes in what a model call at `seq` was given. Where what it differs from is gone, the next window is recorded whole. */
export function applyWindow(state: ThreadState, seq: number, record: WindowRecord): void {
  state.lastWindow = { seq, record };
  state.showsReferences ||= record.references === true;
  const parts = partsOf(record, state.windows);
  if (!parts) return;
  state.windows.set(seq, parts);
  dropOldest(state.windows, mostWindows);
}

/** All parts of a window, by those of the windows before it; `undefined` when it is not among them. */
export function partsOf(
  { parts }: WindowRecord,
  windows: ReadonlyMap<number, readonly WindowPart[]>,
): readonly WindowPart[] | undefined {
  if (!parts) return undefined;
  const before = parts.from === 0 ? [] : windows.get(parts.from);
  return (
    before && parts.list.flatMap((each) => (isShared(each) ? before.slice(each[0], each[0] + each[1]) : each))
  );
}

function isShared(each: SharedParts | WindowPart): each is SharedParts {
  return Array.isArray(each);
}

/** The parts that a record holds itself. */
export function ownParts(record: WindowRecord | undefined): readonly WindowPart[] {
  return (record?.parts?.list ?? []).flatMap((each) => (isShared(each) ? [] : [each]));
}

/** The digests of the texts that a record keeps beside the log. */
export function windowTexts(record: WindowRecord | undefined): readonly string[] {
  const kept = ownParts(record).filter(({ content, plain }) => content === undefined && !plain);
  return kept.map(({ digest }) => digest);
}
