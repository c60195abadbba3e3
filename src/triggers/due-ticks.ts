import type { Schedule } from "./schedule.ts";

/** What is to be done about the ticks of a schedule that are due. */
export interface DueTicks {
  /** To be started, oldest first. */
  readonly start: readonly number[];
  /** The newest tick that is due: all up to here are accounted for. */
  readonly through: number;
  /** More were missed than are started, though the policy is to start all. */
  readonly isCut: boolean;
}

/** More ticks than this are not made up for: a thousand threads at once are a flood already. */
export const maxMissedTicks = 1_000;
/** With `skip`, a tick this late is a missed one. */
const skipAfterMs = 60_000;

/** The ticks after `cursorMs` that are due by `nowMs`, by the schedule's policy; `null` when there are none. */
export function dueTicks(
  { calendar, missed }: Pick<Schedule, "calendar" | "missed">,
  cursorMs: number,
  nowMs: number,
): DueTicks | null {
  const { ticks, isCut } = calendar.between(cursorMs, nowMs, missed === "all" ? maxMissedTicks : 1);
  const through = ticks.at(-1);
  if (through === undefined) return null;
  switch (missed) {
    case "all":
      return { start: ticks, through, isCut };
    case "once":
      return { start: [through], through, isCut: false };
    case "skip":
      return { start: nowMs - through < skipAfterMs ? [through] : [], through, isCut: false };
    default:
      return missed satisfies never;
  }
}
