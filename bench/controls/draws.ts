// What goes wrong, when. Everything is drawn by the seed, the task and a count (of its model calls, of the runs of a tool),
// never by what a variant made of it: the same faults hit each variant at the same places.
import { type FaultName, faultKinds } from "../../src/testing/index.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

/** A model's output that is valid, and wrong. */
export type WrongAction = "wrong_amount" | "wrong_target" | "unwanted_action" | "stuck";

type ModelFault =
  | { readonly kind: "form" | "call"; readonly name: FaultName }
  | { readonly kind: "action"; readonly name: WrongAction };

/** What becomes of one run of a tool. Killed: the process ends before, or right after, the effect. */
type ToolFault = "fails once" | "fails for good" | "killed before" | "killed after";

export interface Draws {
  /** Of the n-th model call of a task, from 1; `null`: it goes well. */
  modelFault(task: number, call: number): ModelFault | null;
  /** A task's mail that carries an instruction is obeyed at this call. */
  obeys(task: number, call: number): boolean;
  /** Of the n-th run of a tool in a task, from 1. */
  toolFault(task: number, tool: string, run: number, writes: boolean): ToolFault | null;
  /** Whether the model's server cuts what is too long without a word, instead of refusing it. */
  cutsInput(task: number): boolean;
  /** Whether whoever decides gets the n-th request for this wrong. */
  approverErrs(task: number, what: string, times: number): boolean;
  /** Length of the log of parcels, in tokens. */
  parcelTokens(task: number): number;
  /** Around the median; `key` names what takes the time. */
  takesMs(key: string, medianMs: number, spread: number): number;
  /** Details of a fault. */
  key(task: number, what: string): string;
}

export interface DrawOptions {
  readonly seed: number;
  /** The probability that a model call goes wrong. */
  readonly faults: number;
  readonly approverErrors: number;
}

const faultNames = Object.keys(faultKinds) as readonly FaultName[]; // the type of faultKinds names them all
/** An overflow comes of the length of an input here, not by chance. */
const byLength: readonly FaultName[] = ["overflow", "silent_overflow"];
const formFaults = faultNames.filter(
  (name) => ["unusable", "repairable"].includes(faultKinds[name]) && !byLength.includes(name),
);
const callFaults: readonly FaultName[] = [
  ...faultNames.filter((name) => faultKinds[name] === "failure" && !byLength.includes(name)),
  "slow_first_token",
];
const wrongActions: readonly WrongAction[] = ["wrong_amount", "wrong_target", "unwanted_action", "stuck"];

/** A model that is stuck repeats itself for so many calls. */
const [leastStuck, mostStuck] = [2, 30];
/** Of 1,000 to 100,000 tokens, each order of magnitude as likely as the next. */
const [leastParcel, mostParcel] = [1_000, 100_000];

export function drawsOf({ seed, faults, approverErrors }: DrawOptions): Draws {
  const random = (what: string) => seededRandom(`${seed} ${what}`);

  /** A third of the faults each: the form of an output, the call, what is asked for. */
  function drawOnce(task: number, call: number): ModelFault | null {
    const own = random(`model ${task} ${call}`);
    if (own.next() >= faults) return null;
    const kind = own.pick(["form", "call", "action"] as const) ?? "form";
    if (kind === "action") return { kind, name: own.pick(wrongActions) ?? "stuck" };
    return { kind, name: own.pick(kind === "form" ? formFaults : callFaults) ?? "empty" };
  }

  function isStuck(task: number, call: number): boolean {
    for (let before = Math.max(1, call - mostStuck); before < call; before++) {
      if (drawOnce(task, before)?.name !== "stuck") continue;
      if (before + random(`stuck ${task} ${before}`).between(leastStuck, mostStuck) > call) return true;
    }
    return false;
  }

  return {
    modelFault: (task, call) =>
      isStuck(task, call) ? { kind: "action", name: "stuck" } : drawOnce(task, call),
    obeys: (task, call) => random(`obeys ${task} ${call}`).next() < faults,
    toolFault: (task, tool, run, writes) => {
      const own = random(`tool ${task} ${tool} ${run}`);
      const drawn = own.next();
      if (drawn < faults / 2) return drawn < faults / 8 ? "fails for good" : "fails once";
      if (!writes || drawn > faults / 2 + faults / 5) return null;
      return drawn < faults / 2 + faults / 10 ? "killed before" : "killed after";
    },
    cutsInput: (task) => random(`server ${task}`).next() < 0.5,
    approverErrs: (task, what, times) => random(`approver ${task} ${what} ${times}`).next() < approverErrors,
    parcelTokens: (task) =>
      Math.round(leastParcel * (mostParcel / leastParcel) ** random(`parcel ${task}`).next()),
    takesMs: (key, medianMs, spread) => {
      const own = random(`time ${key}`);
      const [one, other] = [1 - own.next(), own.next()];
      const normal = Math.sqrt(-2 * Math.log(one)) * Math.cos(2 * Math.PI * other); // Box and Muller
      return Math.round(medianMs * Math.exp(spread * normal));
    },
    key: (task, what) => `${seed} ${task} ${what}`,
  };
}
