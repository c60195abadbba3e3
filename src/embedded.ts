import type { Agent } from "./core/agent.ts";
import { localDispatcher } from "./dispatch/local.ts";
import { type ModelLimiterOptions, modelLimiter } from "./models/limit-model.ts";
import { modelFacts } from "./models/model-facts.ts";
import type { ProviderSettings } from "./models/providers.ts";
import { modelResolver } from "./models/resolve-model.ts";
import { soundCounter } from "./models/sound-counter.ts";
import { tokenEstimator } from "./models/token-estimator.ts";
import type { Store } from "./ports/store.ts";
import { createRuntime, type Runtime, type RuntimeOptions } from "./runtime/runtime.ts";
import { systemClock } from "./runtime/system-clock.ts";
import { openSqliteStore } from "./stores/sqlite/store.ts";

export type EmbeddedOptions = Partial<Omit<RuntimeOptions, "agents">> & {
  /** The SQLite file; it and its folder are created when missing. */
  readonly path: string;
  readonly agents: readonly Agent[];
  /** Used by agents that name no model: `provider/model`, or a model object. */
  readonly defaultModel?: unknown;
  /** Settings of the providers that agents name by strings, and endpoints under names of their own. */
  readonly providers?: Readonly<Record<string, ProviderSettings>>;
  /** How many calls at once and a minute, and when a provider is left alone for a while. */
  readonly modelLimits?: ModelLimiterOptions;
};

/**
 * A runtime with nothing else to run: one SQLite file, a mailbox in memory, the machine's clock.
 * Close it with `closeRuntime`. A text that `counter` cannot count is estimated (`soundCounter`).
 *
 * @throws `usage` for a counter that cannot be used; what opening a store throws.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Runtime> {
  const { path, defaultModel, providers = {}, modelLimits = {}, ...rest } = options;
  const counter = rest.counter ? soundCounter(rest.counter) : tokenEstimator; // first: it may refuse
  const store: Store = rest.store ?? (await openSqliteStore({ path }));
  const clock = rest.clock ?? systemClock;
  return createRuntime({
    dispatcher: localDispatcher({ clock }),
    resolveModel: modelResolver({ defaultModel, providers, limit: modelLimiter(modelLimits, clock) }),
    modelFacts: modelFacts(),
    ...rest,
    counter,
    store,
    clock,
  });
}

/** Closes what a runtime holds. Workers are closed before. */
export async function closeRuntime(runtime: Runtime): Promise<void> {
  await runtime.dispatcher.close();
  await runtime.store.close();
}
