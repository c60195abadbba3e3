// How model calls fail without an output, or with one that is late: as a provider's adapter reports them.
import { HoldpointError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { GenerateOptions, ModelOutput } from "../ports/model.ts";
import { outputPieces } from "./output-pieces.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { untilAborted } from "./until-aborted.ts";

export interface FailContext {
  /** Of the wrapped model, for messages. */
  readonly id: string;
  readonly random: SeededRandom;
  readonly options: GenerateOptions;
  readonly clock: Clock;
  readonly slowMs: number;
  /** Asks the wrapped model. */
  readonly ask: (options: GenerateOptions) => Promise<ModelOutput>;
  /** Notes that the call waits: for the clock, or to be aborted. */
  readonly whileWaiting: <T>(waiting: Promise<T>) => Promise<T>;
}

export type Fail = (context: FailContext) => Promise<ModelOutput>;

const limitTokens = 200_000;

export type CallFailure =
  | "throttled"
  | "overloaded"
  | "timeout"
  | "interrupted"
  | "network_error"
  | "repeated_failure"
  | "overflow"
  | "garbled";

/** No output comes of these. */
export const callFailures: { readonly [Name in CallFailure]: Fail } = {
  throttled: ({ id, random }) =>
    fail("model_throttled", `${id} failed (HTTP 429): too many requests`, {
      retryable: true,
      retryAfterMs: random.between(1, 30) * 1_000,
    }),
  overloaded: ({ id }) => fail("model_failed", `${id} failed (HTTP 529): overloaded`, { retryable: true }),
  /** Never answers; rejects with the signal's reason when aborted. */
  timeout: ({ options, whileWaiting }) => whileWaiting(untilAborted(options.signal)),
  /** Shows some of what the wrapped model put out, then the connection ends. */
  interrupted: async ({ id, random, options, ask }) => {
    const pieces = outputPieces(await ask({ signal: options.signal }));
    const shown = random.between(1, Math.max(1, pieces.length - 1));
    for (const piece of pieces.slice(0, shown)) options.onProgress?.(piece);
    return fail("model_interrupted", `${id}: the output ended too early`, { retryable: true });
  },
  network_error: ({ id }) =>
    fail("model_failed", `${id} failed: fetch failed: read ECONNRESET`, { retryable: true }),
  /** The same request fails this time and the next few times: a service that is down. */
  repeated_failure: ({ id }) =>
    fail("model_failed", `${id} failed (HTTP 503): service unavailable`, { retryable: true }),
  overflow: ({ id, random }) => {
    const message = `prompt is too long: ${limitTokens + random.between(1, 60_000)} tokens > ${limitTokens} maximum`;
    return fail("model_overflow", `${id} failed (HTTP 400): ${message}`, { details: { limitTokens } });
  },
  /** A status of 200 with something else than an answer. */
  garbled: ({ id }) =>
    fail("model_failed", `${id} failed (HTTP 200): the answer is HTML, not JSON`, { retryable: true }),
};

export type LateOutput = "slow_first_token";

/** What the wrapped model wanted, late. */
export const lateOutputs: { readonly [Name in LateOutput]: Fail } = {
  slow_first_token: async ({ options, clock, slowMs, ask, whileWaiting }) => {
    await whileWaiting(clock.sleep(slowMs, options.signal));
    options.signal.throwIfAborted();
    const output = await ask(options);
    return options.onProgress ? { ...output, firstTokenMs: slowMs } : output;
  },
};

function fail(...error: ConstructorParameters<typeof HoldpointError>): Promise<never> {
  return Promise.reject(new HoldpointError(...error));
}
