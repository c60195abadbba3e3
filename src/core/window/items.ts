// A thread's history as the window sees it: turns and notes in the log's order, read backwards from the end, so that a
// long thread costs no more than what is shown of it.
import type { EventOf } from "../events.ts";
import type { Note, ThreadState } from "../state.ts";
import { causeOf } from "./failures.ts";
import { operationsOf } from "./render.ts";

export type Item =
  | {
      readonly kind: "turn";
      readonly seq: number;
      readonly turn: EventOf<"decision_made">;
      /** Failures of one cause, one after the other, that it stands for; 0 when a success or a later failure stands for it. */
      readonly attempts: number;
    }
  | { readonly kind: "note"; readonly seq: number; readonly note: Note };

/** Items from `fromSeq` on and before `toSeq`, oldest first. */
export function itemsFrom(
  state: ThreadState,
  fromSeq: number,
  toSeq: number = Number.POSITIVE_INFINITY,
): readonly Item[] {
  const { turns, notes } = state;
  const items: Item[] = [];
  let turn = lastBefore(turns, toSeq);
  let note = lastBefore(notes, toSeq);
  let later: Later | null = null;
  for (;;) {
    const nextTurn = turns[turn];
    const nextNote = notes[note];
    const newest = Math.max(nextTurn?.seq ?? -1, nextNote?.seq ?? -1);
    if (newest < fromSeq || newest < 0) return items.reverse();
    if (nextTurn?.seq === newest) {
      turn -= 1;
      const ended = endOf(state, nextTurn);
      later = follow(items, later, ended);
      items.push({
        kind: "turn",
        seq: newest,
        turn: nextTurn,
        attempts: later?.isHidden ? 0 : 1,
      });
      if (later && !later.isHidden) later.place = items.length - 1;
    } else if (nextNote) {
      note -= 1;
      items.push({ kind: "note", seq: newest, note: nextNote });
    }
  }
}

/** The place of the last one before `toSeq`. */
function lastBefore(list: readonly { readonly seq: number }[], toSeq: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.seq ?? toSeq) < toSeq) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** How a turn ended as a whole: all its calls failed (with what causes), all succeeded, or neither. */
interface TurnEnd {
  readonly kind: "failed" | "succeeded" | "mixed";
  /** Of its calls: tools and arguments. */
  readonly calls: string;
  readonly cause: string;
}

const ends = new WeakMap<object, { readonly state: ThreadState; readonly end: TurnEnd }>();

/** Recomputable: a cache only, of one state's turns. A turn that is not settled is looked at again. */
function endOf(state: ThreadState, turn: EventOf<"decision_made">): TurnEnd {
  const known = ends.get(turn);
  if (known?.state === state) return known.end;
  const { decision } = turn;
  if (decision.kind === "answer") return { kind: "mixed", calls: "", cause: "" };
  const operations = operationsOf(state, decision.calls);
  const outcomes = operations.map((operation) => operation?.settled?.outcome);
  const calls = JSON.stringify(decision.calls.map(({ tool, args }) => [tool, args]));
  const causes = decision.calls.map((call, index) => {
    const outcome = outcomes[index];
    return outcome?.kind === "action" && outcome.event.type === "action_failed"
      ? causeOf(call, outcome.event.error)
      : null;
  });
  const succeeded = outcomes.every(
    (outcome) => outcome?.kind === "action" && outcome.event.type === "action_completed",
  );
  const failed = causes.every((cause) => cause !== null);
  const end: TurnEnd = {
    kind: succeeded ? "succeeded" : failed ? "failed" : "mixed",
    calls,
    cause: causes.join("\n"),
  };
  if (outcomes.every((outcome) => outcome !== undefined)) ends.set(turn, { state, end });
  return end;
}

/** The turn that follows, as far as it stands for the failures right before it. */
interface Later {
  readonly end: TurnEnd;
  /** The turn just looked at is one that `end` stands for. */
  isHidden: boolean;
  /** Where the failure that is shown stands among the items. */
  place: number;
}

/**
 * A failure right before an equal one is told by that one; right before a success of the same calls it is history.
 * Both only touch the end of what was shown before, so the prefix of the prompt stays.
 */
function follow(items: Item[], later: Later | null, end: TurnEnd): Later {
  if (later && end.kind === "failed" && isToldBy(later.end, end)) {
    later.isHidden = true;
    const shown = items[later.place];
    if (later.end.kind === "failed" && shown?.kind === "turn")
      items[later.place] = { ...shown, attempts: shown.attempts + 1 };
    return later;
  }
  return { end, isHidden: false, place: -1 };
}

function isToldBy(later: TurnEnd, failed: TurnEnd): boolean {
  if (later.kind === "failed") return later.cause === failed.cause;
  return later.kind === "succeeded" && later.calls === failed.calls;
}
