// What is durable about schedules. Times are milliseconds since the epoch.
//
// S1. A tick is claimed once: claiming moves the schedule's cursor from the place that the claimer has seen, and writes
//     down, in the same transaction, which ticks are to be started. The cursor never lies behind a claimed tick, unless
//     a person resumed the schedule or its definition changed.
// S2. A claimed tick stays on the list until it was started, whoever claimed it: a crash between the two loses nothing,
//     and a start that is repeated has the same key.

/** A schedule as the store knows it. */
export interface ScheduleRow {
  readonly name: string;
  /** Hash of what its ticks follow from. */
  readonly definition: string;
  /** All ticks up to here are accounted for: claimed, or left out. */
  readonly cursor: number;
  readonly pausedAt: number | null;
  readonly pausedBy: string | null;
  /** The newest tick that was started, and its thread. */
  readonly lastTick: number | null;
  readonly lastThreadId: string | null;
  /** What went wrong since the last claim. */
  readonly problem: string | null;
  /** Claimed ticks that wait to be started. */
  readonly waiting: number;
}

export interface ScheduleClaim {
  readonly name: string;
  readonly definition: string;
  /** The cursor that the claimer has seen. */
  readonly from: number;
  readonly to: number;
  /** To be started with this agent. */
  readonly ticks: readonly number[];
  readonly agent: string;
  readonly problem: string | null;
}

export interface WaitingTick {
  readonly name: string;
  readonly tick: number;
  readonly agent: string;
}

/** Where schedules are kept. What leaks through: what leaks through a `Store`. */
export interface ScheduleStore {
  /** Makes a schedule known, from `now` on. One whose definition is another goes on from `now`; else nothing changes. */
  register(schedule: {
    readonly name: string;
    readonly definition: string;
    readonly now: number;
  }): Promise<void>;
  /** By name. */
  list(): Promise<readonly ScheduleRow[]>;
  /** S1. @returns false, having changed nothing, when another was first, or it is paused or defined otherwise. */
  claim(claim: ScheduleClaim): Promise<boolean>;
  /** S2. Oldest first, at most `limit`. */
  waiting(name: string, limit: number): Promise<readonly WaitingTick[]>;
  /** Takes a tick off the list: it was started. */
  started(tick: { readonly name: string; readonly tick: number; readonly threadId: string }): Promise<void>;
  /** Takes a tick off the list: it cannot be started, and never will be. */
  failed(tick: { readonly name: string; readonly tick: number; readonly problem: string }): Promise<void>;
  /** @returns false when there is no such schedule. Pausing again changes nothing. */
  pause(schedule: { readonly name: string; readonly by: string; readonly now: number }): Promise<boolean>;
  /** Goes on from `now`: what came meanwhile is left out. @returns false when there is no such schedule. */
  resume(schedule: { readonly name: string; readonly now: number }): Promise<boolean>;
}
