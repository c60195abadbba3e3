// What every part of the fold does to a state.
import { HoldpointError } from "./errors.ts";
import type { Stored, ThreadEvent } from "./events.ts";
import { initialOperation, type Operation, type Outcome, type ThreadState } from "./state.ts";

/** Only a note of where the value stands: it is measured and hashed when somebody asks for it. */
export function keepValue(state: ThreadState, event: ThreadEvent, from: string, stored: Stored): void {
  state.values.push({ seq: event.seq, from, stored });
}

export function settle(target: Operation, event: ThreadEvent, outcome: Outcome): void {
  if (target.settled !== null) throw illegal(event, `${target.key} was settled at ${target.settled.seq}`);
  target.settled = { seq: event.seq, outcome };
}

export function operation(
  state: ThreadState,
  event: { readonly key: string; readonly seq: number },
): Operation {
  const known = state.operations.get(event.key);
  if (known) return known;
  const created = initialOperation(event.key, event.seq);
  state.operations.set(event.key, created);
  return created;
}

export function existing(state: ThreadState, event: ThreadEvent & { readonly key: string }): Operation {
  const known = state.operations.get(event.key);
  if (!known) throw illegal(event, `there is no operation ${event.key} before it`);
  return known;
}

export function listAt<Item>(lists: Map<string, Item[]>, name: string): Item[] {
  const known = lists.get(name);
  if (known) return known;
  const created: Item[] = [];
  lists.set(name, created);
  return created;
}

export function illegal(event: ThreadEvent, why: string): HoldpointError {
  return new HoldpointError(
    "store_corrupt",
    `event ${event.seq} (${event.type}) cannot stand there: ${why}`,
    {
      fix: "Run `holdpoint verify` to see what else is wrong; restore the file from a backup.",
    },
  );
}
