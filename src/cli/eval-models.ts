// Which model a trial calls: the one named on the command line, the suite's, or the agents' own; recorded, played, or made
// to go wrong.
import { resolve } from "node:path";
import { sha256 } from "../core/digest.ts";
import type { HoldpointError } from "../core/errors.ts";
import { modelName } from "../eval/run-eval.ts";
import type { TrialSetup } from "../eval/suite.ts";
import { modelLimiter } from "../models/limit-model.ts";
import { type ModelResolver, modelResolver } from "../models/resolve-model.ts";
import type { Clock } from "../ports/clock.ts";
import type { Model } from "../ports/model.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { type FaultyModel, faultyModel } from "../testing/faulty-model.ts";
import { recordModel } from "../testing/record-model.ts";
import { recordedModel } from "../testing/recorded-model.ts";
import { importModule } from "./import-module.ts";
import { usageError } from "./screen.ts";
import { assertFile, readText, type Settings } from "./settings.ts";

export interface ModelOptions {
  /** As typed: `provider/model`, or a file. */
  readonly model?: string | undefined;
  readonly replay?: string | undefined;
  readonly record?: string | undefined;
  readonly faults: number | null;
}

export interface EvalModels {
  /** Says what is called instead of the agents' own; `null` for nothing. For the run's record. */
  readonly name: string | null;
  /** The agents' own models, one by its name, or an object that is there already. */
  readonly called: "own" | "named" | "made";
  readonly resolver: ModelResolver;
  /** Aborts with the error when the calls cannot be recorded any more: that is the run's matter, and no trial's. */
  readonly recordingFailed: AbortSignal;
  /** What a trial calls whatever its agents name; `undefined` when they are asked. */
  instead(setup: TrialSetup, ofWorld: unknown): unknown;
  open(setup: TrialSetup, instead: unknown): TrialModels;
}

/** Of one trial. */
interface TrialModels {
  readonly resolveModel: (model: unknown, clock: Clock) => Promise<Model>;
  readonly isStuck?: () => boolean;
}

type MakeModel = (setup: TrialSetup) => unknown;

/** @throws `usage`, and what reading a module or a recording throws. */
export async function evalModels(
  settings: Settings,
  suite: { readonly model?: unknown; readonly folder: string },
  options: ModelOptions,
): Promise<EvalModels> {
  const { defaultModel, providers, secrets } = settings;
  const resolver = modelResolver({ defaultModel, providers, limit: modelLimiter({}, systemClock) });
  const own = await makerOf(suite.model, suite.folder, secrets);
  const { replay } = options;
  const given =
    replay === undefined
      ? await makerOf(options.model, ".", secrets)
      : await recording(resolve(replay), secrets);
  const failed = new AbortController();
  const record =
    options.record === undefined ? null : recorder(options.record, secrets, (error) => failed.abort(error));
  return {
    name: (given ?? own)?.name ?? null,
    called: (given ?? own)?.called ?? "own",
    resolver,
    recordingFailed: failed.signal,
    instead: (setup, ofWorld) => (given ?? null)?.make(setup) ?? ofWorld ?? own?.make(setup),
    open: (setup, instead) => openModels(resolver, setup, instead, { record, faults: options.faults }),
  };
}

interface Maker {
  readonly name: string;
  readonly called: "named" | "made";
  readonly make: MakeModel;
}

/** A model by its name, from a module, or from a recording. */
async function makerOf(model: unknown, folder: string, secrets: Settings["secrets"]): Promise<Maker | null> {
  if (model === undefined || model === null) return null;
  if (typeof model !== "string")
    return { name: modelName(model) ?? "a model object", called: "made", make: () => model };
  if (/\.jsonl$/i.test(model)) return recording(resolve(folder, model), secrets);
  if (!/^\.{0,2}\/|\.[cm]?[jt]s$/.test(model)) return { name: model, called: "named", make: () => model };
  const { default: exported } = await importModule(resolve(folder, model));
  if (exported === undefined)
    throw usageError(
      `${model} has no default export`,
      "Export a model, or a function that makes one for a trial.",
    );
  return {
    called: "made",
    name: typeof exported === "function" ? model : (modelName(exported) ?? model),
    make: typeof exported === "function" ? (exported as MakeModel) : () => exported, // what it gives is looked at by the resolver
  };
}

/** One for the whole run: equal requests are answered in the order of the recording. */
async function recording(path: string, secrets: Settings["secrets"]): Promise<Maker> {
  await assertFile(path);
  const model = await recordedModel({ path, secrets });
  return {
    name: `${model.id}, recorded ${sha256(await readText(path)).slice(0, 16)}`,
    called: "made",
    make: () => model,
  };
}

function recorder(
  path: string,
  secrets: Settings["secrets"],
  onFailed: (error: HoldpointError) => void,
): (model: Model) => Model {
  const longEnough = new Map([...secrets].filter(([, value]) => value.length >= 6)); // shorter ones are no secrets anywhere
  let known: { readonly model: Model; readonly recorded: Model } | null = null;
  return (model) => {
    known ??= {
      model,
      recorded: recordModel(model, { path: resolve(path), secrets: longEnough, onUnwritable: onFailed }),
    };
    if (known.model === model) return known.recorded;
    onFailed(
      usageError(
        `a recording is of one model, and the trials call ${known.model.id} and ${model.id}, or one made for each trial`,
        "Name one for all of them with --model.",
      ),
    );
    return model; // the run stops; what was asked meanwhile is answered, and kept
  };
}

function openModels(
  resolver: ModelResolver,
  setup: TrialSetup,
  instead: unknown,
  { record, faults }: { readonly record: ((model: Model) => Model) | null; readonly faults: number | null },
): TrialModels {
  const faulty = new Map<Model, FaultyModel>();
  return {
    ...(faults !== null && { isStuck: () => [...faulty.values()].some(({ waiting }) => waiting > 0) }),
    async resolveModel(named, clock) {
      const found = await resolver(instead ?? named);
      const model = record ? record(found) : found;
      if (faults === null) return model;
      const known = faulty.get(model) ?? faultyModel(model, { seed: setup.seed, rates: faults, clock });
      faulty.set(model, known);
      return known;
    },
  };
}
