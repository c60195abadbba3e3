// Calls to models wait here for their turn: so many at once and a minute, per provider and per model. Queues are of
// p-queue; its own intervals go by the machine's timers, so the minute and the pauses go by the clock port.
import PQueue from "p-queue";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Model } from "../ports/model.ts";
import { type Circuit, type CircuitOptions, circuitFor } from "./circuit.ts";
import { untilAborted } from "./until-aborted.ts";

export interface RateLimits {
  /** Calls at once. */
  readonly concurrency?: number;
  /** Calls started within any 60 seconds; as many may start at once. Default: no limit but the provider's. */
  readonly perMinute?: number;
}

export interface ModelLimiterOptions {
  /** By the first part of a model's id, such as `anthropic`. */
  readonly providers?: { readonly [provider: string]: RateLimits };
  /** By model id, such as `openai/gpt-6-sol`; within what the provider allows. */
  readonly models?: { readonly [modelId: string]: RateLimits };
  /**
   * For providers that are not named. Default 16 at once: far more than a person's agents need, some 100 to 200 calls a
   * minute, and below what providers allow to small accounts (12 were too many for one of 2024:
   * github.com/anthropics/anthropic-sdk-python/issues/496). A worker of 1,000 threads should have its own numbers.
   */
  readonly everyProvider?: RateLimits;
  readonly circuit?: CircuitOptions;
  /**
   * A provider that asks for a longer pause than this is not waited for in memory: calls are `model_throttled` with the
   * time left, so that their threads can wait in the log. Default 30,000.
   */
  readonly maxPauseMs?: number;
  /** Calls that wait for one provider; more are `model_throttled`. Default 10,000. */
  readonly maxWaiting?: number;
}

const defaultConcurrency = 16;
const minuteMs = 60_000;

interface Lane {
  readonly slots: PQueue;
  readonly rate: Rate;
  waiting: number;
}

/**
 * Gives a function that puts models under limits. Models of one provider share the provider's, and all Models of one id
 * share the model's limits, pause and circuit. Calls start first come, first served; an aborted one leaves the queue at
 * once, and no timer outlives the calls that wait.
 *
 * - A call that is throttled with a time for the retry pauses its model until then; it fails itself.
 * - Calls that fail because the provider is down open the model's circuit: `model_circuit_open`, retryable, with the
 *   time left as `retryAfterMs`, thrown at once. Then one call tries, and the circuit closes if it gets an answer.
 *
 * @throws `usage` for a limit that is none.
 */
export function modelLimiter(options: ModelLimiterOptions, clock: Clock): (model: Model) => Model {
  const { maxPauseMs = 30_000, maxWaiting = 10_000 } = options;
  const everyProvider = { concurrency: defaultConcurrency, ...options.everyProvider };
  checkLimits(options);
  const providers = new Map<string, Lane>();
  const models = new Map<string, { readonly lane: Lane; readonly circuit: Circuit }>();

  function providerOf(modelId: string): Lane {
    const name = modelId.split("/", 1)[0] ?? "";
    const known = providers.get(name);
    if (known) return known;
    const lane = laneFor({ ...everyProvider, ...own(options.providers, name) });
    providers.set(name, lane);
    return lane;
  }

  function modelOf(modelId: string): { readonly lane: Lane; readonly circuit: Circuit } {
    const known = models.get(modelId);
    if (known) return known;
    const lane = laneFor(own(options.models, modelId) ?? {});
    const model = { lane, circuit: circuitFor(modelId, options.circuit ?? {}, clock) };
    models.set(modelId, model);
    return model;
  }

  function laneFor({ concurrency = Number.POSITIVE_INFINITY, perMinute }: RateLimits): Lane {
    return { slots: new PQueue({ concurrency }), rate: rateFor(perMinute, maxPauseMs, clock), waiting: 0 };
  }

  return function limited(model) {
    const { lane, circuit } = modelOf(model.id);
    const provider = providerOf(model.id);

    /** An aborted call gives its place to the next, also when the model takes no notice. */
    async function call<Result>(signal: AbortSignal, run: () => Promise<Result>): Promise<Result> {
      try {
        return await circuit.run(signal, () => untilAborted(run(), signal));
      } catch (error) {
        if (isHoldpointError(error) && error.retryable && error.retryAfterMs !== undefined && isPause(error))
          lane.rate.pause(error.retryAfterMs);
        throw error;
      }
    }

    return {
      id: model.id,
      async generate(input, generateOptions) {
        const { signal } = generateOptions;
        signal.throwIfAborted();
        circuit.check();
        if (provider.waiting >= maxWaiting) throw tooMany(model.id, maxWaiting);
        let isWaiting = true;
        provider.waiting += 1;
        generateOptions.onWaiting?.(true);
        const start = (): void => {
          if (!isWaiting) return;
          provider.waiting -= 1;
          isWaiting = false;
          generateOptions.onWaiting?.(false);
        };
        try {
          return await inTurn(model.id, lane, provider, signal, () => {
            start();
            return call(signal, async () => model.generate(input, generateOptions));
          });
        } finally {
          start();
        }
      },
    };
  };
}

