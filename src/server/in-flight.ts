import type { Clock } from "../ports/clock.ts";

/** The requests that are being answered. */
export interface InFlight {
  /** Begins one: its signal aborts when its client is gone, or its time is over. `done` is to be called when it is answered. */
  begin(request: Request): { readonly signal: AbortSignal; readonly done: () => void };
  /** Resolves when none is left; after `graceMs` the signals of those that are abort. */
  drain(clock: Clock, graceMs: number): Promise<void>;
}

export function createInFlight(): InFlight {
  const open = new Set<AbortController>(); // and no `AbortSignal.any` of one that lives as long as the service
  let onEmpty: () => void = () => {};
  return {
    begin(request) {
      const controller = new AbortController();
      const abort = (): void => controller.abort(request.signal.reason);
      request.signal.addEventListener("abort", abort, { once: true });
      open.add(controller);
      return {
        signal: controller.signal,
        done: () => {
          request.signal.removeEventListener("abort", abort);
          open.delete(controller);
          if (open.size === 0) onEmpty();
        },
      };
    },
    async drain(clock, graceMs) {
      const empty = new AbortController();
      onEmpty = () => empty.abort();
      if (open.size > 0) await clock.sleep(graceMs, empty.signal);
      for (const controller of open) controller.abort();
    },
  };
}
