import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";

export interface CircuitOptions {
  /** So many failures in a row, of a provider that is down, open the circuit. Default 5. */
  readonly failures?: number;
  /** It stays open for so long; then one call tries. Default 30,000: about as long as a provider needs to restart. */
  readonly openMs?: number;
}

export interface Circuit {
  /** @throws `model_circuit_open` at once while it is open, or while another call tries. */
  check(): void;
  /**
   * Makes a call, and learns from how it ends: nothing from an abort, unless it came since the time was over.
   *
   * @throws as `check`, and as `call`.
   */
  run<Result>(signal: AbortSignal, call: () => Promise<Result>): Promise<Result>;
}

/** While one call tries, the others ask again after a second. */
const probeMs = 1_000;

/** A circuit breaker for one model: while its provider is down, calls fail at once in place of waiting for a timeout. */
export function circuitFor(modelId: string, options: CircuitOptions, clock: Clock): Circuit {
  const { failures: maxFailures = 5, openMs = 30_000 } = options;
  let failures = 0;
  let openedAt: number | null = null;
  let isProbing = false;

  /** The clock may be set back: no wait is longer than it was at first. */
  function leftMs(): number {
    return openedAt === null ? 0 : Math.min(Math.max(0, openedAt + openMs - clock.now()), openMs);
  }

  function check(): void {
    if (openedAt === null) return;
    const left = leftMs();
    if (left > 0 || isProbing) throw circuitOpen(modelId, failures, left > 0 ? left : probeMs);
  }

  function succeed(): void {
    failures = 0;
    openedAt = null;
  }

  function fail(isProbe: boolean): void {
    failures += 1;
    if (isProbe || (openedAt === null && failures >= maxFailures)) openedAt = clock.now();
  }

  return {
    check,
    async run(signal, call) {
      check();
      const isProbe = openedAt !== null;
      isProbing ||= isProbe;
      try {
        const result = await call();
        succeed();
        return result;
      } catch (error) {
        if (signal.aborted ? isTimeout(signal.reason) : isDown(error)) fail(isProbe);
        else if (!signal.aborted) succeed(); // it answers, though not as we would like
        throw error;
      } finally {
        if (isProbe) isProbing = false;
      }
    },
  };
}

const downKinds: readonly unknown[] = ["server", "overloaded", "network", "timeout"];

/** It says that the provider is down, not that it refuses this one call. */
function isDown(error: unknown): boolean {
  if (!isHoldpointError(error)) return false;
  return error.code === "model_timeout" || downKinds.includes(error.details?.kind);
}

/** As `AbortSignal.timeout` and the runtime's deadline give it. */
function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "TimeoutError";
}

function circuitOpen(modelId: string, failures: number, retryAfterMs: number): HoldpointError {
  return new HoldpointError(
    "model_circuit_open",
    `${modelId} is not called for ${Math.ceil(retryAfterMs / 1_000)} s: it failed ${failures} times in a row`,
    { retryable: true, retryAfterMs, fix: "See why its calls failed, or give the agent a fallback model." },
  );
}