const pausedAgain = Symbol("the model was paused while the call waited for its provider");

/** Waits for the model first, so that a call that waits for it holds none of its provider's places. */
async function inTurn<Result>(
  modelId: string,
  lane: Lane,
  provider: Lane,
  signal: AbortSignal,
  call: () => Promise<Result>,
): Promise<Result> {
  return lane.slots.add(
    async () => {
      for (;;) {
        await lane.rate.pass(modelId, signal);
        const result = await provider.slots.add(
          async () => {
            await provider.rate.pass(modelId, signal);
            return lane.rate.isPaused() ? pausedAgain : call();
          },
          { signal },
        );
        if (result !== pausedAgain) return result;
      }
    },
    { signal },
  );
}

interface Rate {
  /** Resolves when a call may start, in the order of asking. @throws the signal's reason, and `model_throttled`. */
  pass(modelId: string, signal: AbortSignal): Promise<void>;
  pause(ms: number): void;
  isPaused(): boolean;
}

function rateFor(perMinute: number | undefined, maxPauseMs: number, clock: Clock): Rate {
  const gate = new PQueue({ concurrency: 1 }); // one waits for the clock, the others for it
  let starts: readonly number[] = [];
  let pause = { since: 0, ms: 0 };

  /** The clock may be set back: no pause is longer than it was at first. */
  function pauseLeftMs(): number {
    return Math.min(Math.max(0, pause.since + pause.ms - clock.now()), pause.ms);
  }

  function waitMs(): number {
    const paused = pauseLeftMs();
    if (paused > 0 || perMinute === undefined) return paused;
    const now = clock.now();
    starts = starts.filter((at) => at <= now && now - at < minuteMs);
    const [oldest = now] = starts;
    return starts.length < perMinute ? 0 : oldest + minuteMs - now;
  }

  return {
    async pass(modelId, signal) {
      if (perMinute === undefined && pauseLeftMs() === 0 && gate.pending === 0) return;
      await gate.add(
        async () => {
          for (let ms = waitMs(); ms > 0; ms = waitMs()) {
            if (ms > maxPauseMs && pauseLeftMs() > maxPauseMs) throw pausedFor(modelId, ms);
            await clock.sleep(ms, signal);
            signal.throwIfAborted();
          }
          if (perMinute !== undefined) starts = [...starts, clock.now()];
        },
        { signal },
      );
    },
    pause(ms) {
      if (ms > pauseLeftMs()) pause = { since: clock.now(), ms };
    },
    isPaused: () => pauseLeftMs() > 0,
  };
}

/** The provider has said when; a circuit says when as well, and is no throttling. */
function isPause({ code, details }: HoldpointError): boolean {
  return code === "model_throttled" || details?.kind === "overloaded";
}

function checkLimits({ providers, models, everyProvider, circuit }: ModelLimiterOptions): void {
  const all = { ...providers, ...models, everyProvider, circuit };
  for (const [name, limits] of Object.entries(all)) {
    for (const [key, value] of Object.entries(limits ?? {})) {
      if (value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && Number(value) >= 1)) continue;
      throw new HoldpointError("usage", `${key} of ${name} is ${value}`, {
        fix: "Give a whole number from 1.",
      });
    }
  }
}

function own<Value>(table: { readonly [name: string]: Value } | undefined, name: string): Value | undefined {
  return table && Object.hasOwn(table, name) ? table[name] : undefined;
}

function tooMany(modelId: string, waiting: number): HoldpointError {
  return new HoldpointError("model_throttled", `${modelId}: ${waiting} calls wait for its provider already`, {
    retryable: true,
    retryAfterMs: 1_000,
    fix: "Raise the provider's concurrency, or run fewer threads.",
  });
}

function pausedFor(modelId: string, ms: number): HoldpointError {
  return new HoldpointError(
    "model_throttled",
    `${modelId} is throttled: its provider asked for a pause, ${Math.ceil(ms / 1_000)} s are left`,
    { retryable: true, retryAfterMs: ms, details: { kind: "throttled" } },
  );
}
