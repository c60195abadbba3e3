// A model that goes wrong on purpose, so that a test can show what its agent does then. Whether a call goes wrong, and
// how, follows from the seed, the input and how often that input was seen: not from the order in which threads ran.
import { HoldpointError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { GenerateOptions, Model, ModelInput, ModelOutput } from "../ports/model.ts";
import { systemClock } from "../runtime/system-clock.ts";
import {
  type CallFailure,
  callFailures,
  type Fail,
  type FailContext,
  type LateOutput,
  lateOutputs,
} from "./call-failures.ts";
import { inputDigest } from "./input-digest.ts";
import {
  type RepairableOutput,
  repairableOutputs,
  type Spoil,
  type UnusableOutput,
  type UsableOutput,
  unusableOutputs,
  usableOutputs,
} from "./output-faults.ts";
import { outputPieces } from "./output-pieces.ts";
import { seededRandom } from "./seeded-random.ts";

const spoils = { ...unusableOutputs, ...repairableOutputs, ...usableOutputs };
const fails = { ...callFailures, ...lateOutputs };

export type FaultName = UnusableOutput | RepairableOutput | UsableOutput | CallFailure | LateOutput;

/**
 * What may become of a call. `unusable`: its output is no decision. `repairable`: code may mend it, though not for a
 * risky tool. `usable`: valid, though late or not what was wanted. `failure`: there is no output.
 */
export type FaultKind = "unusable" | "repairable" | "usable" | "failure";

/** Every fault there is, in the order in which rates are laid out. */
export const faultKinds: { readonly [Name in FaultName]: FaultKind } = {
  ...kindOfEach(unusableOutputs, "unusable"),
  ...kindOfEach(repairableOutputs, "repairable"),
  ...kindOfEach(usableOutputs, "usable"),
  ...kindOfEach(callFailures, "failure"),
  ...kindOfEach(lateOutputs, "usable"),
};

const faultNames = Object.keys(faultKinds) as readonly FaultName[]; // the type of faultKinds names them all

/** How many more times the same request fails after a `repeated_failure`. */
const repeats = 4;

export interface FaultyModelOptions {
  readonly seed: number | string;
  /** The probability of each fault, per call; a number is that of any fault, all equally likely. Together at most 1. */
  readonly rates: number | { readonly [Name in FaultName]?: number };
  /** What `slow_first_token` waits on. Default: the machine's clock. */
  readonly clock?: Clock;
  /** How late `slow_first_token` is. Default 5 s. */
  readonly slowMs?: number;
}

/** One call of a faulty model. */
export interface FaultyCall {
  /** From 1, in the order in which the calls began. */
  readonly callNumber: number;
  readonly inputDigest: string;
  /** From 1: which of the calls with this input. */
  readonly occurrence: number;
  /** `null`: it went well. */
  readonly fault: FaultName | null;
  /** What the wrapped model put out, when it was asked and has answered. */
  readonly wanted?: ModelOutput;
}

export interface FaultyModel extends Model {
  readonly calls: readonly FaultyCall[];
  /** How often each fault was injected; those that were not are left out. */
  counts(): { readonly [Name in FaultName]?: number };
  /** Calls under way that will not end by themselves: let the clock go on, or abort them. */
  readonly waiting: number;
}

/**
 * Wraps a model so that its calls fail, or their outputs are spoilt, at given rates. The same seed, input and occurrence
 * of that input have the same fault in any process. When an output cannot have the fault that was drawn (there is no
 * field to take away, say), it has the next one of those with a rate that it can have.
 *
 * @throws `usage` for a rate that is none, or a fault that does not exist.
 */
export function faultyModel(model: Model, options: FaultyModelOptions): FaultyModel {
  const { seed, clock = systemClock, slowMs = 5_000 } = options;
  const rates = checkedRates(options.rates);
  const calls: { -readonly [Member in keyof FaultyCall]: FaultyCall[Member] }[] = [];
  const seen = new Map<string, number>();
  let waiting = 0;

  async function whileWaiting<T>(promise: Promise<T>): Promise<T> {
    waiting += 1;
    try {
      return await promise;
    } finally {
      waiting -= 1;
    }
  }

  return {
    id: model.id,
    calls,
    counts: () => countFaults(calls),
    get waiting() {
      return waiting;
    },
    async generate(input, generateOptions) {
      generateOptions.signal.throwIfAborted();
      const digest = inputDigest(input);
      const occurrence = (seen.get(digest) ?? 0) + 1;
      seen.set(digest, occurrence);
      const drawn = drawFault(rates, seed, digest, occurrence);
      const call: (typeof calls)[number] = {
        callNumber: calls.length + 1,
        inputDigest: digest,
        occurrence,
        fault: drawn,
      };
      calls.push(call);
      const ask = async (askOptions: GenerateOptions): Promise<ModelOutput> => {
        call.wanted = await model.generate(input, askOptions);
        return call.wanted;
      };
      if (drawn === null) return ask(generateOptions);
      const random = seededRandom(`${seed} ${digest} ${occurrence} details`);
      const context = { id: model.id, random, options: generateOptions, clock, slowMs, ask, whileWaiting };
      return inject(drawn, rates, input, context, (fault) => {
        call.fault = fault;
      });
    },
  };
}

/** Injects the fault that was drawn, or the next with a rate that this output can have. */
async function inject(
  drawn: FaultName,
  rates: Rates,
  input: ModelInput,
  context: FailContext,
  note: (fault: FaultName | null) => void,
): Promise<ModelOutput> {
  const { random, ask } = context;
  const { signal, onProgress } = context.options;
  const show = (output: ModelOutput): ModelOutput => {
    if (onProgress) for (const piece of outputPieces(output)) onProgress(piece);
    return output;
  };
  let wanted: ModelOutput | undefined;
  for (const fault of from(drawn, [...rates.keys()])) {
    const fail = failOf(fault);
    if (fail) {
      note(fault);
      return fail(context);
    }
    wanted ??= await ask({ signal });
    const spoilt = spoilOf(fault)?.(wanted, { input, random });
    if (!spoilt) continue;
    note(fault);
    return show(spoilt);
  }
  note(null);
  return show(wanted ?? (await ask({ signal })));
}

/** The list in a circle, from one of its items on. */
function from<T>(first: T, list: readonly T[]): readonly T[] {
  const start = list.indexOf(first);
  return [...list.slice(start), ...list.slice(0, start)];
}

function spoilOf(name: FaultName): Spoil | undefined {
  return name in spoils ? spoils[name as keyof typeof spoils] : undefined;
}

function failOf(name: FaultName): Fail | undefined {
  return name in fails ? fails[name as keyof typeof fails] : undefined;
}

type Rates = ReadonlyMap<FaultName, number>;

/** Which fault a call has: its number falls into one of the stretches that the rates lay out from 0 on. */
function drawFault(
  rates: Rates,
  seed: number | string,
  digest: string,
  occurrence: number,
): FaultName | null {
  if (rates.has("repeated_failure")) {
    for (let before = Math.max(1, occurrence - repeats); before < occurrence; before++)
      if (drawOnce(rates, seed, digest, before) === "repeated_failure") return "repeated_failure";
  }
  return drawOnce(rates, seed, digest, occurrence);
}

function drawOnce(rates: Rates, seed: number | string, digest: string, occurrence: number): FaultName | null {
  let rest = seededRandom(`${seed} ${digest} ${occurrence}`).next();
  for (const [name, rate] of rates) {
    if (rest < rate) return name;
    rest -= rate;
  }
  return null;
}

function checkedRates(given: FaultyModelOptions["rates"]): Rates {
  const rates =
    typeof given === "number"
      ? faultNames.map((name) => [name, given / faultNames.length] as const)
      : Object.entries(given).map(([name, rate]) => [faultNamed(name), rate] as const);
  const sum = rates.reduce((total, [, rate]) => total + rate, 0);
  const allowed = rates.every(([, rate]) => rate >= 0 && rate <= 1) && sum <= 1 + 1e-9; // sums of fractions
  if (!allowed) {
    throw new HoldpointError("usage", `the rates of faults (together ${sum}) are no probabilities`, {
      fix: "Give each a number from 0 to 1, together at most 1.",
    });
  }
  return new Map(rates.filter(([, rate]) => rate > 0));
}

function faultNamed(name: string): FaultName {
  const known = faultNames.find((candidate) => candidate === name);
  if (known) return known;
  throw new HoldpointError("usage", `there is no fault "${name}"`, {
    fix: `Faults: ${faultNames.join(", ")}.`,
  });
}

function countFaults(calls: readonly FaultyCall[]): { readonly [Name in FaultName]?: number } {
  const counts: { [Name in FaultName]?: number } = {};
  for (const { fault } of calls) if (fault !== null) counts[fault] = (counts[fault] ?? 0) + 1;
  return counts;
}

function kindOfEach<Name extends string, Kind extends FaultKind>(
  table: { readonly [Each in Name]: unknown },
  kind: Kind,
): { readonly [Each in Name]: Kind } {
  // The cast holds because the entries are the table's own names.
  return Object.fromEntries(Object.keys(table).map((name) => [name, kind])) as { [Each in Name]: Kind };
}
