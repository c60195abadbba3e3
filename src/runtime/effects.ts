// The effects of one session, from their start until their results are in the log (S1 and S2 of `session.ts`).
import type { PendingOperation } from "../core/flow.ts";
import type { TurnTelemetry } from "../ports/telemetry.ts";
import type { Perform } from "./operations/plan.ts";
import type { Runtime } from "./runtime.ts";
import { type Facts, noFacts } from "./stored.ts";

/** An effect that was started and whose result is not in the log yet. */
export interface Effect {
  readonly key: string;
  readonly perform: Perform;
  readonly abort: AbortController;
  /** `null` while it is under way. */
  result: Facts | null;
}

export interface Effects {
  /** Those under way, and those whose results are not appended yet: no plan is made for either. */
  readonly size: number;
  has(key: string): boolean;
  /** One of them starts alone. */
  isExclusive(): boolean;
  start(operation: PendingOperation, perform: Perform): void;
  /** Ended, and their results are not appended yet; in the order in which they ended. */
  ended(): readonly Effect[];
  /** The results of these are in the log, or will never be. */
  settle(done: readonly Effect[]): void;
  /** What an effect threw that should never throw. */
  failure(): { readonly error: unknown } | null;
  /** Tells all of them to stop; they end when they end. */
  abort(): void;
  /** Resolves when none is under way. */
  end(): Promise<void>;
  /** The same; those that are not done within the runtime's grace are told to stop. */
  endInGrace(): Promise<void>;
}

export interface EffectsOptions {
  readonly runtime: Runtime;
  readonly threadId: string;
  readonly telemetry: TurnTelemetry | null;
  /** Called after each end. */
  readonly onEnd: () => void;
}

export function createEffects({ runtime, threadId, telemetry, onEnd }: EffectsOptions): Effects {
  const effects = new Map<string, Effect>();
  let outbox: readonly Effect[] = [];
  let failure: { readonly error: unknown } | null = null;
  let wake: () => void = () => {};

  function start(operation: PendingOperation, perform: Perform): void {
    const effect: Effect = { key: operation.key, perform, abort: new AbortController(), result: null };
    effects.set(effect.key, effect);
    runtime.observe({ kind: "performing", threadId, key: effect.key });
    const told = perform.about ? (telemetry?.startEffect(perform.about) ?? null) : null;
    const run = (): Promise<Facts> => perform.effect(effect.abort.signal);
    void (told ? told.within(run) : run()).then(
      (result) => {
        told?.end(result);
        finish(effect, result);
      },
      (error: unknown) => {
        told?.end({ thrown: error });
        failure = { error };
        finish(effect, noFacts);
      },
    );
  }

  /** An effect stays among `effects` until its result is in the log, so that no plan is made in between. */
  function finish(effect: Effect, result: Facts): void {
    const intent = effect.perform.intentFirst || result.events.length === 0 ? [] : effect.perform.intent;
    effect.result = { events: [...intent, ...result.events], artifacts: result.artifacts };
    if (effect.result.events.length > 0) outbox = [...outbox, effect];
    else effects.delete(effect.key);
    onEnd();
    wake();
  }

  function isRunning(): boolean {
    return effects.size > outbox.length;
  }

  function settle(done: readonly Effect[]): void {
    outbox = outbox.filter((effect) => !done.includes(effect));
    for (const { key } of done) effects.delete(key);
  }

  function abort(): void {
    for (const effect of effects.values()) effect.abort.abort();
  }

  async function end(): Promise<void> {
    while (isRunning()) await new Promise<void>((resolve) => (wake = resolve));
  }

  async function endInGrace(): Promise<void> {
    if (!isRunning()) return;
    const ended = new AbortController();
    void runtime.clock.sleep(runtime.graceMs, ended.signal).then(abort);
    await end();
    ended.abort();
  }

  return {
    get size() {
      return effects.size;
    },
    has: (key) => effects.has(key),
    isExclusive: () => [...effects.values()].some((effect) => effect.perform.exclusive),
    start,
    ended: () => outbox,
    settle,
    failure: () => failure,
    abort,
    end,
    endInGrace,
  };
}
