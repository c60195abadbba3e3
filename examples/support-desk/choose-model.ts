import type { Model } from "../../src/index.ts";
import { offlineModel } from "./offline-model.ts";

export interface ModelChoice {
  /** `provider/model`, or the stand-in. */
  readonly model: string | Model;
  readonly name: string;
  readonly isStandIn: boolean;
  /** Values that must never reach the log, by name. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** Keys of providers, and the model that is used with each. HOLDPOINT_MODEL names another, as on the command line. */
const providers = [
  ["ANTHROPIC_API_KEY", "anthropic/claude-sonnet-5-5"],
  ["OPENAI_API_KEY", "openai/gpt-6-astra"],
  ["GOOGLE_GENERATIVE_AI_API_KEY", "google/gemini-4-argon"],
] as const;

/** The model for which the environment has a key; without one, the offline stand-in. */
export function chooseModel(environment: Readonly<Record<string, string | undefined>>): ModelChoice {
  const keys = providers.flatMap(([variable, model]) => {
    const value = environment[variable];
    return value ? [{ variable, model, value }] : [];
  });
  const secrets = new Map(keys.map(({ variable, value }) => [variable, value]));
  const name = environment.HOLDPOINT_MODEL || keys[0]?.model;
  if (name !== undefined) return { model: name, name, isStandIn: false, secrets };
  const model = offlineModel();
  return { model, name: model.id, isStandIn: true, secrets };
}
