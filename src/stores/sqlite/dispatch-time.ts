/** Subtracted from a time that has come, so that the result is due under any clock (S3). Beyond any date of our era. */
const readyOffset = 1e15;

/** `due_at` of a thread that is due at once, first come first served. */
export function readySince(timeMs: number): number {
  return (Number.isFinite(timeMs) ? timeMs : 0) - readyOffset;
}

/** The time that a `due_at` means, for display and for ordering. */
export function dueTime(dueAt: number): number {
  return dueAt < 0 ? dueAt + readyOffset : dueAt;
}

/** Milliseconds since the epoch; `null` for no time, and for text that is none. */
export function toMs(at: string | null): number | null {
  const time = at === null ? Number.NaN : Date.parse(at);
  return Number.isNaN(time) ? null : time;
}

/** ISO 8601, UTC; `null` for a number that is beyond all dates. */
export function toIso(timeMs: number): string | null {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
