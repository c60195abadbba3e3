import type { Clock } from "../ports/clock.ts";

/** The requests that are being answered. */
export interface InFlight {
  /** @returns a function to call when it is answered. */
  begin(): () => void;
  /** Aborts when the request's client is gone, or its time is over. */
  signalFor(request: Request): AbortSignal;
  /** Resolves when none is left; after `graceMs` the signals of those that are abort. */
  drain(clock: Clock, graceMs: number): Promise<void>;
}

export function createInFlight(): InFlight {
  const giveUp = new AbortController();
  let count = 0;
  let onEmpty: () => void = () => {};
  return {
    begin() {
      count += 1;
      return () => {
        count -= 1;
        if (count === 0) onEmpty();
      };
    },
    signalFor: (request) => AbortSignal.any([request.signal, giveUp.signal]),
    async drain(clock, graceMs) {
      const empty = new AbortController();
      onEmpty = () => empty.abort();
      if (count > 0) await clock.sleep(graceMs, empty.signal);
      giveUp.abort();
    },
  };
}
