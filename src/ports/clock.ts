/** Time as the runtime sees it. Nothing leaks through: tests drive it by hand. */
export interface Clock {
  /** Milliseconds since the epoch. May go backwards when the machine's clock is set. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; it never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
