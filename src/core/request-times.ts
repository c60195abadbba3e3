// When an open request needs something done: a reminder, more people, its end. Times are recorded when it is opened, so
// that changed code moves no deadline of a request that people were told of.
import type { EventOf } from "./events.ts";

type Times = Pick<EventOf<"request_opened">, "expiresAt" | "remindAt" | "escalateAt">;

/** How much of its times has been dealt with. */
export interface TimesDone {
  readonly reminded: number;
  readonly escalated: number;
}

const nothingDone: TimesDone = { reminded: 0, escalated: 0 };

/** The next time at which the request needs a turn; `null` when only people can go on. */
export function nextRequestTime(
  { expiresAt, remindAt = [], escalateAt = [] }: Times,
  { reminded, escalated }: TimesDone = nothingDone,
): string | null {
  const times = [remindAt[reminded], escalateAt[escalated]?.at, expiresAt];
  return times.reduce<string | null>(
    (first, at) =>
      typeof at === "string" && (first === null || !(Date.parse(first) <= Date.parse(at))) ? at : first,
    null,
  );
}

/** What is dealt with once everything has been done that is due by `now` (milliseconds since the epoch). */
export function dueBy({ remindAt = [], escalateAt = [] }: Times, now: number): TimesDone {
  return {
    reminded: remindAt.filter((at) => Date.parse(at) <= now).length,
    escalated: escalateAt.filter(({ at }) => Date.parse(at) <= now).length,
  };
}
